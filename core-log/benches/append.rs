//! Appends and tail reads on the real disk. `TMPDIR` says which disk.
//!
//! ```text
//! cargo bench -p core-log --bench append
//! ```

use std::sync::Arc;

use bytes::BytesMut;
use core_log::{
    Ack, Append, Log, LogConfig, LogDir, LogDirSettings, Place, ReadLimit, clock::SystemClock,
    storage::DiskStorage,
};
use divan::{
    Bencher,
    counter::{BytesCount, ItemsCount},
};
use protocol::{LeaderEpoch, Offset, TopicId, TopicPartition, batch::BatchBuilder};

fn main() {
    divan::main();
}

struct Bench {
    dir: Arc<LogDir>,
    logs: Vec<Arc<Log>>,
    // Dropped last: the directory is in use until then.
    _root: tempfile::TempDir,
}

fn bench(partitions: usize, recent_bytes_max: usize) -> Bench {
    let root = tempfile::tempdir().expect("a temporary directory");
    let settings = LogDirSettings { recent_bytes_max, ..LogDirSettings::default() };
    let dir = LogDir::open(Arc::new(DiskStorage), Arc::new(SystemClock::new()), root.path(), settings)
        .expect("opens");
    let logs = (0..partitions).map(|partition| {
        let id = TopicPartition::new("bench", i32::try_from(partition).expect("few"));
        dir.log(&id, TopicId::ZERO, LogConfig::default()).expect("opens")
    });
    let logs = logs.collect();
    Bench { dir, logs, _root: root }
}

fn batch(value_bytes: usize) -> BytesMut {
    BatchBuilder::new().record(1, None, Some(&vec![7; value_bytes]), &[]).build().expect("fits")
}

/// Each submitter waits for its ack before it appends again.
fn append(bench: &Bench, submitters: usize, appends: usize, value_bytes: usize, ack: Ack) {
    let template = batch(value_bytes);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let tasks = (0..submitters).map(|submitter| {
        let (dir, log) = (Arc::clone(&bench.dir), Arc::clone(&bench.logs[submitter % bench.logs.len()]));
        let template = template.clone();
        async move {
            for _ in 0..appends / submitters {
                let place = Place::Next { leader_epoch: LeaderEpoch(0) };
                let append = Append { log: Arc::clone(&log), batch: template.clone(), place };
                let outcomes = dir.submit(vec![append], ack).await.await;
                assert!(outcomes.iter().all(Result::is_ok));
            }
        }
    });
    let local = tokio::task::LocalSet::new();
    let handles: Vec<_> = tasks.map(|task| local.spawn_local(task)).collect();
    runtime.block_on(local.run_until(async {
        for handle in handles {
            handle.await.expect("no panic");
        }
    }));
}

/// Small batches, one partition: how far syncs are shared.
#[divan::bench(args = [1, 16, 128, 512], sample_count = 5)]
fn small_synced(bencher: Bencher<'_, '_>, submitters: usize) {
    let bench = bench(1, 24 << 20);
    let appends = submitters * 100;
    bencher
        .counter(ItemsCount::new(appends))
        .bench_local(|| append(&bench, submitters, appends, 100, Ack::Synced));
}

#[divan::bench(args = [1, 128], sample_count = 5)]
fn small_written(bencher: Bencher<'_, '_>, submitters: usize) {
    let bench = bench(1, 24 << 20);
    let appends = submitters * 100;
    bencher
        .counter(ItemsCount::new(appends))
        .bench_local(|| append(&bench, submitters, appends, 100, Ack::Written));
}

/// As many submitters as partitions: a round syncs a file for each.
#[divan::bench(args = [1, 8, 64], sample_count = 5)]
fn small_synced_partitions(bencher: Bencher<'_, '_>, partitions: usize) {
    let bench = bench(partitions, 24 << 20);
    let appends = 128 * 20;
    bencher.counter(ItemsCount::new(appends)).bench_local(|| append(&bench, 128, appends, 100, Ack::Synced));
}

#[divan::bench(args = [16 << 10, 1 << 20], sample_count = 3)]
fn large_synced(bencher: Bencher<'_, '_>, batch_bytes: usize) {
    let bench = bench(1, 24 << 20);
    let appends = (128 << 20) / batch_bytes;
    bencher
        .counter(BytesCount::new(appends * batch_bytes))
        .bench_local(|| append(&bench, 32, appends, batch_bytes, Ack::Synced));
}

#[divan::bench(args = [16 << 10, 1 << 20], sample_count = 10)]
fn read_files(bencher: Bencher<'_, '_>, batch_bytes: usize) {
    let bench = bench(1, 0);
    append(&bench, 32, (64 << 20) / batch_bytes, batch_bytes, Ack::Written);
    let log = &bench.logs[0];
    bencher.counter(BytesCount::new(log.size_bytes())).bench_local(|| {
        let mut from = Offset(0);
        while from < log.ends().log_end {
            let limit = ReadLimit { max_bytes: 1 << 20, until: Offset(i64::MAX), at_least_one: true };
            from = log.read(from, limit).expect("reads").next_offset;
        }
    });
}

/// The newest batch of 1 KiB, out of memory.
#[divan::bench]
fn read_tail(bencher: Bencher<'_, '_>) {
    let bench = bench(1, 24 << 20);
    append(&bench, 1, 1000, 1024, Ack::Written);
    let log = &bench.logs[0];
    let limit = ReadLimit { max_bytes: 1 << 20, until: Offset(i64::MAX), at_least_one: true };
    bencher
        .counter(ItemsCount::new(1usize))
        .bench_local(|| log.read_recent(Offset(999), limit).expect("in memory").expect("reads"));
}
