//! The link in a deterministic simulation: real quinn-proto and the real cores, over a network, disks, crashes and a time that a
//! seed decides. Every run ends with equal logs and exact translation; the same seed gives the same trace.
//!
//! `SIMULATION_SEED` runs one seed again and tells all that happens.

#![allow(clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

#[path = "simulation/control.rs"]
mod control;
#[path = "simulation/log.rs"]
mod log;
#[path = "simulation/network.rs"]
mod network;
#[path = "simulation/peer.rs"]
mod peer;
#[path = "simulation/source.rs"]
mod source;
#[path = "simulation/target.rs"]
mod target;
#[path = "simulation/tls.rs"]
mod tls;
#[path = "simulation/world.rs"]
mod world;

use std::{
    env,
    panic::catch_unwind,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use target::Fault;
use world::{Ended, World};

const SEEDS: u64 = 1_000;
/// Enough for a planted bug to show.
const SEEDS_TO_FIND_A_BUG: u64 = 100;

#[test]
fn every_seed_ends_with_equal_logs_and_the_same_trace_twice() {
    if let Ok(seed) = env::var("SIMULATION_SEED") {
        let seed = seed.parse().expect("SIMULATION_SEED is a number");
        eprintln!("{:?}", World::new(seed, Fault::None, true).run());
        return;
    }
    let failed = in_parallel(SEEDS, |seed| {
        let run = || -> Ended { World::new(seed, Fault::None, false).run() };
        let (once, again) = (run(), run());
        assert_eq!(once, again, "seed {seed}: the traces of two runs differ");
        assert!(once.records > 0, "seed {seed}: nothing was mirrored");
    });
    assert!(failed.is_empty(), "SIMULATION_SEED = {failed:?}");
}

#[test]
fn a_table_that_is_one_off_is_found() {
    assert_found(Fault::TranslationOffByOne);
}

fn assert_found(fault: Fault) {
    let found =
        (0..SEEDS_TO_FIND_A_BUG).any(|seed| catch_unwind(|| World::new(seed, fault, false).run()).is_err());
    assert!(found, "{fault:?} was not noticed by {SEEDS_TO_FIND_A_BUG} seeds");
}

/// Runs all seeds on all cores; those that failed.
fn in_parallel(seeds: u64, run: impl Fn(u64) + Sync) -> Vec<u64> {
    let (next, failed) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        return;
                    }
                    if catch_unwind(std::panic::AssertUnwindSafe(|| run(seed))).is_err() {
                        failed.lock().expect("no panic holds it").push(seed);
                    }
                }
            });
        }
    });
    failed.into_inner().expect("no panic holds it")
}
