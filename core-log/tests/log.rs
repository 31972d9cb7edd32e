//! A log in memory, one behaviour at a time.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may panic, also outside of its function"
)]

mod support;

use std::sync::Arc;

use core_log::{
    Ack, Append, AppendError, LogConfig, LogEnds, ReadError, ReadLimit, Storage, Waiter,
    storage::MemoryStorage,
};
use protocol::{LeaderEpoch, Offset, batch::TimestampType};
use support::*;

fn small_segments() -> LogConfig {
    LogConfig { segment_bytes: 300, index_interval_bytes: 100, ..LogConfig::default() }
}

#[test]
fn appended_batches_get_consecutive_offsets_and_are_read_back() {
    let dir = open_dir(MemoryStorage::new(1));
    let log = open_log(&dir, "a", LogConfig::default());
    assert_eq!(log.ends(), LogEnds::empty_at(Offset(0)));
    let first = put(&dir, &log, batch(5, &["x", "y"])).unwrap();
    assert_eq!((first.base_offset, first.last_offset, first.append_time_ms), (Offset(0), Offset(1), -1));
    let second = put(&dir, &log, batch(5, &["z"])).unwrap();
    assert_eq!((second.base_offset, second.last_offset, second.duplicate), (Offset(2), Offset(2), false));
    let ends = log.ends();
    assert_eq!((ends.durable_end, ends.high_watermark, ends.log_end), (Offset(3), Offset(3), Offset(3)));
    let all = read_all(&log);
    assert_eq!(all.iter().map(|batch| header(batch).base_offset.0).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(header(&all[1]).leader_epoch, LeaderEpoch(0));
    let recent = log.read_recent(Offset(1), limit(1 << 20)).unwrap().unwrap();
    assert_eq!(recent.pieces, all);
    assert_eq!(recent.next_offset, Offset(3));
}

#[test]
fn a_closed_directory_opens_without_losing_anything() {
    let disk = MemoryStorage::new(1);
    let config = small_segments();
    let before = {
        let dir = open_dir(disk.clone());
        let log = open_log(&dir, "a", config);
        for i in 0..20 {
            put(&dir, &log, batch(i, &["value", "other"])).unwrap();
        }
        wait(dir.close()).unwrap();
        assert_eq!(put(&dir, &log, batch(0, &["late"])), Err(AppendError::Closed));
        read_all(&log)
    };
    let dir = open_dir(disk);
    let log = open_log(&dir, "a", config);
    assert_eq!(log.ends(), LogEnds { log_start: Offset(0), ..LogEnds::empty_at(Offset(40)) });
    assert_eq!(read_all(&log), before);
    assert_eq!(put(&dir, &log, batch(0, &["more"])).unwrap().base_offset, Offset(40));
}

#[test]
fn a_dropped_directory_is_recovered_by_scanning() {
    let disk = MemoryStorage::new(1);
    let before = {
        let dir = open_dir(disk.clone());
        let log = open_log(&dir, "a", small_segments());
        for i in 0..20 {
            put(&dir, &log, batch(i, &["value", "other"])).unwrap();
        }
        read_all(&log)
    };
    let dir = open_dir(disk);
    let log = open_log(&dir, "a", small_segments());
    assert_eq!(log.ends().high_watermark, Offset(40));
    assert_eq!(read_all(&log), before);
    assert_eq!(log.latest_epoch(), Some(LeaderEpoch(0)));
}

#[test]
fn appends_of_one_submit_go_to_several_logs_and_are_answered_in_order() {
    let dir = open_dir(MemoryStorage::new(1));
    let (a, b) = (open_log(&dir, "a", LogConfig::default()), open_log(&dir, "b", LogConfig::default()));
    let part = |log: &Arc<_>, batch, place| Append { log: Arc::clone(log), batch, place };
    let appends = vec![
        part(&a, batch(1, &["1"]), leader(3)),
        part(&b, batch(1, &["2", "3"]), leader(1)),
        part(&a, batch(1, &["4"]), leader(2)),
        part(&a, batch(1, &["5"]), leader(3)),
    ];
    let outcomes = dir.submit_blocking(appends, Ack::Synced).wait();
    let offsets: Vec<_> =
        outcomes.iter().map(|outcome| outcome.as_ref().map(|appended| appended.base_offset.0)).collect();
    let lower = AppendError::LowerLeaderEpoch { epoch: LeaderEpoch(2), latest: LeaderEpoch(3) };
    assert_eq!(offsets, [Ok(0), Ok(0), Err(&lower), Ok(1)]);
    assert_eq!(a.epoch_end(LeaderEpoch(3)), Some((LeaderEpoch(3), Offset(2))));
}

#[test]
fn a_batch_sent_again_is_a_duplicate_also_within_a_round() {
    let disk = MemoryStorage::new(1);
    let dir = open_dir(disk.clone());
    let log = open_log(&dir, "a", LogConfig::default());
    let send = |sequence| Append {
        log: Arc::clone(&log),
        batch: batch_of(9, 0, sequence, 5, &["v"]),
        place: leader(0),
    };
    let outcomes =
        dir.submit_blocking(vec![send(0), send(1), send(0), send(3), send(2), send(1)], Ack::Synced).wait();
    let summary: Vec<_> = outcomes
        .iter()
        .map(|outcome| outcome.as_ref().map(|appended| (appended.base_offset.0, appended.duplicate)).ok())
        .collect();
    let expected =
        [Some((0, false)), Some((1, false)), Some((0, true)), None, Some((2, false)), Some((1, true))];
    assert_eq!(summary, expected);
    assert!(matches!(outcomes[3], Err(AppendError::OutOfOrderSequence { .. })));
    assert!(matches!(
        put(&dir, &log, batch_of(9, -1, 0, 5, &["v"])),
        Err(AppendError::StaleProducerEpoch { .. })
    ));
    drop((dir, log));
    let dir = open_dir(disk);
    let log = open_log(&dir, "a", LogConfig::default());
    let again = put(&dir, &log, batch_of(9, 0, 2, 5, &["v"])).unwrap();
    assert!(again.duplicate && again.base_offset == Offset(2), "{again:?}");
}

#[test]
fn a_replica_keeps_offsets_and_epochs_and_never_goes_back() {
    let disk = MemoryStorage::new(1);
    let dir = open_dir(disk.clone());
    let log = open_log(&dir, "a", replica());
    let given = |base, epoch| {
        append(&dir, &log, replica_batch(base, epoch, &["a", "b"]), core_log::Place::AsGiven, Ack::Synced)
    };
    assert_eq!(given(100, 4).unwrap().base_offset, Offset(100));
    assert_eq!(log.ends().log_start, Offset(100), "an empty log starts where its first batch says");
    assert_eq!(given(110, 4).unwrap().last_offset, Offset(111));
    let back = given(111, 4);
    assert_eq!(back, Err(AppendError::NotAfterEnd { base_offset: Offset(111), log_end: Offset(112) }));
    assert!(matches!(given(112, 3), Err(AppendError::LowerLeaderEpoch { .. })));
    let in_gap = log.read(Offset(105), limit(1 << 20)).unwrap();
    assert_eq!(header(&in_gap.pieces[0]).base_offset, Offset(110));
    assert_eq!(log.read_recent(Offset(105), limit(1 << 20)).unwrap().unwrap().bytes, in_gap.bytes);
    given(112 + (1 << 31), 5).unwrap();
    drop((dir, log));
    let log = open_log(&open_dir(disk), "a", LogConfig::default());
    assert_eq!((log.ends().log_start, log.ends().log_end), (Offset(100), Offset(114 + (1 << 31))));
    assert_eq!(read_all(&log).len(), 3);
}

#[test]
fn append_time_is_stamped_and_answered() {
    let dir = open_dir(MemoryStorage::new(1));
    let log = open_log(&dir, "a", LogConfig { append_time: true, ..LogConfig::default() });
    assert_eq!(put(&dir, &log, batch_of(1, 0, 0, 5, &["x"])).unwrap().append_time_ms, 1_000_000);
    let stored = header(&read_all(&log)[0]);
    assert_eq!(
        (stored.max_timestamp, stored.attributes.timestamp_type()),
        (1_000_000, TimestampType::LogAppendTime)
    );
    assert_eq!(
        put(&dir, &log, batch_of(1, 0, 0, 5, &["x"])).unwrap().append_time_ms,
        1_000_000,
        "a duplicate's"
    );
    assert_eq!(log.find_by_timestamp(6).unwrap().unwrap().timestamp, 1_000_000);
}

#[test]
fn write_caching_shows_what_is_written_and_syncs_at_the_checkpoint() {
    let disk = MemoryStorage::new(1);
    let dir = open_dir(disk.clone());
    let log = open_log(&dir, "a", LogConfig { sync: false, ..LogConfig::default() });
    put(&dir, &log, batch(5, &["x"])).unwrap();
    let ends = log.ends();
    assert_eq!((ends.durable_end, ends.high_watermark), (Offset(0), Offset(1)));
    wait(dir.checkpoint()).unwrap();
    assert_eq!(log.ends().durable_end, Offset(1));
}

#[test]
fn reads_outside_the_log_say_where_it_is() {
    let dir = open_dir(MemoryStorage::new(1));
    let log = open_log(&dir, "a", small_segments());
    for _ in 0..10 {
        put(&dir, &log, batch(5, &["0123456789", "0123456789"])).unwrap();
    }
    assert_eq!(wait(log.advance_start(Offset(7))).unwrap(), Offset(7));
    for from in [Offset(6), Offset(21)] {
        let expected = (Offset(7), Offset(20));
        match (log.read(from, limit(100)), log.read_recent(from, limit(100))) {
            (
                Err(ReadError::OutOfRange { log_start, log_end }),
                Some(Err(ReadError::OutOfRange { log_start: recent_start, log_end: recent_end })),
            ) => assert_eq!(((log_start, log_end), (recent_start, recent_end)), (expected, expected)),
            other => panic!("{other:?}"),
        }
    }
    let at_end = log.read(Offset(20), limit(100)).unwrap();
    assert!(at_end.is_empty() && at_end.next_offset == Offset(20));
    let none = ReadLimit { max_bytes: 10, until: Offset(20), at_least_one: false };
    assert!(log.read(Offset(8), none).unwrap().is_empty());
    assert_eq!(
        header(&log.read(Offset(7), limit(1)).unwrap().pieces[0]).base_offset,
        Offset(6),
        "the batch that holds it"
    );
    assert_eq!(wait(log.advance_start(Offset(3))).unwrap(), Offset(7), "never back");
    assert!(wait(log.advance_start(Offset(21))).is_err());
}

#[test]
fn truncation_takes_whole_batches_and_the_state_that_came_with_them() {
    let disk = MemoryStorage::new(1);
    let dir = open_dir(disk.clone());
    let log = open_log(&dir, "a", small_segments());
    for sequence in 0..10 {
        let batch = batch_of(1, 0, sequence * 2, 5, &["0123456789", "0123456789"]);
        append(&dir, &log, batch, leader(sequence), Ack::Synced).unwrap();
    }
    wait(dir.checkpoint()).unwrap();
    assert_eq!(wait(log.truncate_to(Offset(9))).unwrap(), Offset(8));
    assert_eq!((log.ends().high_watermark, log.ends().log_end), (Offset(8), Offset(8)));
    assert_eq!(log.latest_epoch(), Some(LeaderEpoch(3)));
    assert_eq!(read_all(&log).len(), 4);
    assert!(put(&dir, &log, batch_of(1, 0, 12, 5, &["x", "x"])).is_err(), "sequence 8 is next again");
    let again = batch_of(1, 0, 8, 5, &["other", "other"]);
    assert_eq!(append(&dir, &log, again, leader(4), Ack::Synced).unwrap().base_offset, Offset(8));
    let before = read_all(&log);
    drop((dir, log));
    let log = open_log(&open_dir(disk), "a", small_segments());
    assert!(log.offline().is_none(), "{:?}", log.offline());
    assert_eq!(read_all(&log), before);
}

#[test]
fn a_removed_log_is_gone_and_its_name_starts_anew() {
    let disk = MemoryStorage::new(1);
    let dir = open_dir(disk.clone());
    let log = open_log(&dir, "a", LogConfig::default());
    put(&dir, &log, batch(5, &["x"])).unwrap();
    wait(dir.checkpoint()).unwrap();
    assert_eq!(dir.names().unwrap(), [(id("a"), Some(topic_id(7)))]);
    wait(dir.remove(&log)).unwrap();
    assert!(matches!(log.read(Offset(0), limit(10)), Err(ReadError::Offline(_))));
    assert_eq!(dir.names().unwrap(), []);
    let anew = open_log(&dir, "a", LogConfig::default());
    assert_eq!(anew.ends().log_end, Offset(0));
    put(&dir, &anew, batch(5, &["y"])).unwrap();
    drop((dir, log, anew));
    assert_eq!(open_log(&open_dir(disk), "a", LogConfig::default()).ends().log_end, Offset(1));
}

#[test]
fn a_directory_of_another_topic_is_set_aside() {
    let disk = MemoryStorage::new(1);
    let dir = open_dir(disk.clone());
    put(&dir, &open_log(&dir, "a", LogConfig::default()), batch(5, &["x"])).unwrap();
    let other = dir.log(&id("a"), topic_id(8), LogConfig::default()).unwrap();
    assert_eq!(other.ends().log_end, Offset(0), "while the old one was open");
    put(&dir, &other, batch(5, &["x", "y"])).unwrap();
    wait(dir.close()).unwrap();
    drop((dir, other));
    let dir = open_dir(disk);
    let third = dir.log(&id("a"), topic_id(9), LogConfig::default()).unwrap();
    assert_eq!((third.ends().log_end, third.offline()), (Offset(0), None), "and after a restart");
}

#[test]
fn watchers_hear_of_appends_and_of_the_end() {
    let dir = open_dir(MemoryStorage::new(1));
    let (a, b) = (open_log(&dir, "a", LogConfig::default()), open_log(&dir, "b", LogConfig::default()));
    let waiter = Waiter::new();
    let _watches = (a.watch(&waiter), b.watch(&waiter));
    put(&dir, &b, batch(5, &["x"])).unwrap();
    wait(waiter.woken());
    wait(dir.remove(&a)).unwrap();
    wait(waiter.woken());
}

#[test]
fn retention_deletes_expired_segments_and_moves_the_log_start() {
    let disk = MemoryStorage::new(1);
    let clock = TestClock::at(10_000);
    let dir = open_dir_with(disk.clone(), Arc::clone(&clock), settings());
    let log = open_log(&dir, "a", LogConfig { retention_ms: 1000, ..small_segments() });
    for i in 0..10 {
        put(&dir, &log, batch(9_000 + i * 100, &["0123456789", "0123456789"])).unwrap();
    }
    assert_eq!(wait(dir.clean()).segments_deleted, 0);
    clock.advance(500);
    let report = wait(dir.clean());
    assert!(report.segments_deleted > 0 && report.failures == 0, "{report:?}");
    let start = log.ends().log_start;
    assert!(start > Offset(0) && start < Offset(12), "{start}");
    clock.advance(10_000);
    wait(dir.clean());
    assert_eq!(
        (log.ends().log_start, log.size_bytes()),
        (Offset(20), 0),
        "all of it, the active segment too"
    );
    assert_eq!(put(&dir, &log, batch(30_000, &["x"])).unwrap().base_offset, Offset(20));
    drop((dir, log));
    let log = open_log(&open_dir(disk), "a", small_segments());
    assert_eq!((log.ends().log_start, log.ends().log_end), (Offset(20), Offset(21)));
}

#[test]
fn a_record_is_found_by_its_timestamp_also_out_of_order() {
    let disk = MemoryStorage::new(1);
    let dir = open_dir(disk.clone());
    let log = open_log(&dir, "a", small_segments());
    let times = [50, 10, 40, 90, 20, 30, 90, 60, 5, 100, 70, 80];
    for time in times {
        put(&dir, &log, batch(time, &["0123456789012345678901234567890123456789"])).unwrap();
    }
    let check = |log: &core_log::Log| {
        for target in 0..=101 {
            let expected = times.iter().position(|time| *time >= target);
            let found = log.find_by_timestamp(target).unwrap().map(|found| found.offset.0 as usize);
            assert_eq!(found, expected, "{target}");
        }
        let largest = log.max_timestamp().unwrap().unwrap();
        assert_eq!((largest.timestamp, largest.offset), (100, Offset(9)));
    };
    check(&log);
    wait(log.advance_start(Offset(4))).unwrap();
    assert_eq!(log.find_by_timestamp(90).unwrap().unwrap().offset, Offset(6));
    wait(dir.close()).unwrap();
    drop((dir, log));
    let log = open_log(&open_dir(disk), "a", small_segments());
    assert_eq!(log.find_by_timestamp(65).unwrap().unwrap().offset, Offset(6));
    wait(async { log.max_timestamp().unwrap().unwrap() });
}

#[test]
fn truncation_of_the_batch_that_holds_the_log_start_leaves_an_empty_log_there() {
    for sync in [true, false] {
        let disk = MemoryStorage::new(1);
        let config = LogConfig { sync, ..LogConfig::default() };
        let dir = open_dir(disk.clone());
        let log = open_log(&dir, "a", config);
        put(&dir, &log, batch(5, &["x", "y"])).unwrap();
        wait(log.advance_start(Offset(1))).unwrap();
        assert_eq!(wait(log.truncate_to(Offset(1))).unwrap(), Offset(1));
        assert_eq!(log.ends(), LogEnds::empty_at(Offset(1)));
        wait(dir.close()).unwrap();
        drop((dir, log));
        let dir = open_dir(disk);
        let log = open_log(&dir, "a", config);
        assert_eq!((log.ends(), log.offline()), (LogEnds::empty_at(Offset(1)), None));
        assert_eq!(put(&dir, &log, batch(5, &["z"])).unwrap().base_offset, Offset(1));
    }
}

#[test]
fn an_idle_log_gives_its_index_back_and_goes_on_where_it_was() {
    let disk = MemoryStorage::new(1);
    let dir = open_dir(disk.clone());
    let log = open_log(&dir, "a", LogConfig { index_interval_bytes: 1, ..LogConfig::default() });
    for i in 0..100 {
        put(&dir, &log, batch(i, &["x"])).unwrap();
    }
    let index = std::path::Path::new("/logs/a-0/00000000000000000000.index");
    wait(dir.checkpoint()).unwrap();
    assert!(!disk.exists(index).unwrap(), "busy until now");
    wait(dir.checkpoint()).unwrap();
    assert!(disk.exists(index).unwrap(), "idle since the last checkpoint");
    let check = |batches: i64| {
        for offset in 0..batches {
            assert_eq!(
                header(&log.read(Offset(offset), limit(1)).unwrap().pieces[0]).base_offset,
                Offset(offset)
            );
            assert_eq!(log.find_by_timestamp(offset).unwrap().unwrap().offset, Offset(offset));
        }
    };
    check(100);
    for i in 100..120 {
        put(&dir, &log, batch(i, &["x"])).unwrap();
    }
    check(120);
    let before = read_all(&log);
    drop((dir, log));
    assert_eq!(read_all(&open_log(&open_dir(disk), "a", LogConfig::default())), before);
}

#[test]
fn truncation_never_leaves_the_log_end_in_a_gap() {
    for (offset, end) in
        [(100, 100), (101, 100), (102, 102), (105, 102), (110, 102), (111, 102), (112, 112), (500, 112)]
    {
        let disk = MemoryStorage::new(1);
        let config = LogConfig { index_interval_bytes: 1, ..replica() };
        let dir = open_dir(disk.clone());
        let log = open_log(&dir, "a", config);
        for base in [100, 110, 112 + (1 << 30)] {
            append(&dir, &log, replica_batch(base, 1, &["a", "b"]), core_log::Place::AsGiven, Ack::Synced)
                .unwrap();
        }
        wait(dir.checkpoint()).unwrap();
        assert_eq!(wait(log.truncate_to(Offset(offset))).unwrap(), Offset(end), "{offset}");
        wait(dir.checkpoint()).unwrap();
        drop((dir, log));
        let log = open_log(&open_dir(disk), "a", config);
        assert_eq!((log.offline(), log.ends().log_end), (None, Offset(end)), "{offset}");
    }
}
