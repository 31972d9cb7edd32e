//! Disks that fail: syncs, space, bits.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may panic, also outside of its function"
)]

mod support;

use std::{path::Path, sync::Arc};

use core_log::{
    Ack, AppendError, Corruption, LogConfig, LogEnds, OfflineReason, ReadError, Storage, Waiter,
    storage::{MemoryStorage, Open},
};
use protocol::Offset;
use support::*;

const SEGMENT: &str = "/logs/a-0/00000000000000000000.log";

fn length(disk: &MemoryStorage) -> u64 {
    disk.open(Path::new(SEGMENT), Open::Read).unwrap().length().unwrap()
}

#[test]
fn the_first_sync_error_takes_the_log_offline_for_good() {
    let disk = MemoryStorage::new(1);
    let dir = open_dir_without_journal(disk.clone());
    let (log, other) = (open_log(&dir, "a", LogConfig::default()), open_log(&dir, "b", LogConfig::default()));
    put(&dir, &log, batch(5, &["x"])).unwrap();
    let waiter = Waiter::new();
    let _watch = log.watch(&waiter);
    disk.fail_sync(SEGMENT, 1);
    let failed = put(&dir, &log, batch(5, &["y"]));
    assert!(
        matches!(&failed, Err(AppendError::Offline(reason)) if reason.starts_with("sync failed")),
        "{failed:?}"
    );
    wait(waiter.woken());
    assert!(matches!(log.offline_reason(), Some(OfflineReason::SyncFailed(_))));
    assert_eq!(log.ends().high_watermark, Offset(1), "what was not synced never became visible");
    assert!(
        matches!(put(&dir, &log, batch(5, &["z"])), Err(AppendError::Offline(_))),
        "a second sync would say Ok"
    );
    assert!(matches!(log.read(Offset(0), limit(100)), Err(ReadError::Offline(_))));
    assert!(matches!(log.read_recent(Offset(0), limit(100)), Some(Err(ReadError::Offline(_)))));
    assert!(wait(log.truncate_to(Offset(0))).is_err() && wait(log.advance_start(Offset(1))).is_err());
    put(&dir, &other, batch(5, &["x"])).unwrap();
    assert!(wait(dir.close()).is_err(), "no clean shutdown with a log in doubt");
    drop((dir, log, other));
    let log = open_log(&open_dir(disk.cut_power(1)), "a", LogConfig::default());
    assert_eq!((log.ends().log_end, log.offline()), (Offset(1), None));
}

#[test]
fn a_failed_sync_of_a_directory_counts_as_one() {
    let disk = MemoryStorage::new(1);
    let dir = open_dir_without_journal(disk.clone());
    let log = open_log(&dir, "a", LogConfig { segment_bytes: 120, ..LogConfig::default() });
    put(&dir, &log, batch(5, &["x"])).unwrap();
    // The roll's snapshot and epochs sync the directory as well, but their failure costs nothing.
    disk.fail_sync_dir("/logs/a-0", 3);
    let outcome = put(&dir, &log, batch(5, &["0123456789012345678901234567890123456789"]));
    assert!(matches!(outcome, Err(AppendError::Offline(_))), "{outcome:?}");
}

#[test]
fn a_full_disk_refuses_and_takes_again_when_there_is_room() {
    let disk = MemoryStorage::new(1);
    let dir = open_dir(disk.clone());
    let log = open_log(&dir, "a", LogConfig::default());
    put(&dir, &log, batch_of(1, 0, 0, 5, &["x"])).unwrap();
    let before = length(&disk);
    for left in 0..120 {
        disk.space_left(left);
        let refused = put(&dir, &log, batch_of(1, 0, 1, 5, &["0123456789012345678901234567890123456789"; 2]));
        assert_eq!(refused, Err(AppendError::NoSpace), "{left} bytes left");
        assert_eq!(length(&disk), before, "no part stays");
        assert_eq!((log.ends().log_end, log.offline()), (Offset(1), None));
    }
    assert_eq!(read_all(&log).len(), 1);
    assert!(put(&dir, &log, batch_of(1, 0, 0, 5, &["x"])).unwrap().duplicate, "needs no room");
    disk.unlimited_space();
    let appended = put(&dir, &log, batch_of(1, 0, 1, 5, &["y"])).unwrap();
    assert_eq!(
        (appended.base_offset, appended.duplicate),
        (Offset(1), false),
        "the refused one left no trace"
    );
    let before = read_all(&log);
    drop((dir, log));
    assert_eq!(read_all(&open_log(&open_dir(disk), "a", LogConfig::default())), before);
}

