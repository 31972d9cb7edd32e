"""What every Python client of the matrix does with its steps, and what the steps have in common."""

import sys
import time
import traceback
from contextlib import contextmanager

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
RECORDS = 200
TIMED_RECORDS = 100
TIMED_STEP_MS = 1_000
PATIENCE_S = 30


class Steps:
    """Prints one line for each step, and goes on after a failed one."""

    def __init__(self, client, version):
        print(f"CLIENT {client} {version}", flush=True)

    @contextmanager
    def step(self, name):
        try:
            yield
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            print(f"FAIL {name}: {reason}", flush=True)
        else:
            print(f"PASS {name}", flush=True)

    def none(self, name, why):
        print(f"NONE {name}: {why}", flush=True)


def values(codec):
    return [f"{codec} {at}" for at in range(RECORDS)]


def all_values():
    return sorted(value for codec in CODECS for value in values(codec))


def timed_base():
    """The timestamp of the first timed record: an hour ago."""
    return int(time.time() * 1000) - 3_600_000


def equal(found, expected, what):
    if found != expected:
        raise AssertionError(f"{what}: {str(found)[:200]} instead of {str(expected)[:200]}")


def eventually(what, condition):
    """Waits for something that takes effect after its answer."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"waited in vain for {what}")
