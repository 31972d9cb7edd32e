//! The files on disk, read by a parser of its own that knows Kafka's formats and nothing of this crate's code.

mod support;

use std::{collections::BTreeMap, path::Path};

use core_log::{LogConfig, storage::DiskStorage};
use support::*;

fn i32_at(bytes: &[u8], at: usize) -> i32 {
    i32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn i64_at(bytes: &[u8], at: usize) -> i64 {
    i64::from_be_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// CRC-32C, bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
        }
    }
    !crc
}

#[derive(Debug)]
struct Batch {
    position: usize,
    base: i64,
    last: i64,
    epoch: i32,
    max_timestamp: i64,
}

fn parse_log(bytes: &[u8]) -> Vec<Batch> {
    let (mut at, mut batches) = (0, vec![]);
    while at < bytes.len() {
        let base = i64_at(bytes, at);
        let end = at + 12 + i32_at(bytes, at + 8) as usize;
        let batch = &bytes[at..end];
        assert_eq!(batch[16], 2, "magic");
        assert_eq!(i32_at(batch, 17) as u32, crc32c(&batch[21..]), "crc");
        batches.push(Batch {
            position: at,
            base,
            last: base + i64::from(i32_at(batch, 23)),
            epoch: i32_at(batch, 12),
            max_timestamp: i64_at(batch, 35),
        });
        at = end;
    }
    batches
}

fn check_segment(base: i64, files: &BTreeMap<String, Vec<u8>>) -> Vec<Batch> {
    let file = |extension: &str| &files[&format!("{base:020}.{extension}")];
    let batches = parse_log(file("log"));
    assert_eq!(batches[0].base, base);
    let mut indexed = 0;
    for entry in file("index").chunks(8) {
        let (offset, position) = (base + i64::from(i32_at(entry, 0)), i32_at(entry, 4) as usize);
        let batch = batches.iter().find(|batch| batch.last == offset).unwrap();
        assert_eq!(batch.position, position);
        indexed += 1;
    }
    assert!(indexed > 0 || file("log").len() < 300, "sparse, but there");
    let mut latest = i64::MIN;
    for entry in file("timeindex").chunks(12) {
        let (timestamp, offset) = (i64_at(entry, 0), base + i64::from(i32_at(entry, 8)));
        let batch = batches.iter().find(|batch| batch.last == offset).unwrap();
        assert_eq!(batch.max_timestamp, timestamp);
        assert!(timestamp > latest);
        assert!(
            batches
                .iter()
                .take_while(|before| before.base < batch.base)
                .all(|before| before.max_timestamp < timestamp)
        );
        latest = timestamp;
    }
    assert_eq!(Some(latest), batches.iter().map(|batch| batch.max_timestamp).max());
    batches
}

fn read_dir(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let files = files.filter(|entry| entry.file_type().unwrap().is_file());
    files
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect()
}

#[test]
fn a_closed_directory_is_what_kafka_would_leave() {
    let root = tempfile::tempdir().unwrap();
    let config = LogConfig { segment_bytes: 1000, index_interval_bytes: 200, ..LogConfig::default() };
    let dir =
        core_log::LogDir::open(std::sync::Arc::new(DiskStorage), TestClock::at(1), root.path(), settings())
            .unwrap();
    let log = open_log(&dir, "orders", config);
    for i in 0..40 {
        let timestamp = [500, 100, 900, 300][i as usize % 4] + i64::from(i);
        let batch = batch_of(77, 0, i * 2, timestamp, &["value", "another value"]);
        append(&dir, &log, batch, leader(i / 15 * 3), core_log::Ack::Synced).unwrap();
    }
    wait(log.advance_start(protocol::Offset(21))).unwrap();
    wait(dir.close()).unwrap();
    drop((dir, log));

    let top = read_dir(root.path());
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    assert_eq!(text(&top["recovery-point-offset-checkpoint"]), "0\n1\norders 0 80\n");
    assert_eq!(text(&top["log-start-offset-checkpoint"]), "0\n1\norders 0 21\n");
    assert_eq!(text(&top[".kafka_cleanshutdown"]), "version: 0\nbrokerEpoch: -1\n");

    let files = read_dir(&root.path().join("orders-0"));
    let bases: Vec<i64> = files.keys().filter_map(|name| name.strip_suffix(".log")?.parse().ok()).collect();
    assert!(bases.len() >= 3, "{bases:?}");
    let mut next = bases[0];
    let mut epochs = vec![];
    for base in &bases {
        assert_eq!(*base, next, "a segment starts where the one before ends");
        for batch in check_segment(*base, &files) {
            assert_eq!(batch.base, next);
            next = batch.last + 1;
            if epochs.last().is_none_or(|(epoch, _)| *epoch != batch.epoch) {
                epochs.push((batch.epoch, batch.base.max(21)));
            }
        }
        let snapshot = &files.get(&format!("{base:020}.snapshot"));
        assert!(
            snapshot.is_some_and(|snapshot| crc32c(&snapshot[6..]) == i32_at(snapshot, 2) as u32),
            "{base}"
        );
    }
    assert_eq!(next, 80);
    assert!(bases[0] <= 21 && 21 < bases[1]);
    let expected: String = epochs.iter().map(|(epoch, start)| format!("{epoch} {start}\n")).collect();
    assert_eq!(text(&files["leader-epoch-checkpoint"]), format!("0\n{}\n{expected}", epochs.len()));
    assert!(text(&files["partition.metadata"]).starts_with("version: 0\ntopic_id: "));
    let last = &files[&format!("{:020}.snapshot", 80)];
    // One producer: id, epoch, last sequence, last offset.
    assert_eq!((i32_at(last, 6), i64_at(last, 10), i32_at(last, 20), i64_at(last, 24)), (1, 77, 79, 79));
}
