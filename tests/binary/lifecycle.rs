//! The daemon as a process: started, ready, in nobody's way, drained.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

use rustix::process::Signal;

use crate::daemon::Daemon;

fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("the admin port listens");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: isthmus\r\n\r\n").expect("it takes a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers in text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let code = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    (code.expect("a status code"), body.to_owned())
}

#[test]
fn the_ready_line_tells_addresses_and_how_long_it_took() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut daemon = Daemon::start(dir.path());
    let ready = daemon.ready();
    TcpStream::connect(ready.kafka).expect("clients can connect once it says ready");
    assert_eq!(get(ready.admin, "/readyz"), (200, "ready\n".to_owned()));
    assert_eq!(get(ready.admin, "/healthz"), (200, "alive\n".to_owned()));
    assert!(ready.line["elapsed_ms"].is_u64(), "{}", ready.line);
    assert_eq!(ready.line["data"], dir.path().display().to_string());
}

#[test]
fn metrics_describe_process_and_build() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut daemon = Daemon::start(dir.path());
    let (code, text) = get(daemon.ready().admin, "/metrics");
    assert_eq!(code, 200);
    for name in ["process_resident_memory_bytes ", "process_cpu_seconds_total ", "isthmus_build_info{"] {
        assert!(text.lines().any(|line| line.starts_with(name)), "no {name} in\n{text}");
    }
}

#[test]
fn a_terminated_daemon_drains_and_exits_with_0() {
    for signal in [Signal::TERM, Signal::INT] {
        let dir = tempfile::tempdir().expect("a directory");
        let mut daemon = Daemon::start(dir.path());
        daemon.ready();
        daemon.signal(signal);
        let (code, log) = daemon.end();
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains("\"message\":\"draining\""), "{log}");
        assert!(log.contains("\"message\":\"stopped\""), "{log}");
    }
}

#[test]
fn a_second_daemon_on_the_same_data_is_refused_with_the_holder() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut first = Daemon::start(dir.path());
    let ready = first.ready();
    let (code, log) = Daemon::start(dir.path()).end();
    assert_eq!(code, Some(3), "{log}");
    assert!(log.contains(&format!("process {}", first.pid())), "{log}");
    assert_eq!(get(ready.admin, "/readyz").0, 200, "the first one is not disturbed");
}

#[test]
fn a_killed_daemon_leaves_no_lock_behind() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut first = Daemon::start(dir.path());
    first.ready();
    first.signal(Signal::KILL);
    first.end();
    Daemon::start(dir.path()).ready();
}

#[test]
fn a_taken_admin_port_is_refused_with_the_setting() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let dir = tempfile::tempdir().expect("a directory");
    let (code, log) = Daemon::start_with(dir.path(), &["--admin", &address]).end();
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains(&address) && log.contains("set `admin`"), "{log}");
}

#[test]
fn a_data_directory_that_cannot_be_made_is_refused_with_the_setting() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("file");
    std::fs::write(&file, "in the way").expect("written");
    let (code, log) = Daemon::start(&file.join("data")).end();
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("set `data`"), "{log}");
}
