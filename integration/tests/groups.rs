//! Consumer groups: members come, go and die, partitions move, committed offsets stay.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
    time::Duration,
};

use integration::{DEADLINE, Daemon, client, eventually};
use rdkafka::{
    ClientConfig, ClientContext, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance},
    error::{KafkaError, RDKafkaErrorCode},
    producer::FutureRecord,
};

const POLL: Duration = Duration::from_millis(20);
const TOPIC: &str = "t";
const PARTITIONS: i32 = 6;

/// A member that remembers what it was given, what was taken from it, and what it read.
struct Member {
    consumer: BaseConsumer<Changes>,
    read: Mutex<Vec<(i32, i64)>>,
}

#[derive(Default)]
struct Changes(Mutex<Vec<Change>>);

#[derive(Debug, Clone, PartialEq)]
enum Change {
    Given(BTreeSet<i32>),
    Taken(BTreeSet<i32>),
}

impl ClientContext for Changes {}

impl ConsumerContext for Changes {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let change = match rebalance {
            Rebalance::Assign(partitions) => Change::Given(ids(partitions)),
            Rebalance::Revoke(partitions) => Change::Taken(ids(partitions)),
            Rebalance::Error(error) => panic!("rebalance failed: {error}"),
        };
        self.0.lock().unwrap().push(change);
    }
}

