//! `kill -9` under load, at moments that a seed decides.
//!
//! Producers of unique values and a committer run while the daemon dies and comes back; then every acknowledged
//! record must be where its acknowledgement said, once (idempotent producers) or at least once (plain ones), in the
//! order it was sent, and every acknowledged commit must still be there. `ISTHMUS_CRASH_SEED` runs one seed again.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    env,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use integration::{DEADLINE, Daemon, client, eventually};
use rand::{Rng, SeedableRng, rngs::StdRng};
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{CommitMode, Consumer},
    message::OwnedMessage,
    producer::{FutureProducer, FutureRecord},
};

const SEEDS: u64 = 20;
const AT_ONCE: usize = 4;
const TOPIC: &str = "t";
const PARTITIONS: i32 = 3;
/// Makes records large enough for segments to be rolled.
const PADDING: &str =
    "----------------------------------------------------------------------------------------";
const IDEMPOTENT: [&str; 2] = ["i0", "i1"];
const PLAIN: [&str; 2] = ["p0", "p1"];

/// Where a record was acknowledged to lie, by value.
type Acknowledged = HashMap<String, (i32, i64)>;

/// What the load did, as far as the broker acknowledged it.
#[derive(Default)]
struct Load {
    over: AtomicBool,
    acknowledgements: AtomicU64,
    committed: AtomicI64,
    attempted: AtomicI64,
}

/// Ends the load also when the test fails, since its threads are awaited.
struct EndOnDrop<'a>(&'a Load);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::Relaxed);
    }
}

#[test]
fn what_was_acknowledged_survives_kill_9_under_load() {
    let seeds = match env::var("ISTHMUS_CRASH_SEED") {
        Ok(seed) => vec![seed.parse().expect("ISTHMUS_CRASH_SEED is a number")],
        Err(_) => (1..=SEEDS).collect(),
    };
    let waiting = Mutex::new(VecDeque::from(seeds));
    let failed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(seed) = next(&waiting) {
                    let run = thread::Builder::new().name(format!("seed {seed}")).spawn(move || run(seed));
                    if run.expect("a thread starts").join().is_err() {
                        failed.lock().unwrap().push(seed);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "failed with ISTHMUS_CRASH_SEED = {failed:?}");
}

fn next(waiting: &Mutex<VecDeque<u64>>) -> Option<u64> {
    waiting.lock().unwrap().pop_front()
}

fn run(seed: u64) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut random = StdRng::seed_from_u64(seed);
    // The smallest segments there are: recovery meets rolls, too.
    let mut daemon = Daemon::builder().set("broker.groups.offsets_partitions", 2).start();
    let settings = [("segment.bytes", "1048576")];
    runtime.block_on(client::create_topic(&daemon.bootstrap(), TOPIC, PARTITIONS, &settings));
    let load = Load::default();
    let bootstrap = daemon.bootstrap();
    let acknowledged = thread::scope(|scope| {
        let producing: Vec<_> = IDEMPOTENT
            .into_iter()
            .chain(PLAIN)
            .map(|name| {
                let producer = producer(&bootstrap, name, &mut random);
                let (load, handle) = (&load, runtime.handle());
                scope.spawn(move || handle.block_on(produce(name, &producer, load)))
            })
            .collect();
        let committing = scope.spawn(|| commit(&bootstrap, &load));
        let ending = EndOnDrop(&load);
        for _ in 0..random.random_range(2..=4) {
            let moment = load.acknowledgements.load(Ordering::Relaxed) + random.random_range(1..3_000);
            eventually("acknowledgements", || {
                (load.acknowledgements.load(Ordering::Relaxed) >= moment).then_some(())
            });
            daemon.kill9();
            daemon.restart();
        }
        drop(ending);
        committing.join().expect("the committer ends");
        producing.into_iter().flat_map(|producing| producing.join().expect("a producer ends")).collect()
    });
    check_records(&client::read_topic(&daemon.bootstrap(), TOPIC), &acknowledged);
    check_commits(&daemon, &load);
    assert!(daemon.terminate().success());
}

fn producer(bootstrap: &str, name: &str, random: &mut StdRng) -> FutureProducer {
    let batch = random.random_range(1..100).to_string();
    let codec = ["none", "lz4", "zstd"][random.random_range(0..3)];
    let common = [
        ("batch.num.messages", batch.as_str()),
        ("compression.type", codec),
        ("message.timeout.ms", "120000"),
        ("retry.backoff.ms", "20"),
        ("linger.ms", "1"),
    ];
    let idempotent = [("enable.idempotence", "true"), ("max.in.flight.requests.per.connection", "5")];
    // Order without idempotence is promised only to producers with one request in flight.
    let plain = [("enable.idempotence", "false"), ("max.in.flight.requests.per.connection", "1")];
    let own = if IDEMPOTENT.contains(&name) { idempotent } else { plain };
    client::producer(bootstrap, &[&common[..], &own].concat())
}

