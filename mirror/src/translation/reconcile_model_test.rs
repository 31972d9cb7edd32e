//! Random histories of a merged partition, written by several links and by local producers, through crashes that lose any
//! un-synced part of the log and of each table. The log, as it was found after the crash, is the truth.

use std::{path::PathBuf, sync::Arc};

use proptest::prelude::*;

use core_log::{Storage, storage::MemoryStorage};
use protocol::{
    LeaderEpoch, Offset, PartitionId, ProducerEpoch, ProducerId, Sequence, TopicId,
    batch::{Attributes, BatchHeader},
};

use super::{
    table_model_test::{source, target},
    *,
};

const LINKS: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    /// A link relays a batch of its source, after a gap there.
    Relay {
        link: usize,
        gap: i64,
        length: i64,
    },
    /// A local producer appends.
    Local {
        length: i64,
        id: i64,
    },
    /// What a link has relayed goes into its table.
    Record {
        link: usize,
    },
    /// A link has seen that its source holds nothing for so many offsets.
    Skip {
        link: usize,
        count: i64,
    },
    SyncLog,
    SyncTable {
        link: usize,
    },
    /// The log is trimmed by so many batches, after the tables were synced.
    Trim {
        batches: usize,
    },
    /// The power goes. Of the batches that no sync covered `lost` in 4 parts are lost.
    Crash {
        seed: u64,
        lost: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let link = 0..LINKS;
    let gap = prop_oneof![4 => Just(0i64), 2 => 1..5i64, 1 => Just(1_000_000_000i64)];
    prop_oneof![
        12 => (link.clone(), gap, 1..6i64).prop_map(|(link, gap, length)| Step::Relay { link, gap, length }),
        5 => (1..4i64, -1..2i64).prop_map(|(length, id)| Step::Local { length, id }),
        6 => link.clone().prop_map(|link| Step::Record { link }),
        1 => (link.clone(), 1..4i64).prop_map(|(link, count)| Step::Skip { link, count }),
        2 => Just(Step::SyncLog),
        2 => link.prop_map(|link| Step::SyncTable { link }),
        1 => (1..6usize).prop_map(|batches| Step::Trim { batches }),
        2 => (any::<u64>(), 0..=4usize).prop_map(|(seed, lost)| Step::Crash { seed, lost }),
    ]
}

/// A link, and its table's file.
struct Link {
    table: TableFile,
    /// Where its source is, and began.
    next: i64,
    start: i64,
    /// Relayed, and not in the table yet.
    pending: Vec<Run>,
}

/// A batch of the log, and where it truly came from: link and source offset.
struct Logged {
    header: BatchHeader,
    origin: Option<(usize, i64)>,
}

struct World {
    disk: MemoryStorage,
    links: Vec<Link>,
    log: Vec<Logged>,
    /// Batches below are on stable storage, or trimmed.
    synced: usize,
    trimmed: usize,
}

fn provenance(link: usize) -> ProducerId {
    ProducerId(1000 + link as i64)
}

fn path(link: usize) -> PathBuf {
    PathBuf::from(format!("/tables/{}", key(link).file_name()))
}

fn key(link: usize) -> TableKey {
    TableKey { link: format!("dc{link}:here"), topic_id: TopicId::ZERO, partition: PartitionId(link as i32) }
}

impl World {
    fn new(starts: &[i64]) -> Self {
        let disk = MemoryStorage::new(3);
        disk.create_dir("/tables".as_ref()).unwrap();
        disk.sync_dir("/".as_ref()).unwrap();
        let create = |(link, start): (usize, &i64)| {
            let storage: Arc<dyn Storage> = Arc::new(disk.clone());
            let table =
                TableFile::create(storage, &path(link), key(link), provenance(link), source(*start)).unwrap();
            Link { table, next: *start, start: *start, pending: Vec::new() }
        };
        let links = starts.iter().enumerate().map(create).collect();
        Self { disk, links, log: Vec::new(), synced: 0, trimmed: 0 }
    }

    fn log_end(&self) -> i64 {
        self.log.last().map_or(0, |last| last.header.next_offset().0)
    }

    fn log_start(&self) -> i64 {
        self.log.get(self.trimmed).map_or(self.log_end(), |first| first.header.base_offset.0)
    }

