//! Cases 18 to 25 of what a correct replicator must handle, each by name, and exactness against a model.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use proptest::prelude::*;

use protocol::{GroupId, LeaderEpoch, Offset, PartitionId, TopicId, TopicName, Uuid};

use super::*;
use crate::{
    ownership::HomeGeneration,
    position::{SourceOffset, TargetOffset},
};

const TOPIC: TopicId = TopicId(Uuid::from_u128(7));

/// A target where topic `orders` is mirrored under an offset shift (0: a replica), and every group flows.
struct Target {
    flow: Option<HomeGeneration>,
    carried: bool,
    shift: i64,
    /// (log start, durable end) at the target, by partition.
    logs: BTreeMap<i32, (i64, i64)>,
}

impl Target {
    fn with_log(start: i64, end: i64) -> Self {
        let logs = BTreeMap::from([(0, (start, end)), (1, (start, end))]);
        Self { flow: Some(HomeGeneration(1)), carried: true, shift: 0, logs }
    }
}

impl Translate for Target {
    fn group_flow(&self, _: &GroupId) -> Option<HomeGeneration> {
        self.flow
    }

    fn translate(&self, topic_id: TopicId, partition: PartitionId, committed: SourceOffset) -> Translation {
        if !self.carried {
            return Translation::NotCarried;
        }
        let Some((start, end)) = self.logs.get(&partition.0).copied() else { return Translation::NotYet };
        let mirrored_to = end - self.shift;
        Translation::Here(Located {
            topic: TopicName::from("orders"),
            topic_id,
            partition,
            // What a table answers; an identity is not bounded by the log.
            offset: target(match self.shift {
                0 => committed.offset().0,
                shift => committed.offset().0.min(mirrored_to) + shift,
            }),
            mirrored_to: source(mirrored_to),
            log_start: target(start),
            durable_end: target(end),
            leader_epoch: LeaderEpoch(4),
        })
    }
}

fn source(offset: i64) -> SourceOffset {
    SourceOffset::new(Offset(offset))
}

fn target(offset: i64) -> TargetOffset {
    TargetOffset::new(Offset(offset))
}

fn committed(partition: i32, offset: i64) -> Event {
    Event::Committed(SourceCommit {
        group: GroupId::from("g"),
        topic_id: TOPIC,
        partition: PartitionId(partition),
        offset: source(offset),
        metadata: Arc::from(""),
        generation: HomeGeneration(1),
    })
}

fn arrived() -> Event {
    Event::Arrived { topic_id: TOPIC, partition: PartitionId(0) }
}

fn gone() -> Event {
    Event::Gone { group: GroupId::from("g"), topic_id: TOPIC, partition: PartitionId(0) }
}

/// The sync under test; every batch is applied at once unless told otherwise.
struct Bench {
    sync: GroupSync,
    world: Target,
    refusal: Option<Refusal>,
    applied: HashMap<i32, i64>,
    batches: Vec<Vec<TargetCommit>>,
    removed: usize,
}

impl Bench {
    fn new(world: Target) -> Self {
        Self {
            sync: GroupSync::new(Deletions::Keep),
            world,
            refusal: None,
            applied: HashMap::new(),
            batches: Vec::new(),
            removed: 0,
        }
    }

    fn tell(&mut self, event: Event) -> &mut Self {
        let mut out = self.handle(event);
        while let Some(command) = out.pop() {
            let (group, round, commits) = match command {
                Command::Apply { group, round, commits, .. } => (group, round, commits),
                Command::Remove { group, round, partitions, .. } => {
                    self.removed += partitions.len();
                    (group, round, Vec::new())
                }
            };
            let answer = match self.refusal {
                Some(refusal) => Event::Refused { group, round, refusal },
                None => Event::Applied { group, round },
            };
            if self.refusal.is_none() {
                for commit in &commits {
                    self.applied.insert(commit.partition.0, commit.offset.offset().0);
                }
                self.batches.push(commits);
            }
            out.extend(self.handle(answer));
        }
        self
    }

    fn handle(&mut self, event: Event) -> Vec<Command> {
        let mut out = Vec::new();
        self.sync.handle(Duration::ZERO, event, &self.world, &mut out);
        out
    }

    fn row(&self) -> GroupRow {
        self.sync.rows().next().unwrap()
    }
}

#[test]
fn case_18_a_commit_carries_the_epoch_of_the_target() {
    let mut bench = Bench::new(Target::with_log(0, 100));
    bench.tell(committed(0, 50));
    assert_eq!(bench.batches[0][0].leader_epoch, LeaderEpoch(4));
}

#[test]
fn case_19_a_partition_without_a_commit_stays_without() {
    let mut bench = Bench::new(Target::with_log(0, 100));
    bench.tell(committed(1, 50)).tell(arrived()).tell(Event::FlowsChanged).tell(committed(0, -1));
    assert_eq!(bench.applied, HashMap::from([(1, 50)]));
}

