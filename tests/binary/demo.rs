//! The demo with the real binary: what it shows, and that nothing of it is left behind.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::sync_channel,
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use core_log::{Clock, clock::SystemClock};

use crate::command::{isthmus, output};

/// No step takes this long; one that does hangs, and the test fails instead of hanging too.
const WITHIN: Duration = Duration::from_secs(90);
/// More lines than a demo of some seconds writes.
const LINES_MAX: usize = 10_000;

fn demo(arguments: &[&str]) -> Command {
    let mut command = isthmus(&["demo", "--once"]);
    command.args(arguments).stdin(Stdio::null());
    command
}

fn demo_in(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = demo(&["--east", "127.0.0.1:0", "--west", "127.0.0.1:0"]);
    command.arg("--dir").arg(dir).args(arguments);
    command
}

/// A demo that runs; killed when dropped.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A demo that produces, and the addresses of its daemons for Kafka clients.
fn producing(dir: &Path) -> (Demo, Vec<SocketAddr>) {
    let started = demo_in(dir, &["--seconds", "600"]).stderr(Stdio::piped()).spawn();
    let mut demo = Demo(started.expect("it starts"));
    let lines = BufReader::new(demo.0.stderr.take().expect("piped")).lines();
    let (sender, received) = sync_channel(LINES_MAX);
    thread::Builder::new()
        .name("lines".to_owned())
        .spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)))
        .expect("a thread starts");
    let mut seen = String::new();
    while !seen.contains("producing in us-east") {
        seen.push_str(&received.recv_timeout(WITHIN).expect("it says when it produces"));
    }
    // The demo may write on without anybody listening.
    thread::Builder::new()
        .name("rest".to_owned())
        .spawn(move || received.iter().for_each(drop))
        .expect("a thread starts");
    let topology = fs::read_to_string(dir.join("run-1/topology.yaml")).expect("it is there while it runs");
    let kafka = topology.lines().filter_map(|line| line.split_once("kafka: \"")?.1.split_once('"'));
    let addresses: Vec<SocketAddr> = kafka.map(|(address, _)| address.parse().expect("an address")).collect();
    assert_eq!(addresses.len(), 2, "{topology}");
    (demo, addresses)
}

/// Waits until nobody listens there any more.
fn assert_closed(addresses: &[SocketAddr]) {
    let clock = SystemClock::new();
    for address in addresses {
        while TcpStream::connect(address).is_ok() {
            assert!(clock.monotonic() < WITHIN, "a daemon still listens on {address}");
            thread::yield_now();
        }
    }
}

#[test]
fn the_check_holds() {
    let dir = tempfile::tempdir().expect("a directory");
    let (code, out, err) = output(&mut demo_in(dir.path(), &["--json", "--seconds", "2", "--rate", "500"]));
    assert_eq!(code, Some(0), "{out}{err}");
    let told: Value = serde_json::from_str(out.lines().last().expect("a line")).expect("JSON");
    let number = |name: &str| told[name].as_u64().expect("a whole number of that name");
    assert!(number("records_produced") > 500, "{told}");
    assert_eq!(number("records_verified"), number("records_produced"), "{told}");
    assert!(number("records_mirrored") > 0, "{told}");
    for name in ["mismatches", "group_reread", "group_skipped"] {
        assert_eq!(number(name), 0, "{told}");
    }
    for name in ["lag_ms_p50", "lag_ms_p99", "failover_ms", "elapsed_ms"] {
        assert!(told[name].is_number(), "no {name} in {told}");
    }
}

#[test]
fn a_busy_port_is_told_with_the_flag_before_anything_starts() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let (code, _, err) = output(&mut demo(&["--east", &address]));
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains(&address) && err.contains("--east"), "{err}");
}

#[test]
fn an_interrupted_demo_puts_its_daemons_down() {
    let dir = tempfile::tempdir().expect("a directory");
    let (mut demo, daemons) = producing(dir.path());
    kill_process(Pid::from_child(&demo.0), Signal::INT).expect("it is there");
    assert_eq!(demo.0.wait().expect("it ends").code(), Some(130));
    assert_closed(&daemons);
    for region in ["us-east", "eu-west"] {
        let log = fs::read_to_string(dir.path().join(format!("run-1/{region}.log"))).expect("a log");
        assert!(log.contains("stopped"), "{region} was not drained: {log}");
    }
}

#[test]
fn daemons_do_not_outlive_a_killed_demo() {
    let dir = tempfile::tempdir().expect("a directory");
    let (mut demo, daemons) = producing(dir.path());
    demo.0.kill().expect("it is there");
    demo.0.wait().expect("it ends");
    assert_closed(&daemons);
}