impl Member {
    fn join(daemon: &Daemon, settings: client::Settings<'_>) -> Self {
        let mut config = ClientConfig::new();
        let defaults: client::Settings<'_> = &[
            ("bootstrap.servers", &daemon.bootstrap()),
            ("group.id", "g"),
            ("auto.offset.reset", "earliest"),
            ("enable.auto.commit", "false"),
            ("session.timeout.ms", "6000"),
            ("heartbeat.interval.ms", "100"),
            ("reconnect.backoff.max.ms", "200"),
        ];
        for (name, value) in [defaults, settings].concat() {
            config.set(name, value);
        }
        let consumer: BaseConsumer<Changes> = config.create_with_context(Changes::default()).unwrap();
        consumer.subscribe(&[TOPIC]).unwrap();
        Self { consumer, read: Mutex::default() }
    }

    /// Goes on for a moment.
    fn poll(&self) {
        match self.consumer.poll(POLL) {
            Some(Ok(record)) => self.read.lock().unwrap().push((record.partition(), record.offset())),
            Some(Err(KafkaError::MessageConsumptionFatal(code))) => panic!("{code}"),
            Some(Err(_)) | None => {}
        }
    }

    fn partitions(&self) -> BTreeSet<i32> {
        ids(&self.consumer.assignment().unwrap())
    }

    fn changes(&self) -> Vec<Change> {
        self.consumer.context().0.lock().unwrap().clone()
    }

    /// Commits the position of every partition it has.
    fn commit(&self) {
        let position = self.consumer.position().unwrap();
        let mut read = TopicPartitionList::new();
        for element in position.elements().iter().filter(|element| element.offset() != Offset::Invalid) {
            read.add_partition_offset(TOPIC, element.partition(), element.offset()).unwrap();
        }
        if read.count() > 0 {
            self.consumer.commit(&read, CommitMode::Sync).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_move_as_members_join_and_leave() {
    let daemon = start().await;
    fill(&daemon, 20).await;
    let first = Member::join(&daemon, &[]);
    settle(&[&first], &[6]);
    read_until(&[&first], 120);
    first.commit();

    let second = Member::join(&daemon, &[]);
    settle(&[&first, &second], &[3, 3]);
    let third = Member::join(&daemon, &[]);
    settle(&[&first, &second, &third], &[2, 2, 2]);
    fill(&daemon, 20).await;
    read_until(&[&first, &second, &third], 240);
    [&first, &second, &third].into_iter().for_each(Member::commit);
    drop(second);
    settle(&[&first, &third], &[3, 3]);
    drop(first);
    settle(&[&third], &[6]);
    fill(&daemon, 20).await;
    let before = third.read.lock().unwrap().len();
    eventually("the last member to read what the others do not", || {
        third.poll();
        (third.read.lock().unwrap().len() >= before + 120).then_some(())
    });
    assert_eq!(third.read.lock().unwrap().len(), before + 120, "committed records are not read again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_member_is_replaced_after_its_session() {
    let daemon = start_with(Daemon::builder().set("broker.groups.session_timeout_min_ms", 500)).await;
    let short = [("session.timeout.ms", "1000")];
    // A static member that goes away says nothing, as one that died.
    let dead = Member::join(&daemon, &[("group.instance.id", "dead"), short[0]]);
    let alive = Member::join(&daemon, &[("session.timeout.ms", "6000")]);
    settle(&[&dead, &alive], &[3, 3]);
    drop(dead);
    settle(&[&alive], &[6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_static_member_comes_back_to_its_partitions_without_a_rebalance() {
    let daemon = start().await;
    let patient = ("session.timeout.ms", "60000");
    let first = Member::join(&daemon, &[("group.instance.id", "one"), patient]);
    let second = Member::join(&daemon, &[("group.instance.id", "two"), patient]);
    settle(&[&first, &second], &[3, 3]);
    let (had, undisturbed) = (second.partitions(), first.changes());
    drop(second);
    let back = Member::join(&daemon, &[("group.instance.id", "two"), patient]);
    settle(&[&first, &back], &[3, 3]);
    assert_eq!(back.partitions(), had);
    assert_eq!(first.changes(), undisturbed, "the other member noticed nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_members_with_one_instance_id_the_older_is_fenced() {
    let daemon = start().await;
    let older = Member::join(&daemon, &[("group.instance.id", "one")]);
    settle(&[&older], &[6]);
    let newer = Member::join(&daemon, &[("group.instance.id", "one")]);
    settle(&[&newer], &[6]);
    let fatal = eventually("the older member to be fenced", || {
        newer.poll();
        let _ = older.consumer.poll(POLL);
        older.consumer.client().fatal_error()
    });
    assert_eq!(fatal.0, RDKafkaErrorCode::FencedInstanceId, "{fatal:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn cooperative_members_keep_what_does_not_move() {
    let daemon = start().await;
    let cooperative = [("partition.assignment.strategy", "cooperative-sticky")];
    let first = Member::join(&daemon, &cooperative);
    settle(&[&first], &[6]);
    let second = Member::join(&daemon, &cooperative);
    settle(&[&first, &second], &[3, 3]);
    let taken: BTreeSet<i32> = first
        .changes()
        .iter()
        .flat_map(|change| match change {
            Change::Taken(partitions) => partitions.clone(),
            Change::Given(_) => BTreeSet::new(),
        })
        .collect();
    assert_eq!(taken, second.partitions(), "only what the second member got was taken from the first");
    drop(second);
    settle(&[&first], &[6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn committed_offsets_and_their_metadata_outlive_the_broker_and_the_members() {
    let mut daemon = start().await;
    fill(&daemon, 30).await;
    let consumer = client::consumer(&daemon.bootstrap(), "g", &[]);
    let mut offsets = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        let mut element = offsets.add_partition(TOPIC, partition);
        element.set_offset(Offset::Offset(i64::from(partition) + 10)).unwrap();
        element.set_metadata(format!("owner of {partition}; naïve"));
    }
    consumer.commit(&offsets, CommitMode::Sync).unwrap();
    daemon.kill9();
    daemon.restart();

    let other = client::consumer(&daemon.bootstrap(), "g", &[]);
    let committed = committed(&other);
    for partition in 0..PARTITIONS {
        let expected = (i64::from(partition) + 10, format!("owner of {partition}; naïve"));
        assert_eq!(committed[&partition], expected);
    }
    let member = Member::join(&daemon, &[]);
    let left: i64 = (0..PARTITIONS).map(|partition| 30 - (i64::from(partition) + 10)).sum();
    read_until(&[&member], usize::try_from(left).unwrap());
    let firsts = member.read.lock().unwrap().iter().rev().copied().collect::<BTreeMap<i32, i64>>();
    assert!(firsts.iter().all(|(partition, first)| *first == i64::from(*partition) + 10), "{firsts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_goes_on_through_a_killed_broker() {
    let mut daemon = start().await;
    let (first, second) = (Member::join(&daemon, &[]), Member::join(&daemon, &[]));
    settle(&[&first, &second], &[3, 3]);
    fill(&daemon, 10).await;
    read_until(&[&first, &second], 60);
    [&first, &second].into_iter().for_each(Member::commit);
    daemon.kill9();
    daemon.restart();

    fill(&daemon, 10).await;
    read_until(&[&first, &second], 120);
    settle(&[&first, &second], &[3, 3]);
    [&first, &second].into_iter().for_each(Member::commit);
    let other = client::consumer(&daemon.bootstrap(), "g", &[]);
    assert!(committed(&other).values().all(|(offset, _)| *offset == 20));
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_are_found_by_time_to_the_record() {
    let daemon = start().await;
    let producer =
        client::producer(&daemon.bootstrap(), &[("linger.ms", "100"), ("compression.type", "zstd")]);
    let sent = (0..1_000i64).map(|at| {
        let value = at.to_string();
        let record = FutureRecord::<str, str>::to(TOPIC).partition(0).timestamp(1_700_000_000_000 + at * 10);
        producer.send_result(record.payload(&value)).map_err(|(error, _)| error).unwrap()
    });
    for sent in sent.collect::<Vec<_>>() {
        sent.await.unwrap().unwrap();
    }

    let consumer = client::consumer(&daemon.bootstrap(), "g", &[]);
    let find = |timestamp: i64| {
        let mut times = TopicPartitionList::new();
        times.add_partition_offset(TOPIC, 0, Offset::Offset(timestamp)).unwrap();
        let found = consumer.offsets_for_times(times, DEADLINE).unwrap();
        found.find_partition(TOPIC, 0).unwrap().offset()
    };
    assert_eq!(find(0), Offset::Offset(0));
    for at in [1, 500, 998, 999] {
        assert_eq!(find(1_700_000_000_000 + at * 10), Offset::Offset(at), "the record's own time");
        assert_eq!(find(1_700_000_000_000 + at * 10 - 5), Offset::Offset(at), "between two records");
    }
    assert_eq!(find(1_700_000_000_000 + 9_991), Offset::End, "later than all");

    let mut from = TopicPartitionList::new();
    from.add_partition_offset(TOPIC, 0, find(1_700_000_000_000 + 7_770)).unwrap();
    consumer.assign(&from).unwrap();
    assert_eq!(client::receive(&consumer).payload(), Some(&b"777"[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_groups_read_the_same_topic_without_touching_each_other() {
    let daemon = start().await;
    fill(&daemon, 5).await;
    let groups: Vec<String> = (0..20).map(|at| format!("group {at}")).collect();
    let members: Vec<Member> =
        groups.iter().map(|group| Member::join(&daemon, &[("group.id", group)])).collect();
    for (at, member) in members.iter().enumerate() {
        read_until(&[member], 30);
        if at % 2 == 0 {
            member.commit();
        }
    }
    for (at, group) in groups.iter().enumerate() {
        let consumer = client::consumer(&daemon.bootstrap(), group, &[]);
        let all_at = |expected: i64| committed(&consumer).values().all(|(offset, _)| *offset == expected);
        assert!(all_at(if at % 2 == 0 { 5 } else { -1 }), "{group}");
    }
}

async fn start() -> Daemon {
    start_with(Daemon::builder()).await
}

async fn start_with(builder: integration::DaemonBuilder) -> Daemon {
    let daemon = builder.start();
    client::create_topic(&daemon.bootstrap(), TOPIC, PARTITIONS, &[]).await;
    daemon
}

/// Produces the same number of records to every partition.
async fn fill(daemon: &Daemon, records: usize) {
    let producer = client::producer(&daemon.bootstrap(), &[]);
    let sent = (0..records).flat_map(|_| 0..PARTITIONS).map(|partition| {
        let record = FutureRecord::<str, str>::to(TOPIC).partition(partition).payload("v");
        producer.send_result(record).map_err(|(error, _)| error).unwrap()
    });
    for sent in sent.collect::<Vec<_>>() {
        sent.await.unwrap().unwrap();
    }
}

/// Polls all members until they have so many partitions each, in any order, and every partition once.
#[track_caller]
fn settle(members: &[&Member], counts: &[usize]) {
    eventually(&format!("partitions to be shared out as {counts:?}"), || {
        members.iter().for_each(|member| member.poll());
        let shares: Vec<BTreeSet<i32>> = members.iter().map(|member| member.partitions()).collect();
        let mut sizes: Vec<usize> = shares.iter().map(BTreeSet::len).collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        let all: BTreeSet<i32> = shares.iter().flatten().copied().collect();
        let whole = all.len() == usize::try_from(PARTITIONS).unwrap();
        (whole && sizes == counts).then_some(())
    });
}

/// Polls all members until they have read so many records together, over their lives.
#[track_caller]
fn read_until(members: &[&Member], count: usize) {
    eventually(&format!("{count} records"), || {
        members.iter().for_each(|member| member.poll());
        let read: usize = members.iter().map(|member| member.read.lock().unwrap().len()).sum();
        assert!(read <= count, "{read} records were read, {count} expected");
        (read == count).then_some(())
    });
}

/// Committed offset and metadata by partition; -1 where there is none.
#[track_caller]
fn committed(consumer: &BaseConsumer) -> BTreeMap<i32, (i64, String)> {
    let mut all = TopicPartitionList::new();
    all.add_partition_range(TOPIC, 0, PARTITIONS - 1);
    let committed = consumer.committed_offsets(all, DEADLINE).unwrap();
    let element = |element: &rdkafka::topic_partition_list::TopicPartitionListElem<'_>| {
        let offset = match element.offset() {
            Offset::Offset(offset) => offset,
            _ => -1,
        };
        (element.partition(), (offset, element.metadata().to_owned()))
    };
    committed.elements().iter().map(element).collect()
}

fn ids(partitions: &TopicPartitionList) -> BTreeSet<i32> {
    partitions.elements().iter().map(|element| element.partition()).collect()
}