#[test]
fn a_full_disk_refuses_new_logs_and_new_segments_too() {
    let disk = MemoryStorage::new(1);
    let dir = open_dir(disk.clone());
    let small = LogConfig { segment_bytes: 100, ..LogConfig::default() };
    let (log, fresh) = (open_log(&dir, "a", small), open_log(&dir, "b", small));
    put(&dir, &log, batch(5, &["x"])).unwrap();
    disk.space_left(0);
    for _ in 0..2 {
        assert_eq!(
            put(&dir, &log, batch(5, &["0123456789012345678901234567890"])),
            Err(AppendError::NoSpace)
        );
        assert_eq!(put(&dir, &fresh, batch(5, &["x"])), Err(AppendError::NoSpace));
    }
    disk.unlimited_space();
    assert_eq!(put(&dir, &log, batch(5, &["y"])).unwrap().base_offset, Offset(1));
    assert_eq!(put(&dir, &fresh, batch(5, &["y"])).unwrap().base_offset, Offset(0));
}

#[test]
fn a_full_disk_fails_the_rest_of_a_round_too() {
    let disk = MemoryStorage::new(1);
    let dir = open_dir(disk.clone());
    let log = open_log(&dir, "a", LogConfig::default());
    put(&dir, &log, batch(5, &["x"])).unwrap();
    disk.space_left(100);
    let part = |value: &str, sequence| core_log::Append {
        log: Arc::clone(&log),
        batch: batch_of(1, 0, sequence, 5, &[value]),
        place: leader(0),
    };
    let long = "0123456789012345678901234567890";
    // The retry makes two writes of it, and the first has room.
    let appends = vec![part("a", 0), part("a", 0), part(long, 1), part("b", 2)];
    let outcomes = dir.submit_blocking(appends, Ack::Synced).wait();
    assert_eq!(outcomes[0].as_ref().unwrap().base_offset, Offset(1));
    assert!(outcomes[1].as_ref().unwrap().duplicate);
    assert_eq!(outcomes[2..], [Err(AppendError::NoSpace), Err(AppendError::NoSpace)]);
    assert_eq!(log.ends(), LogEnds { log_start: Offset(0), ..LogEnds::empty_at(Offset(2)) });
    disk.unlimited_space();
    assert_eq!(put(&dir, &log, batch_of(1, 0, 1, 5, &["c"])).unwrap().base_offset, Offset(2));
}

/// Three batches of which the first two are below the durable mark; then a bit flips.
fn with_flipped_bit(in_batch: u64) -> (MemoryStorage, u64) {
    let disk = MemoryStorage::new(1);
    let dir = open_dir_without_journal(disk.clone());
    let log = open_log(&dir, "a", LogConfig::default());
    for sequence in 0..3 {
        put(&dir, &log, batch_of(1, 0, sequence, 5, &["0123456789"])).unwrap();
        if sequence == 1 {
            wait(dir.checkpoint()).unwrap();
        }
    }
    let size = length(&disk) / 3;
    disk.flip_bit(Path::new(SEGMENT), (in_batch * size + size - 3) * 8).unwrap();
    (disk, size)
}

#[test]
fn damage_below_the_mark_is_quarantined_and_not_touched() {
    for in_batch in [0, 1] {
        let (disk, size) = with_flipped_bit(in_batch);
        for _ in 0..2 {
            let dir = open_dir(disk.clone());
            let log = open_log(&dir, "a", LogConfig::default());
            let Some(OfflineReason::Corrupt(Corruption { file, position, offset, .. })) =
                log.offline_reason()
            else {
                panic!("{:?}", log.offline_reason());
            };
            assert_eq!(
                (file.as_path(), *position, offset.0),
                (Path::new(SEGMENT), in_batch * size, in_batch as i64)
            );
            assert!(matches!(log.read(Offset(0), limit(100)), Err(ReadError::Offline(_))));
            assert!(matches!(put(&dir, &log, batch(5, &["x"])), Err(AppendError::Offline(_))));
            assert!(wait(dir.close()).is_err(), "or the next one would trust it");
            assert_eq!(length(&disk), 3 * size);
        }
    }
}