    fn append(&mut self, id: ProducerId, sequence: Sequence, length: i64, origin: Option<(usize, i64)>) {
        let header = BatchHeader {
            base_offset: Offset(self.log_end()),
            size_bytes: 100,
            leader_epoch: LeaderEpoch(0),
            crc: 0,
            attributes: Attributes(0),
            last_offset_delta: length as i32 - 1,
            base_timestamp: 0,
            max_timestamp: 0,
            producer_id: id,
            producer_epoch: ProducerEpoch(0),
            base_sequence: sequence,
            record_count: 1,
        };
        self.log.push(Logged { header, origin });
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Relay { link, gap, length } => {
                let (from, to) = (self.links[link].next + gap, self.log_end());
                let sequence = provenance::sequence_of(source(from));
                self.append(provenance(link), sequence, length, Some((link, from)));
                self.links[link].pending.push(Run::new(source(from), target(to), length));
                self.links[link].next = from + length;
            }
            Step::Local { length, id } => self.append(ProducerId(id), Sequence(7), length, None),
            Step::Record { link } => self.record(link),
            Step::Skip { link, count } => {
                self.record(link);
                let link = &mut self.links[link];
                link.next += count;
                link.table.skip_to(source(link.next)).unwrap();
            }
            Step::SyncLog => self.synced = self.log.len(),
            Step::SyncTable { link } => self.links[link].table.sync().unwrap(),
            Step::Trim { batches } => self.trim(batches),
            Step::Crash { seed, lost } => self.crash(seed, lost)?,
        }
        Ok(())
    }

    fn record(&mut self, link: usize) {
        let link = &mut self.links[link];
        link.table.append(&std::mem::take(&mut link.pending)).unwrap();
    }

    fn trim(&mut self, batches: usize) {
        self.synced = self.log.len();
        for link in 0..LINKS {
            self.record(link);
            self.links[link].table.sync().unwrap();
        }
        self.trimmed = (self.trimmed + batches).min(self.log.len());
        let start = target(self.log_start());
        for link in &mut self.links {
            link.table.trim(start).unwrap();
        }
    }

    fn crash(&mut self, seed: u64, lost: usize) -> Result<(), TestCaseError> {
        let unsynced = self.log.len() - self.synced;
        self.log.truncate(self.log.len() - unsynced * lost / 4);
        self.synced = self.log.len();
        self.disk = self.disk.cut_power(seed);
        for link in 0..LINKS {
            let storage: Arc<dyn Storage> = Arc::new(self.disk.clone());
            let mut table = TableFile::open(storage, &path(link), &key(link)).unwrap().unwrap();
            prop_assert_eq!(table.provenance(), provenance(link));
            // From a batch before the end: what both have is compared.
            let from = table.table().target_end().map_or(0, |end| end.offset().0) - 1;
            let headers: Vec<_> = self.logged().map(|logged| logged.header).collect();
            let after: Vec<_> =
                headers.iter().copied().filter(|header| header.last_offset().0 >= from).collect();
            let (first, second) = after.split_at(after.len() / 2);
            let log_end = target(self.log_end());
            let _ = table.reconcile(log_end, first.iter().copied()).unwrap();
            let _ = table.reconcile(log_end, second.iter().copied()).unwrap();
            let again = table.reconcile(log_end, headers.iter().copied()).unwrap();
            prop_assert_eq!(again, Reconciled::default(), "the whole log has nothing to add");
            let before = self.links[link].next;
            let state = &mut self.links[link];
            state.next = table.table().resume().offset().0;
            state.pending.clear();
            state.table = table;
            self.check(link, before)?;
            self.check_rebuild(link, &headers)?;
        }
        Ok(())
    }

    fn logged(&self) -> impl Iterator<Item = &Logged> {
        self.log[self.trimmed..].iter()
    }

    /// Source and target of every offset that was mirrored and not lost, trimmed ones as well.
    fn pairs(&self, link: usize) -> Vec<(i64, i64)> {
        let of_link = |logged: &Logged| {
            let (_, from) = logged.origin.filter(|origin| origin.0 == link)?;
            Some((from, logged.header.base_offset.0, i64::from(logged.header.last_offset_delta)))
        };
        let runs = self.log.iter().filter_map(of_link);
        runs.flat_map(|(from, to, delta)| (0..=delta).map(move |at| (from + at, to + at))).collect()
    }

    fn check(&self, link: usize, before: i64) -> Result<(), TestCaseError> {
        let (pairs, state) = (self.pairs(link), &self.links[link]);
        let table = state.table.table();
        let end = pairs.last().map_or(state.start, |last| last.0 + 1);
        let resume = table.resume().offset().0;
        prop_assert!(end <= resume && resume <= before, "{} <= {} <= {}", end, resume, before);
        let log = TargetLog { start: target(self.log_start()), end: target(self.log_end()) };
        for asked in pairs.iter().flat_map(|pair| pair.0 - 1..=pair.0 + 1).chain([state.start, resume]) {
            let found = table.to_target(source(asked), log).map(Translated::position);
            let exact = pairs.iter().find(|pair| pair.0 >= asked).map(|pair| pair.1);
            let exact = exact.or(pairs.last().map(|last| last.1 + 1));
            prop_assert_eq!(found, exact.map(|exact| target(exact).max(log.start)), "source {}", asked);
        }
        Ok(())
    }

    fn check_rebuild(&self, link: usize, headers: &[BatchHeader]) -> Result<(), TestCaseError> {
        let mut rebuild = Rebuild::new(provenance(link));
        let (first, second) = headers.split_at(headers.len() / 3);
        rebuild.batches(first.iter().copied()).unwrap();
        rebuild.batches(second.iter().copied()).unwrap();
        let rebuilt = rebuild.finish(source(self.links[link].next + 1_000)).unwrap();
        let runs = rebuilt.iter().flat_map(Table::runs);
        let found: Vec<_> = runs
            .flat_map(|run| {
                (0..run.length).map(move |at| (run.source.offset().0 + at, run.target.offset().0 + at))
            })
            .collect();
        let start = self.log_start();
        let expected: Vec<_> = self.pairs(link).into_iter().filter(|pair| pair.1 >= start).collect();
        prop_assert_eq!(found, expected);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn after_any_crash_table_and_log_agree(
        starts in prop::array::uniform3(prop_oneof![0..3i64, (1..4i64, -30..3i64).prop_map(|(wraps, at)| (wraps << 31) + at)]),
        steps in prop::collection::vec(step(), 0..150),
        seed in any::<u64>(),
    ) {
        let mut world = World::new(&starts);
        for step in &steps {
            world.step(step)?;
        }
        world.crash(seed, 2)?;
    }
}

