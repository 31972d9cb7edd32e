//! Random histories of a merged partition, written by several links and by local producers, through crashes that lose any
//! un-synced part of the log and of each table, and through damage to the tables' files. The log, as it was found after
//! the crash, is the truth.

use std::{io::IoSlice, path::PathBuf, sync::Arc};

use proptest::prelude::*;

use core_log::{
    Storage,
    storage::{MemoryStorage, Open, read_whole},
};
use protocol::{
    LeaderEpoch, Offset, PartitionId, ProducerEpoch, ProducerId, Sequence, TopicId, TopicName,
    batch::{Attributes, BatchHeader},
};

use super::{
    table_model_test::{source, target},
    *,
};

const LINKS: usize = 3;
/// What a local producer writes.
const LOCAL: (ProducerEpoch, Sequence) = (ProducerEpoch(0), Sequence(7));

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
    /// Bytes of a link's file are no longer what was written there: as zeros, or one bit of the first.
    Damage {
        link: usize,
        from: usize,
        length: usize,
        zeros: bool,
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
        1 => damage(),
    ]
}

/// Mostly in the chunks; headers and marks are most of a small file.
fn damage() -> impl Strategy<Value = Step> {
    let from = prop_oneof![1 => 0..512usize, 2 => 512..1536usize, 8 => 1536..2000usize];
    let length = prop_oneof![1..40usize, 1..1100usize];
    (0..LINKS, from, length, any::<bool>()).prop_map(|(link, from, length, zeros)| Step::Damage {
        link,
        from,
        length,
        zeros,
    })
}

/// A link, and its table's file.
struct Link {
    table: TableFile,
    /// Where its source is, and began.
    next: i64,
    start: i64,
    /// Relayed, and not in the table yet.
    pending: Vec<Run>,
    /// A healed table knows of what lies below at the source no more than that the log has none of it, if it was mirrored.
    blurred_below: Option<i64>,
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
    TableKey {
        link: format!("dc{link}:here"),
        topic_id: TopicId::ZERO,
        partition: PartitionId(link as i32),
        target_id: TopicId::ZERO,
    }
}

fn label(link: usize) -> TableLabel {
    TableLabel { key: key(link), topic: topic(), provenance: provenance(link) }
}

fn topic() -> TopicName {
    "clicks".into()
}

impl World {
    fn new(starts: &[i64]) -> Self {
        let disk = MemoryStorage::new(3);
        disk.create_dir("/tables".as_ref()).unwrap();
        disk.sync_dir("/".as_ref()).unwrap();
        let create = |(link, start): (usize, &i64)| {
            let storage: Arc<dyn Storage> = Arc::new(disk.clone());
            let table = TableFile::create(storage, &path(link), label(link), source(*start)).unwrap();
            Link { table, next: *start, start: *start, pending: Vec::new(), blurred_below: None }
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

    fn append(
        &mut self,
        id: ProducerId,
        (epoch, sequence): (ProducerEpoch, Sequence),
        length: i64,
        origin: Option<(usize, i64)>,
    ) {
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
            producer_epoch: epoch,
            base_sequence: sequence,
            record_count: 1,
        };
        self.log.push(Logged { header, origin });
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Relay { link, gap, length } => {
                let (from, to) = (self.links[link].next + gap, self.log_end());
                let written = provenance::origin_of(source(from));
                self.append(provenance(link), written, length, Some((link, from)));
                self.links[link].pending.push(Run::new(source(from), target(to), length));
                self.links[link].next = from + length;
            }
            Step::Local { length, id } => self.append(ProducerId(id), LOCAL, length, None),
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
            Step::Damage { link, from, length, zeros } => self.damage(link, from..from + length, zeros)?,
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
            let table = self.open(link).unwrap();
            self.take_up(link, table)?;
        }
        Ok(())
    }

