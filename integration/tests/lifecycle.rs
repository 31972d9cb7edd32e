//! A daemon's life: start, ready, drain, a second start, a bad setting.

use std::time::Duration;

use integration::{Daemon, Wire, client, eventually, produce};
use protocol::{ErrorCode, messages::k01_fetch::FetchResponse};
use rdkafka::Message;

#[test]
fn a_ready_daemon_says_so_and_ends_with_0_when_asked_to() {
    let mut daemon = Daemon::start();
    for page in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(daemon.admin(page).unwrap().0, 200, "{page}");
    }
    assert_eq!(daemon.admin("/nothing").unwrap().0, 404);
    assert_eq!(daemon.terminate().code(), Some(0), "{}", daemon.log());
}

/// A fetch at the end of the log waits for minutes; the drain answers it.
#[test]
fn a_drain_answers_what_is_in_flight_and_keeps_what_was_written() {
    let mut daemon = Daemon::start();
    produce::create_topic(daemon.address(), "t", 1);
    let mut writing = Wire::connect(daemon.address());
    assert_eq!(produce::produce(&mut writing, "t", &produce::batch(&[b"v"])), (ErrorCode::NONE, 0));
    let mut waiting = Wire::connect(daemon.address());
    let mut request = produce::fetch_request("t", 0, 1, 1 << 20);
    request.max_wait_ms = 300_000;
    waiting.send(produce::FETCH, &request);
    // Sent is not read: what a drain finds unread is no work of its.
    eventually("the fetch to be in flight", || {
        (daemon.metrics().sum(&["requests", "Fetch"]) > 0.0).then_some(())
    });
    let mut idle = Wire::connect(daemon.address());
    assert_eq!(daemon.terminate().code(), Some(0), "{}", daemon.log());
    let answer: FetchResponse = waiting.receive(produce::FETCH);
    assert_eq!(answer.error_code, ErrorCode::NONE);
    idle.assert_closed();
    daemon.restart();

    let records = client::read_partition(&daemon.bootstrap(), "t", 0, 0);
    assert_eq!(records.iter().map(Message::payload).collect::<Vec<_>>(), [Some(&b"v"[..])]);
}

#[test]
fn a_second_daemon_on_live_data_is_refused_and_harms_nothing() {
    let mut daemon = Daemon::start();
    let (status, said) = daemon.start_second();
    assert!(!status.success());
    assert!(said.contains(&daemon.data().display().to_string()), "the message names the directory: {said}");
    produce::create_topic(daemon.address(), "t", 1);
    assert!(daemon.is_running());
    // The lock is the process's: nothing is left of it after a kill.
    daemon.kill9();
    daemon.restart();
}

#[test]
fn bad_settings_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("isthmus.toml");
    for (setting, named) in [
        ("broker.no_such_setting = 1", "no_such_setting"),
        ("broker.topics.partitions = \"many\"", "partitions"),
        ("broker.topics.partitions = -5", "partitions"),
    ] {
        std::fs::write(&file, setting).unwrap();
        let output = integration::daemon_command()
            .args(["config", "show", "--config"])
            .arg(&file)
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{setting}");
        assert!(said.contains(named) && said.contains("isthmus.toml"), "{setting}: {said}");
    }
}

#[test]
fn a_daemon_killed_at_any_time_of_its_start_starts_again() {
    let mut daemon = Daemon::start();
    produce::create_topic(daemon.address(), "t", 3);
    for at in 0..10i64 {
        let appended = produce::produce(&mut Wire::connect(daemon.address()), "t", &produce::batch(&[b"v"]));
        assert_eq!(appended, (ErrorCode::NONE, at));
        daemon.kill9();
        daemon.start_and_kill_after(Duration::from_millis(2 * at.unsigned_abs()));
        daemon.restart();
    }
    assert_eq!(client::read_partition(&daemon.bootstrap(), "t", 0, 0).len(), 10);
}