/// A table of source 0..10 at target 5..15, and a batch of so many offsets.
fn small() -> (Table, impl Fn(i64, i64, i64, i32) -> BatchHeader) {
    let mut table = Table::new(source(0));
    table.append(Run::new(source(0), target(5), 10)).unwrap();
    let mut world = World::new(&[0, 0, 0]);
    world.append(ProducerId(0), Sequence(0), 1, None);
    let template = world.log[0].header;
    (table, move |id, at, sequence, length| BatchHeader {
        producer_id: ProducerId(id),
        base_offset: Offset(at),
        base_sequence: Sequence(sequence as i32),
        last_offset_delta: length - 1,
        ..template
    })
}

#[test]
fn a_log_that_tells_otherwise_than_the_table_is_found_out() {
    let (table, batch) = small();
    let seen = |header| reconcile(&mut table.clone(), ProducerId(9), target(100), [header]);
    for agreeing in [batch(9, 5, 0, 10), batch(9, 8, 3, 7), batch(4, 0, 0, 5), batch(4, 15, 0, 5)] {
        assert_eq!(seen(agreeing), Ok(Reconciled::default()), "{agreeing:?}");
    }
    for other in
        [batch(9, 5, 1, 10), batch(9, 4, 0, 1), batch(9, 8, 3, 8), batch(4, 0, 0, 6), batch(4, 14, 0, 1)]
    {
        assert!(matches!(seen(other), Err(ReconcileError::Disagrees { .. })), "{other:?}");
    }
}

#[test]
fn a_batch_that_was_relayed_before_is_an_error_not_a_leap_of_two_billion() {
    let (mut table, batch) = small();
    let again = reconcile(&mut table, ProducerId(9), target(100), [batch(9, 15, 3, 2)]);
    assert!(matches!(again, Err(ReconcileError::DoesNotFollow { .. })));
    assert_eq!(table.resume(), source(10));
}

#[test]
fn a_rebuilt_table_does_not_pass_the_end_of_the_source() {
    let (_, batch) = small();
    let mut rebuild = Rebuild::new(ProducerId(9));
    rebuild.batches([batch(9, 5, 40, 10)]).unwrap();
    assert!(matches!(rebuild.finish(source(49)), Err(ReconcileError::BeyondSource { .. })));
    assert!(Rebuild::new(ProducerId(9)).finish(source(49)).unwrap().is_none());
}