    /// Opens a table after a restart, as the driver does.
    fn open(&self, link: usize) -> Result<TableFile, TableError> {
        let storage: Arc<dyn Storage> = Arc::new(self.disk.clone());
        let mut table = TableFile::open(storage, &path(link), &key(link), &topic())?.unwrap();
        // From a batch before the end: what both have is compared.
        let from = table.table().target_end().map_or(0, |end| end.offset().0) - 1;
        let headers: Vec<_> = self.logged().map(|logged| logged.header).collect();
        let after: Vec<_> = headers.iter().copied().filter(|header| header.last_offset().0 >= from).collect();
        let (first, second) = after.split_at(after.len() / 2);
        let log_end = target(self.log_end());
        let _ = table.reconcile(log_end, first.iter().copied())?;
        let _ = table.reconcile(log_end, second.iter().copied())?;
        let _ = table.heal(target(self.log_start()))?;
        let again = table.reconcile(log_end, headers.iter().copied())?;
        assert_eq!(again, Reconciled::default(), "the whole log has nothing to add");
        Ok(table)
    }

    /// Goes on with what was opened.
    fn take_up(&mut self, link: usize, table: TableFile) -> Result<(), TestCaseError> {
        prop_assert_eq!(table.label(), label(link));
        let before = self.links[link].next;
        let state = &mut self.links[link];
        state.next = table.table().resume().offset().0;
        state.pending.clear();
        state.table = table;
        self.check(link, before)
    }

    /// The process ends, its file is damaged, and it starts again. What cannot be healed is put back as it was.
    fn damage(
        &mut self,
        link: usize,
        range: std::ops::Range<usize>,
        zeros: bool,
    ) -> Result<(), TestCaseError> {
        let whole = read_whole(&self.disk, &path(link), 1 << 20).unwrap();
        let mut bytes = whole.clone();
        // Above it, what cannot be read passes for what a power cut tore.
        let synced = [512, 1024].map(|at| u64::from_be_bytes(*bytes[at..].first_chunk().unwrap()));
        let synced = synced.into_iter().max().unwrap_or(0) as usize;
        let range = range.start.min(synced)..range.end.clamp(range.start.min(synced), bytes.len());
        match bytes.get_mut(range.clone()) {
            Some(bytes) if zeros => bytes.fill(0),
            Some([first, ..]) => *first ^= 4,
            _ => {}
        }
        let is_damaged = bytes != whole;
        self.put(link, &bytes);
        let opened = match self.open(link) {
            Ok(table) => {
                let first = self.held(link).next();
                let hole = is_damaged && range.end > 512 && first.is_some();
                if let Some((from, _)) = first.filter(|_| hole) {
                    self.links[link].blurred_below = Some(from);
                }
                table
            }
            Err(TableError::Corrupt { .. }) => {
                prop_assert!(is_damaged && range.start < 512, "{:?} is not the header", range);
                self.put(link, &whole);
                self.open(link).unwrap()
            }
            Err(TableError::Lost { .. }) => {
                prop_assert!(is_damaged, "nothing was damaged");
                prop_assert!(self.trimmed > 0 && self.held(link).next().is_none(), "the log could tell");
                self.put(link, &whole);
                self.open(link).unwrap()
            }
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        self.take_up(link, opened)
    }

    fn put(&self, link: usize, bytes: &[u8]) {
        let file = self.disk.open(&path(link), Open::Write).unwrap();
        file.write_at(&[IoSlice::new(bytes)], 0).unwrap();
        file.set_length(bytes.len() as u64).unwrap();
        file.sync_data().unwrap();
    }

    /// Source and target of what the log still holds.
    fn held(&self, link: usize) -> impl Iterator<Item = (i64, i64)> {
        let start = self.log_start();
        self.pairs(link).into_iter().filter(move |pair| pair.1 >= start)
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
            let exact = exact.map(|exact| target(exact).max(log.start));
            match state.blurred_below {
                Some(_) if exact.is_none() => prop_assert!(found.is_none_or(|found| found == log.start)),
                Some(below) if asked < below => {
                    prop_assert!(Some(log.start) <= found && found <= exact, "source {}", asked);
                }
                _ => prop_assert_eq!(found, exact, "source {}", asked),
            }
        }
        for asked in self.log_start()..self.log_end().min(self.log_start() + 500) {
            let found = table.to_source(target(asked), log).map(Translated::position);
            let exact = pairs.iter().find(|pair| pair.1 >= asked).map(|pair| pair.0);
            let exact = exact.or(pairs.last().map(|last| last.0 + 1));
            if exact.is_some() || state.blurred_below.is_none() {
                prop_assert_eq!(found, exact.map(source), "target {}", asked);
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn after_any_crash_or_damage_table_and_log_agree(
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
    world.append(ProducerId(0), LOCAL, 1, None);
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
