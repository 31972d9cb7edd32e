//! A log changes hands: who may append, what is forgotten, where a copy begins.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may panic, also outside of its function"
)]

mod support;

use std::{path::Path, sync::Arc};

use bytes::BytesMut;
use core_log::{
    Ack, Append, AppendError, ChangeError, Intake, Log, LogConfig, LogDir, LogEnds, Place, Storage,
    storage::{MemoryStorage, Open},
};
use proptest::prelude::*;
use protocol::{
    LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence,
    batch::{BatchBuilder, TimestampType},
};
use support::*;

const DIR: &str = "/logs/a-0";

fn small() -> LogConfig {
    LogConfig { segment_bytes: 300, ..LogConfig::default() }
}

fn relayed(epoch: i32) -> Place {
    Place::Relayed { leader_epoch: LeaderEpoch(epoch) }
}

fn submit(dir: &LogDir, log: &Arc<Log>, batch: BytesMut, place: Place) -> core_log::Ticket {
    dir.submit_blocking(vec![Append { log: Arc::clone(log), batch, place }], Ack::Written)
}

#[test]
fn a_log_takes_batches_only_for_the_places_of_its_intake() {
    let dir = open_dir(MemoryStorage::new(1));
    let log = open_log(&dir, "a", LogConfig::default());
    let mut end = 0;
    for (intake, takes) in [
        (Intake::Writers, [true, true, false]),
        (Intake::Replica, [false, false, true]),
        (Intake::Closed, [false, false, false]),
        (Intake::Writers, [true, true, false]),
    ] {
        let ends = wait(log.set_intake(intake)).unwrap();
        assert_eq!((ends.log_end.0, log.intake(), log.config().intake), (end, intake, intake));
        for (place, taken) in [leader(3), relayed(3), Place::AsGiven].into_iter().zip(takes) {
            let outcome = append(&dir, &log, replica_batch(end, 3, &["x"]), place, Ack::Synced);
            if taken {
                assert_eq!(outcome.unwrap().base_offset, Offset(end));
                end += 1;
            } else {
                assert_eq!(outcome, Err(AppendError::NotTaken { intake }), "{intake:?} {place:?}");
            }
        }
    }
    assert_eq!(log.ends().log_end.0, end);
}

#[test]
fn only_set_intake_changes_the_intake_of_an_open_log() {
    let disk = MemoryStorage::new(1);
    let dir = open_dir(disk.clone());
    let log = open_log(&dir, "a", replica());
    log.configure(LogConfig { retention_ms: 7, ..LogConfig::default() });
    assert_eq!((log.intake(), log.config().retention_ms), (Intake::Replica, 7));
    assert_eq!(open_log(&dir, "a", LogConfig::default()).intake(), Intake::Replica);
    wait(dir.close()).unwrap();
    assert!(matches!(wait(log.set_intake(Intake::Closed)), Err(ChangeError::Closed)));
    drop((dir, log));
    let log = open_log(&open_dir(disk), "a", LogConfig::default());
    assert_eq!(log.intake(), Intake::Writers, "it is not stored: whoever opens the log says");
}

#[test]
fn what_was_queued_before_the_switch_is_durable_when_it_returns() {
    for sync in [true, false] {
        let disk = MemoryStorage::new(1);
        let dir = open_dir(disk.clone());
        let log = open_log(&dir, "a", LogConfig { sync, ..small() });
        let before: Vec<_> = (0..50).map(|_| submit(&dir, &log, batch(5, &["x"]), leader(0))).collect();
        let ends = wait(log.set_intake(Intake::Closed)).unwrap();
        let after: Vec<_> = (0..50).map(|_| submit(&dir, &log, batch(5, &["late"]), leader(0))).collect();
        assert_eq!(ends, LogEnds { log_start: Offset(0), ..LogEnds::empty_at(Offset(50)) });
        assert!(before.into_iter().all(|ticket| ticket.wait()[0].is_ok()));
        let refused = AppendError::NotTaken { intake: Intake::Closed };
        assert!(after.into_iter().all(|ticket| ticket.wait()[0] == Err(refused.clone())));
        let survived = open_log(&open_dir(disk.cut_power(3)), "a", small());
        assert_eq!(survived.ends().log_end, Offset(50), "sync: {sync}");
    }
}