#[test]
fn damage_above_the_mark_is_a_torn_tail() {
    let (disk, size) = with_flipped_bit(2);
    let dir = open_dir(disk.clone());
    let log = open_log(&dir, "a", LogConfig::default());
    assert_eq!((log.ends().log_end, log.offline()), (Offset(2), None));
    assert_eq!(length(&disk), 2 * size);
    assert!(put(&dir, &log, batch_of(1, 0, 1, 5, &["0123456789"])).unwrap().duplicate);
    assert_eq!(put(&dir, &log, batch_of(1, 0, 2, 5, &["0123456789"])).unwrap().base_offset, Offset(2));
}

#[test]
fn files_shorter_than_the_mark_or_missing_are_damage() {
    for missing in [false, true] {
        let (disk, size) = with_flipped_bit(2);
        if missing {
            disk.remove_file(Path::new(SEGMENT)).unwrap();
        } else {
            disk.open(Path::new(SEGMENT), Open::Write).unwrap().set_length(size).unwrap();
        }
        let log = open_log(&open_dir(disk), "a", LogConfig::default());
        assert!(
            matches!(log.offline_reason(), Some(OfflineReason::Corrupt(_))),
            "{:?}",
            log.offline_reason()
        );
    }
}

/// Segments of one batch each, closed cleanly.
fn closed_segments(disk: &MemoryStorage) -> (LogConfig, Vec<bytes::Bytes>) {
    let config = LogConfig { segment_bytes: 400, index_interval_bytes: 1, ..LogConfig::default() };
    let dir = open_dir(disk.clone());
    let log = open_log(&dir, "a", config);
    for sequence in 0..20 {
        put(&dir, &log, batch_of(1, 0, sequence, i64::from(sequence), &["0123456789"])).unwrap();
    }
    wait(dir.close()).unwrap();
    (config, read_all(&log))
}

#[test]
fn missing_and_damaged_indexes_are_rebuilt() {
    for damage in ["remove", "zero", "cut", "swap"] {
        let disk = MemoryStorage::new(1);
        let (config, before) = closed_segments(&disk);
        let mut last = None;
        for name in disk.list(Path::new("/logs/a-0")).unwrap() {
            let path = Path::new("/logs/a-0").join(&name);
            if !name.to_str().unwrap().ends_with("index") {
                continue;
            }
            let file = disk.open(&path, Open::Write).unwrap();
            let length = file.length().unwrap();
            match damage {
                "remove" => disk.remove_file(&path).unwrap(),
                "zero" => file.write_at(&[std::io::IoSlice::new(&vec![0; length as usize])], 0).unwrap(),
                "cut" => file.set_length(length.saturating_sub(5)).unwrap(),
                // Entries of another segment's.
                _ => {
                    if let Some(last) = last.replace(path.clone()) {
                        let bytes = core_log::storage::read_whole(&disk, &last, 10_000).unwrap();
                        file.set_length(0).unwrap();
                        file.write_at(&[std::io::IoSlice::new(&bytes)], 0).unwrap();
                    }
                }
            }
        }
        let dir = open_dir(disk);
        let log = open_log(&dir, "a", config);
        assert_eq!(read_all(&log), before, "{damage}");
        for (offset, batch) in before.iter().enumerate() {
            let read = log.read(Offset(offset as i64), limit(1)).unwrap();
            assert_eq!(read.pieces.first(), Some(batch), "{damage}");
            if damage != "swap" {
                let found = log.find_by_timestamp(offset as i64).unwrap().unwrap();
                assert_eq!(found.offset, Offset(offset as i64), "{damage}");
            }
        }
    }
}

#[test]
fn lost_or_damaged_snapshots_and_epochs_are_replayed() {
    for damage in ["remove", "flip"] {
        let disk = MemoryStorage::new(1);
        let (config, _) = closed_segments(&disk);
        for name in disk.list(Path::new("/logs/a-0")).unwrap() {
            let path = Path::new("/logs/a-0").join(&name);
            let name = name.to_str().unwrap();
            if name.ends_with(".snapshot") || name == "leader-epoch-checkpoint" {
                match damage {
                    "remove" => disk.remove_file(&path).unwrap(),
                    _ => disk.flip_bit(&path, 6).unwrap(),
                }
            }
        }
        let dir = open_dir(disk);
        let log = open_log(&dir, "a", config);
        assert_eq!(log.latest_epoch(), Some(protocol::LeaderEpoch(0)), "{damage}");
        assert!(put(&dir, &log, batch_of(1, 0, 16, 16, &["0123456789"])).unwrap().duplicate, "{damage}");
        assert_eq!(put(&dir, &log, batch_of(1, 0, 20, 20, &["0123456789"])).unwrap().base_offset, Offset(20));
    }
}

