//! `kill -9` of the source, of the target and of both in mid-flight, at moments that a seed decides; at the end the logs are the
//! same bytes and hold every acknowledged record once. `MIRROR_CRASH_SEED` runs one seed again.

use std::{
    collections::HashSet,
    env,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use integration::{DEADLINE, Datacenters, client, eventually};
use rand::{Rng, SeedableRng, rngs::StdRng};
use rdkafka::{
    Message,
    producer::{FutureProducer, FutureRecord},
};

use super::load;

const SEEDS: u64 = 10;
const TOPIC: &str = "m.crash";
const PARTITIONS: i32 = 3;
const RECORDS: usize = 6_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Victim {
    Source,
    Target,
    Both,
}

#[test]
fn the_source_dies() {
    for_each_seed(Victim::Source);
}

#[test]
fn the_target_dies() {
    for_each_seed(Victim::Target);
}

#[test]
fn both_die() {
    for_each_seed(Victim::Both);
}

fn for_each_seed(victim: Victim) {
    let seeds = match env::var("MIRROR_CRASH_SEED") {
        Ok(seed) => vec![seed.parse().expect("MIRROR_CRASH_SEED is a number")],
        Err(_) => (1..=SEEDS).collect(),
    };
    for seed in seeds {
        eprintln!("{victim:?}: MIRROR_CRASH_SEED={seed}");
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(run(victim, seed));
    }
}

async fn run(victim: Victim, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    // The smallest segments there are: recovery meets rolls, too.
    let mut world = Datacenters::mirror().start();
    client::create_topic(&world.east.bootstrap(), TOPIC, PARTITIONS, &[("segment.bytes", "1048576")]).await;
    let acknowledged = Arc::new(AtomicU64::new(0));
    let codec = load::CODECS[random.random_range(0..load::CODECS.len())];
    let producer = load::producer(&world.east.bootstrap(), codec);
    let producing = tokio::spawn(produce(producer, Arc::clone(&acknowledged)));
    for _ in 0..random.random_range(1..=2) {
        let moment = acknowledged.load(Ordering::Relaxed) + random.random_range(1..1_500);
        tokio::task::block_in_place(|| {
            eventually("acknowledgements", || {
                (acknowledged.load(Ordering::Relaxed) >= moment || producing.is_finished()).then_some(())
            });
            if victim != Victim::Target {
                world.east.kill9();
            }
            if victim != Victim::Source {
                world.west.kill9();
            }
            if victim != Victim::Target {
                world.east.restart();
            }
            if victim != Victim::Source {
                world.west.restart();
            }
        });
    }
    let sent = producing.await.expect("the producer ends");
    tokio::task::block_in_place(|| {
        world.assert_identical(TOPIC, PARTITIONS);
        let mirrored = client::read_topic(&world.west.bootstrap(), TOPIC);
        let values: Vec<&[u8]> = mirrored.values().flatten().filter_map(|record| record.payload()).collect();
        let distinct: HashSet<&[u8]> = values.iter().copied().collect();
        assert_eq!(distinct.len(), values.len(), "seed {seed}: records that are there twice");
        let missing = sent.iter().filter(|value| !distinct.contains(value.as_bytes())).count();
        assert_eq!(missing, 0, "seed {seed}: acknowledged records are missing at the target");
    });
}

/// Produces with a few records in flight; the values that were acknowledged.
async fn produce(producer: FutureProducer, acknowledged: Arc<AtomicU64>) -> Vec<String> {
    let mut values = Vec::new();
    for chunk in 0..RECORDS / 50 {
        let sent = (0..50).map(|at| {
            let value = format!("record-{chunk}-{at}-{}", "-".repeat(400));
            let record = FutureRecord::<str, str>::to(TOPIC).payload(&value);
            let queued =
                producer.send_result(record).map_err(|(error, _)| error).expect("the queue has room");
            (value.clone(), queued)
        });
        for (value, queued) in sent.collect::<Vec<_>>() {
            let answered = tokio::time::timeout(DEADLINE * 2, queued).await.expect("an answer in time");
            answered.expect("the producer lives").map_err(|(error, _)| error).expect("an acknowledgement");
            acknowledged.fetch_add(1, Ordering::Relaxed);
            values.push(value);
        }
    }
    values
}