/// Sends `name 0`, `name 1`, ... round the partitions until the load is over.
async fn produce(name: &str, producer: &FutureProducer, load: &Load) -> Acknowledged {
    let mut acknowledged = Acknowledged::new();
    let mut in_flight = VecDeque::new();
    let mut next = 0u32;
    loop {
        let over = load.over.load(Ordering::Relaxed);
        while !over && in_flight.len() < 100 {
            let value = format!("{name} {next} {PADDING}");
            let partition = i32::try_from(next).unwrap() % PARTITIONS;
            let record = FutureRecord::<str, str>::to(TOPIC).partition(partition).payload(&value);
            let delivery =
                producer.send_result(record).map_err(|(error, _)| error).expect("room in the queue");
            in_flight.push_back((value, delivery));
            next += 1;
        }
        let Some((value, delivery)) = in_flight.pop_front() else {
            return acknowledged;
        };
        let delivered = delivery.await.expect("the producer lives");
        // The client goes on for two minutes, and the broker is away for moments only.
        let delivered = delivered.map_err(|(error, _)| error).expect("a record is delivered in the end");
        acknowledged.insert(value, (delivered.partition, delivered.offset));
        load.acknowledgements.fetch_add(1, Ordering::Relaxed);
    }
}

/// Commits 1, 2, 3, ... for all partitions until the load is over.
fn commit(bootstrap: &str, load: &Load) {
    let consumer = client::consumer(bootstrap, "g", &[("socket.timeout.ms", "5000")]);
    let mut next = 1;
    while !load.over.load(Ordering::Relaxed) {
        let mut offsets = TopicPartitionList::new();
        for partition in 0..PARTITIONS {
            offsets.add_partition_offset(TOPIC, partition, Offset::Offset(next)).unwrap();
        }
        load.attempted.store(next, Ordering::Relaxed);
        if consumer.commit(&offsets, CommitMode::Sync).is_ok() {
            load.committed.store(next, Ordering::Relaxed);
        } else {
            // Lets the client see that the broker is back.
            consumer.poll(Duration::from_millis(10));
        }
        next += 1;
    }
}

fn check_records(found: &BTreeMap<i32, Vec<OwnedMessage>>, acknowledged: &Acknowledged) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut last: HashMap<(i32, String), u32> = HashMap::new();
    let mut at: HashMap<(i32, i64), String> = HashMap::new();
    for (partition, records) in found {
        for record in records {
            let value = String::from_utf8(record.payload().expect("values are not null").to_vec()).unwrap();
            let (name, number) = value.split_once(' ').expect("only our values are there");
            let number = number.strip_suffix(PADDING).expect("only our values are there").trim_end();
            let number: u32 = number.parse().expect("only our values are there");
            let seen_before = counts.entry(value.clone()).or_default();
            *seen_before += 1;
            if *seen_before == 1 {
                let before = last.insert((*partition, name.to_owned()), number);
                assert!(before.is_none_or(|before| before < number), "{value} comes after {before:?}");
            }
            at.insert((*partition, record.offset()), value);
        }
    }
    for (value, place) in acknowledged {
        assert_eq!(at.get(place), Some(value), "{value} was acknowledged at {place:?}");
    }
    for (value, count) in counts {
        let once = PLAIN.iter().any(|name| value.starts_with(name)) || count == 1;
        assert!(once, "{value} is there {count} times");
    }
    assert!(!acknowledged.is_empty());
}

fn check_commits(daemon: &Daemon, load: &Load) {
    let (acknowledged, attempted) =
        (load.committed.load(Ordering::Relaxed), load.attempted.load(Ordering::Relaxed));
    assert!(acknowledged > 0, "commits went through");
    let consumer = client::consumer(&daemon.bootstrap(), "g", &[]);
    let mut asked = TopicPartitionList::new();
    asked.add_partition_range(TOPIC, 0, PARTITIONS - 1);
    let committed = consumer.committed_offsets(asked, DEADLINE).expect("the broker answers OffsetFetch");
    for element in committed.elements() {
        let Offset::Offset(offset) = element.offset() else {
            panic!("partition {} lost its commits", element.partition());
        };
        let place = (acknowledged..=attempted).contains(&offset);
        assert!(place, "committed is {offset}, acknowledged was {acknowledged}, attempted {attempted}");
    }
}