#[test]
fn an_unreadable_checkpoint_refuses_the_directory() {
    let disk = MemoryStorage::new(1);
    closed_segments(&disk);
    disk.flip_bit(Path::new("/logs/recovery-point-offset-checkpoint"), 6).unwrap();
    let opened = core_log::LogDir::open(Arc::new(disk), TestClock::at(0), Path::new(ROOT), settings());
    assert!(matches!(opened, Err(core_log::OpenError::BadFile { .. })));
}

#[test]
fn unreadable_sectors_are_an_error_of_the_read_alone() {
    let disk = MemoryStorage::new(1);
    let config = LogConfig::default();
    let dir = open_dir_with(
        disk.clone(),
        TestClock::at(0),
        core_log::LogDirSettings { recent_bytes_max: 0, ..settings() },
    );
    let log = open_log(&dir, "a", config);
    put(&dir, &log, batch(5, &["x"])).unwrap();
    put(&dir, &log, batch(5, &["y"])).unwrap();
    disk.fail_reads(SEGMENT, 0..10);
    assert!(log.read_recent(Offset(0), limit(100)).is_none());
    assert!(matches!(log.read(Offset(0), limit(100)), Err(ReadError::Io(_))));
    assert_eq!(log.offline(), None);
    put(&dir, &log, batch(5, &["z"])).unwrap();
}

#[test]
fn a_new_log_does_not_inherit_the_mark_of_a_removed_one() {
    let disk = MemoryStorage::new(1);
    disk.create_dir(Path::new(ROOT)).unwrap();
    // A removal cut short after the directory was set aside.
    let mark = Path::new("/logs/recovery-point-offset-checkpoint");
    core_log::storage::replace_file(&disk, mark, b"0\n1\na 0 500\n").unwrap();
    let dir = open_dir(disk.clone());
    put(&dir, &open_log(&dir, "a", LogConfig::default()), batch(5, &["x"])).unwrap();
    drop(dir);
    let log = open_log(&open_dir(disk), "a", LogConfig::default());
    assert_eq!((log.offline(), log.ends().log_end), (None, Offset(1)));
}

#[test]
fn a_deleted_segment_that_comes_back_is_not_taken_for_one_before_a_hole() {
    let disk = MemoryStorage::new(1);
    let config = LogConfig { segment_bytes: 200, ..LogConfig::default() };
    let dir = open_dir(disk.clone());
    let log = open_log(&dir, "a", config);
    for _ in 0..12 {
        put(&dir, &log, batch(5, &["0123456789"])).unwrap();
    }
    let first = core_log::storage::read_whole(&disk, Path::new(SEGMENT), 10_000).unwrap();
    wait(log.advance_start(Offset(9))).unwrap();
    let before = read_all(&log);
    drop((dir, log));
    // The rename of the first segment was lost, those of the next ones were not.
    core_log::storage::replace_file(&disk, Path::new(SEGMENT), &first).unwrap();
    let log = open_log(&open_dir(disk), "a", config);
    assert_eq!((log.offline(), log.ends().log_start, log.ends().log_end), (None, Offset(9), Offset(12)));
    assert_eq!(read_all(&log), before);
}

#[test]
fn a_replicas_first_batch_may_come_again_after_the_disk_was_full() {
    let disk = MemoryStorage::new(1);
    let dir = open_dir(disk.clone());
    let log = open_log(&dir, "a", replica());
    let first = || append(&dir, &log, replica_batch(100, 1, &["x"]), core_log::Place::AsGiven, Ack::Synced);
    // Room for the directory's metadata, not for the batch.
    disk.space_left(80);
    assert_eq!(first(), Err(AppendError::NoSpace));
    disk.unlimited_space();
    assert_eq!(first().unwrap().base_offset, Offset(100));
    assert_eq!((log.ends().log_start, log.ends().log_end), (Offset(100), Offset(101)));
    assert_eq!(read_all(&log).len(), 1);
}
