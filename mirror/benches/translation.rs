//! Look-ups in translation tables of 1, a thousand and a million runs, and what a table costs.
//!
//! `cargo bench -p mirror --bench translation`; divan takes a filter, and `--sample-count`. One run is a plain topic's
//! table; a million runs are a transactional topic's: a marker after every 1 to 100 records, and other writers between.

use std::{path::Path, sync::Arc};

use divan::{Bencher, black_box, counter::ItemsCount};

use core_log::{
    Storage,
    storage::{MemoryStorage, Open},
};
use mirror::{
    position::{SourceOffset, TargetOffset},
    translation::{Run, Table, TableFile, TableKey, TableLabel, TargetLog, provenance},
};
use protocol::{Offset, PartitionId, ProducerId, TopicId, TopicName, batch::BatchBuilder};

const RUNS: [usize; 3] = [1, 1_000, 1_000_000];
const LOOK_UPS: usize = 100_000;

fn main() {
    divan::main();
}

fn table(runs: usize) -> (Table, TargetLog) {
    let mut table = Table::new(SourceOffset::ZERO);
    let (mut source, mut target) = (0, 0);
    let mut dice = 1u64;
    for _ in 0..runs {
        dice = roll(dice);
        let length = if runs == 1 { 1 << 40 } else { 1 + (dice >> 40) as i64 % 100 };
        source += 1;
        target += (dice >> 20) as i64 % 3;
        let run = Run::new(SourceOffset::new(Offset(source)), TargetOffset::new(Offset(target)), length);
        table.append(run).expect("ascending");
        source += length;
        target += length;
    }
    (table, TargetLog { start: TargetOffset::ZERO, end: TargetOffset::new(Offset(target)) })
}

fn roll(dice: u64) -> u64 {
    dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407)
}

/// Positions anywhere in `0..end`.
fn anywhere(end: Offset) -> Vec<i64> {
    let step = |dice: &u64| Some(roll(*dice));
    std::iter::successors(Some(7u64), step).map(|dice| (dice >> 11) as i64 % end.0).take(LOOK_UPS).collect()
}

#[divan::bench(args = RUNS)]
fn to_target_random(bencher: Bencher<'_, '_>, runs: usize) {
    let (table, log) = table(runs);
    let asked = anywhere(table.resume().offset());
    bencher.counter(ItemsCount::new(LOOK_UPS)).bench_local(|| {
        for at in &asked {
            black_box(table.to_target(SourceOffset::new(Offset(*at)), log));
        }
    });
}

#[divan::bench(args = RUNS)]
fn to_target_sequential(bencher: Bencher<'_, '_>, runs: usize) {
    let (table, log) = table(runs);
    let end = table.resume().offset().0;
    bencher.counter(ItemsCount::new(LOOK_UPS)).bench_local(|| {
        for at in 0..LOOK_UPS as i64 {
            black_box(table.to_target(SourceOffset::new(Offset((end / 2 + at) % end)), log));
        }
    });
}

#[divan::bench(args = RUNS)]
fn to_source_random(bencher: Bencher<'_, '_>, runs: usize) {
    let (table, log) = table(runs);
    let asked = anywhere(log.end.offset());
    bencher.counter(ItemsCount::new(LOOK_UPS)).bench_local(|| {
        for at in &asked {
            black_box(table.to_source(TargetOffset::new(Offset(*at)), log));
        }
    });
}

/// A batch of so many bytes gets its provenance.
#[divan::bench(args = [1 << 10, 60 << 10, 1 << 20])]
fn stamp(bencher: Bencher<'_, '_>, size: usize) {
    let value = vec![b'v'; size];
    let batch = BatchBuilder::new().base_offset(Offset(77)).record(0, None, Some(&value), &[]);
    let mut batch = batch.build().expect("small enough");
    bencher.bench_local(|| provenance::stamp(black_box(&mut batch), ProducerId(1001)));
}

/// A file of a million runs is read.
#[divan::bench(sample_count = 5)]
fn open(bencher: Bencher<'_, '_>) {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new(1));
    let (topic_id, target_id) = (TopicId::ZERO, TopicId::ZERO);
    let key = TableKey { link: "a:b".to_owned(), topic_id, partition: PartitionId(0), target_id };
    let topic = TopicName::from("clicks");
    let label = TableLabel { key: key.clone(), topic: topic.clone(), provenance: ProducerId(1001) };
    let (million, _) = table(1_000_000);
    let path = Path::new("/t");
    TableFile::write_new(storage.clone(), path, label, &million).expect("written");
    let bytes = storage.open(path, Open::Read).and_then(|file| file.length()).expect("it is there");
    println!("{:.2} bytes of disk per run", bytes as f64 / 1e6);
    bencher
        .counter(ItemsCount::new(1_000_000usize))
        .bench_local(|| TableFile::open(storage.clone(), path, &key, &topic).expect("read"));
}

/// Building a table, and (printed) what it takes.
#[divan::bench(sample_count = 5)]
fn append(bencher: Bencher<'_, '_>) {
    let (million, _) = table(1_000_000);
    println!("{:.2} bytes of memory per run", million.memory_bytes() as f64 / 1e6);
    bencher.counter(ItemsCount::new(1_000_000usize)).bench_local(|| table(1_000_000));
}