#[test]
fn case_20_a_commit_ahead_of_the_mirror_is_held_back_and_moves_on_as_data_arrives() {
    let mut bench = Bench::new(Target::with_log(0, 100));
    bench.tell(committed(0, 130));
    assert_eq!((bench.applied[&0], bench.row().state), (100, RowState::AheadOfMirror));
    assert_eq!(bench.row().committed, Some(source(130)), "the true position is kept");

    bench.world.logs.insert(0, (0, 120));
    bench.tell(arrived());
    assert_eq!((bench.applied[&0], bench.row().state), (120, RowState::AheadOfMirror));

    bench.world.logs.insert(0, (0, 500));
    bench.tell(arrived());
    assert_eq!((bench.applied[&0], bench.row().state), (130, RowState::InSync));

    let batches = bench.batches.len();
    bench.tell(arrived());
    assert_eq!(bench.batches.len(), batches, "once in place, data moves nothing");
}

#[test]
fn case_21_a_commit_below_the_log_start_is_raised_and_counted() {
    let mut bench = Bench::new(Target::with_log(40, 100));
    bench.tell(committed(0, 10));
    assert_eq!((bench.applied[&0], bench.row().state, bench.row().skipped), (40, RowState::BelowStart, 30));
    assert_eq!(bench.sync.totals().skipped, 30);

    // Retention moves on; the group is where it was put.
    bench.world.logs.insert(0, (60, 100));
    bench.tell(Event::FlowsChanged);
    assert_eq!(bench.applied[&0], 40);
}

#[test]
fn case_22_an_active_group_is_never_written_over_and_tried_again_when_it_is_empty() {
    let mut bench = Bench::new(Target::with_log(0, 100));
    bench.refusal = Some(Refusal::Active);
    bench.tell(committed(0, 50));
    assert!(bench.row().conflict && bench.applied.is_empty());
    assert_eq!(bench.sync.totals().conflicts, 1);

    bench.tell(arrived()).tell(Event::FlowsChanged);
    assert_eq!(bench.sync.totals().conflicts, 1, "nothing but a commit or its end is worth another try");

    bench.refusal = None;
    bench.tell(Event::TargetEmpty { group: GroupId::from("g") });
    assert_eq!((bench.applied[&0], bench.row().conflict), (50, false));
}

/// The refusal and the news that the group is empty may come in either order.
#[test]
fn case_22_a_group_that_is_empty_before_its_refusal_is_heard_is_tried_again() {
    for empty in [Event::TargetEmpty { group: GroupId::from("g") }, Event::TargetsMayBeEmpty] {
        for refusal in [Refusal::Active, Refusal::Unavailable] {
            let mut bench = Bench::new(Target::with_log(0, 100));
            bench.refusal = Some(Refusal::Active);
            bench.tell(committed(0, 50));
            let out = bench.handle(committed(0, 60));
            let [Command::Apply { group, round, .. }] = &out[..] else { panic!("{out:?}") };
            let refused = Event::Refused { group: group.clone(), round: *round, refusal };
            assert!(bench.handle(empty.clone()).is_empty(), "one batch at a time");
            let again = bench.handle(refused).len();
            assert_eq!((again, bench.row().conflict), (usize::from(refusal == Refusal::Active), false));
        }
    }
}

#[test]
fn case_22_a_newer_commit_is_another_try() {
    let mut bench = Bench::new(Target::with_log(0, 100));
    bench.refusal = Some(Refusal::Active);
    bench.tell(committed(0, 50));
    bench.refusal = None;
    bench.tell(committed(0, 60));
    assert_eq!((bench.applied[&0], bench.row().conflict), (60, false));
}

#[test]
fn case_23_a_rewind_at_the_source_is_followed() {
    let mut bench = Bench::new(Target::with_log(0, 100));
    bench.tell(committed(0, 80)).tell(committed(0, 5));
    assert_eq!(bench.applied[&0], 5);
}

#[test]
fn case_23_nothing_of_the_old_home_is_applied_after_the_home_moved() {
    let mut bench = Bench::new(Target::with_log(0, 100));
    bench.tell(committed(0, 80));
    bench.world.flow = None;
    bench.tell(Event::FlowsChanged).tell(committed(0, 5));
    assert_eq!((bench.applied[&0], bench.row().state), (80, RowState::NotCarried));

    // The home came back to the source at a higher generation: only what it says at that one counts.
    bench.world.flow = Some(HomeGeneration(3));
    bench.tell(Event::FlowsChanged).tell(committed(0, 6));
    assert_eq!((bench.applied[&0], bench.row().state), (80, RowState::OtherGeneration));
    assert_eq!(bench.sync.totals().stale, 1);
}

#[test]
fn case_24_a_deletion_is_followed_only_by_policy() {
    let mut bench = Bench::new(Target::with_log(0, 100));
    bench.tell(committed(0, 50)).tell(gone());
    assert_eq!((bench.removed, bench.applied[&0], bench.sync.rows().count()), (0, 50, 0));

    let mut bench = Bench::new(Target::with_log(0, 100));
    bench.sync = GroupSync::new(Deletions::Follow);
    bench.tell(committed(0, 50)).tell(gone());
    assert_eq!((bench.removed, bench.sync.rows().count()), (1, 0));
}

