//! A disk that takes no more.

use std::{
    fs::{self, File},
    io::Write,
    path::PathBuf,
};

use bytes::Bytes;
use integration::{Daemon, Wire, client, eventually, produce};
use protocol::ErrorCode;
use rdkafka::Message;

use crate::bystander::Bystander;

const ERRORS: &str = "isthmus_broker_errors_total";
const TOPIC: &str = "t";
const VALUE_BYTES: usize = 200_000;
/// Far more records than any disk here takes.
const RECORDS_MAX: u8 = 250;

/// A file that may not grow fails one partition: others go on, and a restart with room brings all of it back.
#[test]
fn a_partition_that_cannot_grow_costs_nothing_acknowledged_and_no_other_partition() {
    let mut daemon = Daemon::builder().file_bytes_max(8 << 20).start();
    let bystander = Bystander::start(&daemon);
    produce::create_topic(daemon.address(), TOPIC, 1);
    let before = daemon.metrics();
    let acknowledged = produce_until_refused(&daemon);
    daemon.assert_counted(&before, &[ERRORS, "Produce", "KAFKA_STORAGE_ERROR"]);
    bystander.finish(&daemon);
    assert!(daemon.is_running());
    daemon.terminate();
    daemon.restart_with(Daemon::builder());

    assert_eq!(read(&daemon)[..acknowledged.len()], acknowledged);
    let (error, _) =
        produce::produce(&mut Wire::connect(daemon.address()), TOPIC, &produce::batch(&[b"after"]));
    assert_eq!(error, ErrorCode::NONE);
}

/// No space left: appends are refused, reads go on, and appends go on once there is space again.
#[test]
fn a_full_disk_refuses_appends_until_there_is_space() {
    let mut daemon = Daemon::builder().disk_bytes(64 << 20).start();
    produce::create_topic(daemon.address(), TOPIC, 1);
    let first = produce::produce(&mut Wire::connect(daemon.address()), TOPIC, &value(0));
    assert_eq!(first, (ErrorCode::NONE, 0));
    let ballast = fill_disk(&daemon, 4 << 20);
    let before = daemon.metrics();
    let acknowledged = produce_until_refused(&daemon);
    daemon.assert_counted(&before, &[ERRORS, "Produce", "KAFKA_STORAGE_ERROR"]);
    assert!(daemon.is_running());
    assert_eq!(read(&daemon)[1..][..acknowledged.len()], acknowledged, "reads go on");

    fs::remove_file(ballast).unwrap();
    eventually("appends to go on", || {
        let batch = produce::batch(&[b"after"]);
        let (error, _) = produce::produce(&mut Wire::connect(daemon.address()), TOPIC, &batch);
        (error == ErrorCode::NONE).then_some(())
    });
    let read = read(&daemon);
    assert_eq!(read[1..][..acknowledged.len()], acknowledged);
    assert_eq!(read.last().map(Vec::as_slice), Some(&b"after"[..]));
    assert!(daemon.is_running());
}

/// Produces numbered values until one is refused; those that were acknowledged.
#[track_caller]
fn produce_until_refused(daemon: &Daemon) -> Vec<Vec<u8>> {
    let mut wire = Wire::connect(daemon.address());
    for at in 1..=RECORDS_MAX {
        let (error, _) = produce::produce(&mut wire, TOPIC, &value(at));
        if error != ErrorCode::NONE {
            assert_eq!(error, ErrorCode::KAFKA_STORAGE_ERROR);
            return (1..at).map(|at| vec![at; VALUE_BYTES]).collect();
        }
    }
    panic!("{RECORDS_MAX} records of {VALUE_BYTES} bytes were taken by a disk without room for them");
}

fn value(at: u8) -> Bytes {
    produce::batch(&[&vec![at; VALUE_BYTES]])
}

#[track_caller]
fn read(daemon: &Daemon) -> Vec<Vec<u8>> {
    let records = client::read_partition(&daemon.bootstrap(), TOPIC, 0, 0);
    records.iter().filter_map(|record| record.payload().map(<[u8]>::to_vec)).collect()
}

/// Fills the daemon's own disk up to some bytes, with a file that can be removed again. The disk is seen through the
/// daemon's process, since nobody else has it.
#[track_caller]
fn fill_disk(daemon: &Daemon, left: usize) -> PathBuf {
    let seen_by_daemon = format!("/proc/{}/root{}", daemon.pid(), daemon.data().display());
    let path = PathBuf::from(seen_by_daemon).join("ballast");
    let mut file = File::create(&path).expect("the daemon's disk can be reached");
    let block = vec![0; 1 << 16];
    while file.write_all(&block).is_ok() {}
    let length = file.metadata().unwrap().len();
    file.set_len(length.saturating_sub(left as u64)).unwrap();
    path
}
