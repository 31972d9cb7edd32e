//! The journal: one sync for many logs, and what is found after a crash when it is all there is.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may panic, also outside of its function"
)]

mod support;

use std::{path::Path, sync::Arc};

use core_log::{Ack, Append, Log, LogConfig, LogDir, OfflineReason, Storage, storage::MemoryStorage};
use protocol::Offset;
use support::*;

const LOGS: usize = 8;

fn open_logs(dir: &Arc<LogDir>) -> Vec<Arc<Log>> {
    (0..LOGS).map(|log| open_log(dir, &format!("log{log}"), LogConfig::default())).collect()
}

/// One submit with a batch for each log; all are acked.
fn put_all(dir: &LogDir, logs: &[Arc<Log>], value: &str) {
    let append =
        |log: &Arc<Log>| Append { log: Arc::clone(log), batch: batch(5, &[value]), place: leader(0) };
    let outcomes = dir.submit_blocking(logs.iter().map(append).collect(), Ack::Synced).wait();
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
}

fn assert_all_have(disk: MemoryStorage, records: i64) {
    let dir = open_dir(disk);
    for log in open_logs(&dir) {
        assert_eq!((log.ends().log_end, log.offline()), (Offset(records), None), "{}", log.id());
        assert_eq!(read_all(&log).len() as i64, records);
    }
    assert!(dir.names().unwrap().iter().all(|(_, id)| *id == Some(topic_id(7))));
}

#[test]
fn one_sync_makes_many_logs_durable() {
    for seed in 0..20 {
        let disk = MemoryStorage::new(seed);
        let dir = open_dir(disk.clone());
        let logs = open_logs(&dir);
        put_all(&dir, &logs, "first");
        let before = disk.syncs();
        put_all(&dir, &logs, "second");
        assert_eq!(disk.syncs() - before, 1);
        assert_all_have(disk.cut_power(seed), 2);
    }
}

#[test]
fn its_files_are_used_again_and_again() {
    for seed in 0..10 {
        let disk = MemoryStorage::new(seed);
        let dir = open_dir(disk.clone());
        let logs = open_logs(&dir);
        for round in 1..=40 {
            put_all(&dir, &logs, "a record");
            if round % 7 == 0 {
                assert_all_have(disk.cut_power(seed), round);
            }
        }
        let files = disk.list(Path::new(ROOT)).unwrap();
        assert_eq!(files.iter().filter(|name| name.to_str().unwrap().starts_with("journal.")).count(), 2);
    }
}

#[test]
fn a_journal_that_fails_is_done_without() {
    let disk = MemoryStorage::new(1);
    let dir = open_dir(disk.clone());
    let logs = open_logs(&dir);
    put_all(&dir, &logs, "first");
    disk.fail_sync("/logs/journal.0", 1);
    put_all(&dir, &logs, "second");
    assert_all_have(disk.cut_power(1), 2);
    let before = disk.syncs();
    put_all(&dir, &logs, "third");
    assert_eq!(disk.syncs() - before, LOGS as u64, "a second sync of the journal would say Ok");
    assert_all_have(disk.cut_power(2), 3);
}

#[test]
fn a_log_that_cannot_be_flushed_goes_offline_and_no_other() {
    let disk = MemoryStorage::new(1);
    let dir = open_dir(disk.clone());
    let logs = open_logs(&dir);
    put_all(&dir, &logs, "first");
    disk.fail_sync("/logs/log3-0/00000000000000000000.log", 1);
    assert!(wait(dir.checkpoint()).is_err());
    for (number, log) in logs.iter().enumerate() {
        assert_eq!(log.offline().is_some(), number == 3, "log {number}");
    }
    assert!(matches!(logs[3].offline_reason(), Some(OfflineReason::SyncFailed(_))));
    assert_all_have(disk.cut_power(1), 1);
    // What it was promised is in the journal alone: that stays, whatever the others do.
    let others: Vec<_> = logs.iter().filter(|log| log.offline().is_none()).cloned().collect();
    for _ in 0..40 {
        put_all(&dir, &others, "more");
    }
    assert!(wait(others[0].truncate_to(Offset(1))).is_err(), "its blocks are among the others'");
    wait(dir.remove(&logs[4])).unwrap_err();
    let log = open_log(&open_dir(disk.cut_power(2)), "log3", LogConfig::default());
    assert_eq!((log.ends().log_end, log.offline()), (Offset(1), None));
    // Deleted, it keeps nobody.
    wait(dir.remove(&logs[3])).unwrap();
    wait(others[0].truncate_to(Offset(1))).unwrap();
}

#[test]
fn a_clean_shutdown_leaves_no_journal() {
    let disk = MemoryStorage::new(1);
    let dir = open_dir(disk.clone());
    let logs = open_logs(&dir);
    put_all(&dir, &logs, "first");
    wait(dir.close()).unwrap();
    let names = disk.list(Path::new(ROOT)).unwrap();
    assert!(!names.iter().any(|name| name.to_str().unwrap().starts_with("journal.")), "{names:?}");
    drop((dir, logs));
    assert_all_have(disk, 1);
}

#[test]
fn records_above_an_advanced_start_come_back() {
    let disk = MemoryStorage::new(1);
    let dir = open_dir(disk.clone());
    let logs = open_logs(&dir);
    put_all(&dir, &logs, "first");
    put_all(&dir, &logs, "second");
    for log in &logs {
        wait(log.advance_start(Offset(1))).unwrap();
    }
    for seed in 0..20 {
        let dir = open_dir(disk.cut_power(seed));
        for log in open_logs(&dir) {
            assert_eq!((log.ends().log_start, log.ends().log_end), (Offset(1), Offset(2)), "{}", log.id());
        }
    }
}