#[test]
fn case_25_a_commit_in_an_emptied_partition_becomes_the_end_of_the_target() {
    // A merged topic: 10 records went to 200..210, then the source emptied; the group stands at the source's end.
    let mut bench = Bench::new(Target { shift: 200, ..Target::with_log(200, 210) });
    bench.tell(committed(0, 10));
    assert_eq!((bench.applied[&0], bench.row().state), (210, RowState::InSync));

    // Nothing was ever mirrored: the start of the empty log, and on from there.
    let mut bench = Bench::new(Target::with_log(0, 0));
    bench.tell(committed(0, 50));
    assert_eq!((bench.applied[&0], bench.row().state), (0, RowState::AheadOfMirror));
    bench.world.logs.insert(0, (50, 50));
    bench.tell(arrived());
    assert_eq!((bench.applied[&0], bench.row().state), (50, RowState::InSync));
}

#[test]
fn commits_of_a_topic_that_is_not_here_yet_wait_for_it() {
    let mut bench = Bench::new(Target { logs: BTreeMap::new(), ..Target::with_log(0, 0) });
    bench.tell(committed(0, 50));
    assert_eq!((bench.applied.len(), bench.row().state), (0, RowState::NotHere));
    bench.world.logs.insert(0, (0, 100));
    bench.tell(arrived());
    assert_eq!(bench.applied[&0], 50);
}

#[test]
fn a_topic_that_does_not_flow_gets_no_commits() {
    let mut bench = Bench::new(Target { carried: false, ..Target::with_log(0, 100) });
    bench.tell(committed(0, 50)).tell(arrived());
    assert_eq!((bench.applied.len(), bench.row().state), (0, RowState::NotCarried));
}

#[test]
fn commits_during_a_batch_are_taken_by_the_next_one_and_only_the_newest_counts() {
    let mut bench = Bench::new(Target::with_log(0, 100));
    let first = bench.handle(committed(0, 1));
    let [Command::Apply { group, round, .. }] = first.as_slice() else { panic!("{first:?}") };
    for offset in 2..50 {
        assert_eq!(bench.handle(committed(0, offset)), []);
    }
    assert_eq!(bench.handle(committed(1, 9)), []);
    assert_eq!(bench.row().state, RowState::Pending);
    let next = bench.handle(Event::Applied { group: group.clone(), round: *round });
    let [Command::Apply { commits, .. }] = next.as_slice() else { panic!("{next:?}") };
    let offsets: Vec<_> =
        commits.iter().map(|commit| (commit.partition.0, commit.offset.offset().0)).collect();
    assert_eq!(offsets, [(0, 49), (1, 9)]);
}

#[test]
fn a_coordinator_that_cannot_answer_is_given_growing_pauses() {
    let mut bench = Bench::new(Target::with_log(0, 100));
    bench.refusal = Some(Refusal::Unavailable);
    bench.tell(committed(0, 50)).tell(committed(0, 51));
    let first = bench.sync.next_deadline().unwrap();
    let mut out = Vec::new();
    bench.sync.handle(first, Event::DeadlinePassed, &bench.world, &mut out);
    let [Command::Apply { group, round, commits, .. }] = out.as_slice() else { panic!("{out:?}") };
    assert_eq!(commits[0].offset, target(51));
    let (group, round) = (group.clone(), *round);
    let event = Event::Refused { group, round, refusal: Refusal::Unavailable };
    bench.sync.handle(first, event, &bench.world, &mut Vec::new());
    assert!(bench.sync.next_deadline().unwrap() - first > first);
}

proptest! {
    /// Whatever came before, once all is mirrored and every batch was applied, the target stands where the source does.
    #[test]
    fn with_identity_and_nothing_to_clamp_the_target_is_the_source(
        steps in proptest::collection::vec((0..2_i32, 0..200_i64, 0..4_u8), 1..60)
    ) {
        let mut bench = Bench::new(Target::with_log(0, 0));
        let mut model = HashMap::new();
        for (partition, number, what) in steps {
            bench.refusal = None;
            match what {
                0 | 1 => {
                    bench.refusal = (what == 1).then_some(Refusal::Active);
                    model.insert(partition, number);
                    bench.tell(committed(partition, number));
                }
                2 => {
                    let end = bench.world.logs[&partition].1.max(number);
                    bench.world.logs.insert(partition, (0, end));
                    bench.tell(Event::Arrived { topic_id: TOPIC, partition: PartitionId(partition) });
                }
                _ => {
                    bench.tell(Event::FlowsChanged);
                }
            }
            for (partition, offset) in &bench.applied {
                prop_assert!(*offset <= bench.world.logs[partition].1, "never past what is here");
            }
        }
        for partition in 0..2 {
            bench.world.logs.insert(partition, (0, 200));
            bench.tell(Event::Arrived { topic_id: TOPIC, partition: PartitionId(partition) });
        }
        bench.refusal = None;
        bench.tell(Event::TargetEmpty { group: GroupId::from("g") });
        prop_assert_eq!(bench.applied, model);
    }
}