#[test]
fn a_switch_whose_sync_fails_leaves_the_log_offline() {
    let disk = MemoryStorage::new(1);
    let dir = open_dir(disk.clone());
    let log = open_log(&dir, "a", LogConfig { sync: false, ..LogConfig::default() });
    append(&dir, &log, batch(5, &["x"]), leader(0), Ack::Written).unwrap();
    disk.fail_sync(&format!("{DIR}/00000000000000000000.log"), 1);
    assert!(matches!(wait(log.set_intake(Intake::Replica)), Err(ChangeError::Offline(_))));
    let late = append(&dir, &log, batch(5, &["y"]), leader(0), Ack::Written);
    assert!(matches!(late, Err(AppendError::Offline(_))), "{late:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// Several writers submit without waiting while the log is switched to and fro.
    #[test]
    fn no_append_of_writers_enters_while_the_log_is_not_theirs(
        switches in prop::collection::vec(prop_oneof![Just(Intake::Writers), Just(Intake::Replica), Just(Intake::Closed)], 1..8),
        batches in 10usize..60,
    ) {
        let dir = open_dir(MemoryStorage::new(1));
        let log = open_log(&dir, "a", LogConfig::default());
        // From, to: nothing of writers may stand there.
        let mut shut: Vec<(i64, i64)> = Vec::new();
        let outcomes = std::thread::scope(|scope| {
            let write = |place: Place| {
                let (dir, log) = (&dir, &log);
                scope.spawn(move || {
                    let tickets: Vec<_> = (0..batches).map(|_| submit(dir, log, batch(5, &["w"]), place)).collect();
                    tickets.into_iter().map(|ticket| ticket.wait().remove(0)).collect::<Vec<_>>()
                })
            };
            let writers = [write(leader(0)), write(relayed(0)), write(leader(0))];
            let mut shut_from: Option<i64> = None;
            for intake in &switches {
                let ends = wait(log.set_intake(*intake)).unwrap();
                assert_eq!(ends.durable_end, ends.log_end);
                if let Some(from) = shut_from.take() {
                    shut.push((from, ends.log_end.0));
                }
                if *intake != Intake::Writers {
                    shut_from = Some(ends.log_end.0);
                }
                if *intake == Intake::Replica {
                    let base = log.ends().log_end.0;
                    append(&dir, &log, replica_batch(base, 0, &["r"]), Place::AsGiven, Ack::Synced).unwrap();
                }
            }
            writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect::<Vec<_>>()
        });
        let end = log.ends().log_end.0;
        let last = *switches.last().unwrap();
        let mut taken = 0;
        for outcome in outcomes {
            match outcome {
                Ok(appended) => {
                    taken += 1;
                    let at = appended.base_offset.0;
                    prop_assert!(shut.iter().all(|(from, to)| at < *from || at >= *to), "{at} in {shut:?}");
                }
                Err(error) => prop_assert!(matches!(error, AppendError::NotTaken { .. }), "{error}"),
            }
        }
        let replicated = switches.iter().filter(|intake| **intake == Intake::Replica).count();
        prop_assert_eq!(end, (taken + replicated) as i64, "nothing beside what was answered; last: {:?}", last);
    }
}

#[test]
fn a_relayed_batch_is_taken_whatever_its_producer_and_time_say() {
    let disk = MemoryStorage::new(1);
    let dir = open_dir(disk.clone());
    let config = LogConfig { append_time: true, segment_bytes: 150, ..LogConfig::default() };
    let log = open_log(&dir, "a", config);
    let place = |batch, place| append(&dir, &log, batch, place, Ack::Synced);
    for (base, sequence) in [(0, 7), (1, 7), (2, 3), (3, 100)] {
        let appended = place(batch_of(9, 0, sequence, 5, &["v"]), relayed(2)).unwrap();
        assert_eq!((appended.base_offset.0, appended.duplicate, appended.append_time_ms), (base, false, -1));
    }
    let large = "0123456789".repeat(30);
    place(batch(5, &[&large]), relayed(2)).unwrap();
    assert!(matches!(place(batch(5, &["v"]), relayed(1)), Err(AppendError::LowerLeaderEpoch { .. })));
    let all = read_all(&log);
    assert!(all.iter().all(|batch| header(batch).leader_epoch == LeaderEpoch(2)));
    assert!(all.iter().all(|batch| header(batch).attributes.timestamp_type() == TimestampType::CreateTime));
    let again = place(batch_of(9, 0, 100, 5, &["v"]), leader(2)).unwrap();
    assert!(again.duplicate && again.base_offset == Offset(3), "writers are checked against it: {again:?}");
}

#[test]
fn a_copy_takes_gaps_epochs_and_sequences_as_they_come() {
    let disk = MemoryStorage::new(1);
    let dir = open_dir(disk.clone());
    let log = open_log(&dir, "a", replica());
    let given = |base: i64, epoch, producer_epoch, sequence| {
        let builder = BatchBuilder::new()
            .base_offset(Offset(base))
            .leader_epoch(LeaderEpoch(epoch))
            .producer(ProducerId(5), ProducerEpoch(producer_epoch), Sequence(sequence));
        let batch = builder.record(5, None, Some(b"v"), &[]).build().unwrap();
        append(&dir, &log, batch, Place::AsGiven, Ack::Synced).map(|appended| appended.base_offset.0)
    };
    assert_eq!(given(10, 0, 3, 900), Ok(10), "the first of its producer, somewhere in its sequence");
    assert_eq!(given(11, 0, 3, 900), Ok(11), "again");
    assert_eq!(given(40, 7, 3, 2), Ok(40), "back, after a gap, in a later epoch of the leader");
    assert_eq!(given(41, 7, 1, 0), Ok(41), "in an older epoch of the producer");
    // A control record of no known form.
    let odd = BatchBuilder::new().base_offset(Offset(42)).leader_epoch(LeaderEpoch(7));
    let odd = odd.producer(ProducerId(5), ProducerEpoch(1), Sequence::NONE).control();
    let odd = odd.transactional().record(5, Some(b"?"), None, &[]).build().unwrap();
    append(&dir, &log, odd, Place::AsGiven, Ack::Synced).unwrap();
    let before = (log.ends(), read_all(&log));
    drop((dir, log));
    let log = open_log(&open_dir(disk), "a", replica());
    assert_eq!((log.ends(), read_all(&log)), before);
    assert_eq!(log.epoch_end(LeaderEpoch(0)), Some((LeaderEpoch(0), Offset(40))));
}

#[test]
fn retention_leaves_logs_alone_that_are_not_the_writers() {
    let clock = TestClock::at(1_000_000);
    let dir = open_dir_with(MemoryStorage::new(1), Arc::clone(&clock), settings());
    let log = open_log(&dir, "a", LogConfig { retention_ms: 10, retention_bytes: 0, ..small() });
    for _ in 0..10 {
        put(&dir, &log, batch(5, &["value"])).unwrap();
    }
    for intake in [Intake::Replica, Intake::Closed] {
        wait(log.set_intake(intake)).unwrap();
        assert_eq!(wait(dir.clean()).segments_deleted, 0, "{intake:?}");
        assert_eq!(log.ends().log_start, Offset(0));
    }
    wait(log.set_intake(Intake::Writers)).unwrap();
    assert!(wait(dir.clean()).segments_deleted > 0);
    assert_eq!(log.ends().log_start, Offset(10));
}

mod start {
    use super::*;

    #[derive(Clone, Copy, Debug)]
    enum Past {
        New,
        /// Everything that it held was deleted.
        Emptied,
        EmptiedByRetention,
    }

    fn log_with(disk: &MemoryStorage, past: Past) -> Option<(Arc<LogDir>, Arc<Log>)> {
        let clock = TestClock::at(1_000_000);
        let storage = Arc::new(disk.clone());
        let dir = LogDir::open(storage, clock, Path::new(ROOT), settings()).ok()?;
        let log = dir.log(&id("a"), topic_id(7), LogConfig { retention_ms: 10, ..small() }).ok()?;
        if !matches!(past, Past::New) {
            for _ in 0..6 {
                put(&dir, &log, batch_of(4, 0, log.ends().log_end.0 as i32, 5, &["value"])).ok()?;
            }
        }
        match past {
            Past::New => {}
            Past::Emptied => drop(wait(log.advance_start(Offset(6))).ok()?),
            Past::EmptiedByRetention => drop(wait(dir.clean())),
        }
        Some((dir, log))
    }

    const PASTS: [Past; 3] = [Past::New, Past::Emptied, Past::EmptiedByRetention];

    #[test]
    fn an_empty_log_begins_where_it_is_told_and_goes_on_there() {
        for past in PASTS {
            for reopen in ["not", "killed", "clean"] {
                let disk = MemoryStorage::new(1);
                let (mut dir, mut log) = log_with(&disk, past).unwrap();
                assert_eq!(wait(log.start_at(Offset(1000))).unwrap(), LogEnds::empty_at(Offset(1000)));
                assert_eq!(
                    wait(log.start_at(Offset(1000))).unwrap(),
                    LogEnds::empty_at(Offset(1000)),
                    "again"
                );
                if reopen != "not" {
                    if reopen == "clean" {
                        wait(dir.close()).unwrap();
                    }
                    drop((log, dir));
                    dir = open_dir(disk.clone());
                    log = open_log(&dir, "a", replica());
                }
                assert_eq!(log.ends(), LogEnds::empty_at(Offset(1000)), "{past:?} {reopen}");
                wait(log.set_intake(Intake::Replica)).unwrap();
                append(&dir, &log, replica_batch(1005, 4, &["x"]), Place::AsGiven, Ack::Synced).unwrap();
                let ends = LogEnds { log_start: Offset(1000), ..LogEnds::empty_at(Offset(1006)) };
                assert_eq!(log.ends(), ends, "the gap is the log's");
                drop((log, dir));
                let log = open_log(&open_dir(disk.cut_power(2)), "a", replica());
                assert_eq!((log.ends(), log.offline()), (ends, None), "{past:?} {reopen}");
                assert_eq!(log.latest_epoch(), Some(LeaderEpoch(4)));
                assert_eq!(read_all(&log).len(), 1);
            }
        }
    }

    #[test]
    fn a_log_with_records_and_an_offset_that_was_given_are_refused() {
        let disk = MemoryStorage::new(1);
        let (dir, log) = log_with(&disk, Past::Emptied).unwrap();
        let back = wait(log.start_at(Offset(5)));
        assert!(matches!(back, Err(ChangeError::OutOfRange { log_end: Offset(6), .. })), "{back:?}");
        assert!(wait(log.start_at(Offset(6))).is_ok());
        put(&dir, &log, batch(5, &["x"])).unwrap();
        for offset in [0, 6, 7, 100] {
            let refused = wait(log.start_at(Offset(offset)));
            assert!(matches!(refused, Err(ChangeError::OutOfRange { .. })), "{offset}: {refused:?}");
        }
        assert_eq!(read_all(&log).len(), 1);
    }

    #[test]
    fn a_power_cut_leaves_the_old_start_or_the_new_one() {
        // So far that recovery would take the gap for a replica's.
        let far = Offset(1 << 33);
        for (past, to) in PASTS.into_iter().flat_map(|past| [(past, Offset(1000)), (past, far)]) {
            let old = if matches!(past, Past::New) { 0 } else { 6 };
            let measured = MemoryStorage::new(9);
            let (dir, log) = log_with(&measured, past).unwrap();
            let first = measured.syncs();
            wait(log.start_at(to)).unwrap();
            let last = measured.syncs();
            drop((dir, log));
            assert!(last > first);
            for syncs in first..=last {
                for seed in 0..4 {
                    let disk = MemoryStorage::new(9);
                    let (dir, log) = log_with(&disk, past).unwrap();
                    disk.after_syncs(syncs - first);
                    let told = wait(log.start_at(to)).is_ok();
                    drop((dir, log));
                    let dir = open_dir(disk.cut_power(seed));
                    let log = open_log(&dir, "a", small());
                    let allowed = if told { &[to.0][..] } else { &[old, to.0] };
                    let start = log.ends().log_start.0;
                    assert!(allowed.contains(&start), "{past:?}, cut after {syncs}: {start}");
                    assert_eq!((log.ends(), log.offline()), (LogEnds::empty_at(Offset(start)), None));
                    put(&dir, &log, batch(5, &["x"])).unwrap();
                    assert_eq!(log.ends().log_end.0, start + 1);
                }
            }
        }
    }
}

mod barrier {
    use super::*;

    fn remove_snapshots(disk: &MemoryStorage) {
        for name in disk.list(Path::new(DIR)).unwrap() {
            if name.to_str().unwrap().ends_with(".snapshot") {
                disk.remove_file(&Path::new(DIR).join(name)).unwrap();
            }
        }
    }

    /// A copy full of a producer's batches, with snapshots: sealed segments, and a clean shutdown at its end.
    fn copied(disk: &MemoryStorage) -> (Arc<LogDir>, Arc<Log>) {
        let dir = open_dir(disk.clone());
        let log = open_log(&dir, "a", small());
        for sequence in 0..10 {
            put(&dir, &log, batch_of(9, 0, sequence, 5, &["mirrored"])).unwrap();
            put(&dir, &log, batch_of(30 + i64::from(sequence), 0, 0, 5, &["other"])).unwrap();
        }
        wait(dir.close()).unwrap();
        drop((dir, log));
        let dir = open_dir(disk.clone());
        let log = open_log(&dir, "a", small());
        (dir, log)
    }

    /// Another producer that got the same id sends what starts as that one's did.
    fn is_new_to(dir: &LogDir, log: &Arc<Log>) {
        for sequence in 0..10 {
            let end = log.ends().log_end;
            let appended = put(dir, log, batch_of(9, 0, sequence, 5, &["own"])).unwrap();
            assert!(!appended.duplicate && appended.base_offset == end, "{sequence}: {appended:?}");
        }
    }

    #[test]
    fn a_new_producer_with_a_known_id_is_not_taken_for_the_old_one() {
        let disk = MemoryStorage::new(1);
        let (dir, log) = copied(&disk);
        assert!(put(&dir, &log, batch_of(9, 0, 9, 5, &["mirrored"])).unwrap().duplicate, "without a barrier");
        assert_eq!(wait(log.forget_producers()).unwrap(), Some(ProducerId(39)));
        is_new_to(&dir, &log);
        assert!(
            put(&dir, &log, batch_of(9, 0, 9, 5, &["own"])).unwrap().duplicate,
            "its own retries are known"
        );
        assert_eq!(wait(log.forget_producers()).unwrap(), Some(ProducerId(9)));
    }

    #[test]
    fn recovery_brings_no_forgotten_producer_back() {
        for (clean, snapshots) in [(true, true), (true, false), (false, true), (false, false)] {
            let disk = MemoryStorage::new(1);
            let (dir, log) = copied(&disk);
            wait(log.forget_producers()).unwrap();
            if clean {
                wait(dir.close()).unwrap();
            }
            drop((dir, log));
            if !snapshots {
                remove_snapshots(&disk);
            }
            let dir = open_dir(disk);
            let log = open_log(&dir, "a", small());
            assert_eq!(wait(log.forget_producers()).unwrap(), None, "clean: {clean}, snapshots: {snapshots}");
            is_new_to(&dir, &log);
        }
    }

    #[test]
    fn producers_after_the_barrier_are_recovered() {
        for (clean, snapshots) in [(true, true), (true, false), (false, true), (false, false)] {
            let disk = MemoryStorage::new(1);
            let (dir, log) = copied(&disk);
            wait(log.forget_producers()).unwrap();
            is_new_to(&dir, &log);
            if clean {
                wait(dir.close()).unwrap();
            }
            drop((dir, log));
            if !snapshots {
                remove_snapshots(&disk);
            }
            let dir = open_dir(disk);
            let log = open_log(&dir, "a", small());
            for sequence in 5..10 {
                assert!(
                    put(&dir, &log, batch_of(9, 0, sequence, 5, &["own"])).unwrap().duplicate,
                    "{sequence}"
                );
            }
            assert_eq!(wait(log.forget_producers()).unwrap(), Some(ProducerId(9)));
        }
    }

    #[test]
    fn the_barrier_follows_the_log_end_down() {
        for clean in [true, false] {
            let disk = MemoryStorage::new(1);
            let (dir, log) = copied(&disk);
            wait(log.forget_producers()).unwrap();
            assert_eq!(wait(log.truncate_to(Offset(4))).unwrap(), Offset(4));
            is_new_to(&dir, &log);
            if clean {
                wait(dir.close()).unwrap();
            }
            drop((dir, log));
            let dir = open_dir(disk);
            let log = open_log(&dir, "a", small());
            let again = put(&dir, &log, batch_of(9, 0, 9, 5, &["own"])).unwrap();
            assert!(again.duplicate, "what was appended where the barrier stood before: {again:?}");
        }
    }

    #[test]
    fn a_tail_that_is_cut_off_takes_the_barrier_along() {
        let disk = MemoryStorage::new(1);
        let (dir, log) = copied(&disk);
        put(&dir, &log, batch_of(8, 0, 0, 5, &["x"])).unwrap();
        let segment = Path::new(DIR).join(format!("{:020}.log", 20));
        let whole = disk.open(&segment, Open::Write).unwrap().length().unwrap();
        put(&dir, &log, batch_of(8, 0, 1, 5, &["y"])).unwrap();
        wait(log.forget_producers()).unwrap();
        drop((dir, log));
        // Above the mark of the last checkpoint, so nobody can tell that it was durable once.
        disk.open(&segment, Open::Write).unwrap().set_length(whole + 5).unwrap();
        let dir = open_dir(disk.clone());
        let log = open_log(&dir, "a", small());
        assert_eq!(log.ends().log_end, Offset(21));
        assert_eq!(put(&dir, &log, batch_of(9, 0, 0, 5, &["own"])).unwrap().base_offset, Offset(21));
        drop((dir, log));
        let dir = open_dir(disk.cut_power(1));
        let log = open_log(&dir, "a", small());
        assert!(put(&dir, &log, batch_of(9, 0, 0, 5, &["own"])).unwrap().duplicate);
    }

    #[test]
    fn an_open_transaction_is_forgotten_with_its_producer() {
        let disk = MemoryStorage::new(1);
        let dir = open_dir(disk.clone());
        let log = open_log(&dir, "a", replica());
        let open = BatchBuilder::new().producer(ProducerId(3), ProducerEpoch(0), Sequence(0)).transactional();
        let open = open.record(5, None, Some(b"v"), &[]).build().unwrap();
        append(&dir, &log, open, Place::AsGiven, Ack::Synced).unwrap();
        assert_eq!(log.ends().last_stable, Offset(0));
        wait(log.forget_producers()).unwrap();
        assert_eq!(log.ends().last_stable, Offset(1));
        drop((dir, log));
        assert_eq!(open_log(&open_dir(disk), "a", replica()).ends().last_stable, Offset(1));
    }

    #[test]
    fn a_log_without_records_has_nobody_to_forget() {
        let dir = open_dir(MemoryStorage::new(1));
        let log = open_log(&dir, "a", LogConfig::default());
        assert_eq!(wait(log.forget_producers()).unwrap(), None);
        is_new_to(&dir, &log);
    }

    #[test]
    fn a_barrier_that_cannot_be_written_is_an_error_and_forgets_nobody() {
        let disk = MemoryStorage::new(1);
        let (dir, log) = copied(&disk);
        disk.space_left(0);
        assert!(matches!(wait(log.forget_producers()), Err(ChangeError::Io(_))));
        disk.unlimited_space();
        assert!(put(&dir, &log, batch_of(9, 0, 9, 5, &["mirrored"])).unwrap().duplicate);
        assert_eq!(wait(log.forget_producers()).unwrap(), Some(ProducerId(39)));
        is_new_to(&dir, &log);
    }

    #[test]
    fn a_removed_logs_barrier_goes_with_it() {
        let disk = MemoryStorage::new(1);
        let (dir, log) = copied(&disk);
        wait(log.forget_producers()).unwrap();
        wait(dir.remove(&log)).unwrap();
        let log = open_log(&dir, "a", small());
        is_new_to(&dir, &log);
        drop((dir, log));
        let dir = open_dir(disk);
        let log = open_log(&dir, "a", small());
        assert!(put(&dir, &log, batch_of(9, 0, 9, 5, &["own"])).unwrap().duplicate);
    }
}
