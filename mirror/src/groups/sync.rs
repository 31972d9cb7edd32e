//! The group sync of one link. Coalescing needs no timer: while a batch of a group is in flight, newer positions replace
//! older ones, and the next batch takes them all.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    mem,
    sync::Arc,
    time::Duration,
};

use protocol::{GroupId, PartitionId, TopicName};

use super::{
    clamp::clamp,
    command::{Command, TargetCommit},
    entry::{Applied, Entry, GroupRow, Key, RowState},
    event::{Event, Refusal, Round, SourceCommit},
    translate::{Translate, Translation},
};
use crate::ownership::HomeGeneration;

/// First and longest pause after the coordinator could not answer.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Whether a position that is deleted or expires at the source is removed here too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deletions {
    /// It stays until the target's own retention of offsets ends it.
    #[default]
    Keep,
    Follow,
}

/// Counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupTotals {
    pub applied: u64,
    /// Batches refused because the group was active here.
    pub conflicts: u64,
    /// Positions of a home generation that was no longer the current one.
    pub stale: u64,
    /// Records that groups will not see here because they are below the log start.
    pub skipped: u64,
}

#[derive(Debug, Default)]
pub struct GroupSync {
    deletions: Deletions,
    groups: BTreeMap<GroupId, Group>,
    /// Whose positions wait for data of a partition.
    waiting: HashMap<Key, BTreeSet<GroupId>>,
    /// Groups to try again, and when.
    retries: BTreeMap<GroupId, Duration>,
    round: Round,
    totals: GroupTotals,
}

#[derive(Debug, Default)]
struct Group {
    entries: BTreeMap<Key, Entry>,
    in_flight: Option<Batch>,
    /// Active here when it was last tried.
    conflict: bool,
    pause: Duration,
}

#[derive(Debug)]
struct Batch {
    round: Round,
    rows: Vec<(Key, Option<Applied>)>,
    /// The group lost its last member meanwhile: that it was active is no news any more.
    emptied: bool,
}

impl GroupSync {
    pub fn new(deletions: Deletions) -> Self {
        Self { deletions, ..Self::default() }
    }

    pub fn handle(&mut self, now: Duration, event: Event, world: &impl Translate, out: &mut Vec<Command>) {
        match event {
            Event::Committed(commit) => self.on_committed(commit, world, out),
            Event::Gone { group, topic_id, partition } => {
                self.on_gone(group, (topic_id, partition), world, out)
            }
            Event::Arrived { topic_id, partition } => {
                for group in self.waiting.remove(&(topic_id, partition)).unwrap_or_default() {
                    self.push(&group, world, out);
                }
            }
            Event::TargetEmpty { group } => self.on_empty(&group, world, out),
            Event::TargetsMayBeEmpty => {
                for group in self.groups.keys().cloned().collect::<Vec<_>>() {
                    self.on_empty(&group, world, out);
                }
            }
            Event::FlowsChanged => {
                for group in self.groups.keys().cloned().collect::<Vec<_>>() {
                    self.push(&group, world, out);
                }
            }
            Event::Applied { group, round } => self.on_applied(&group, round, world, out),
            Event::Refused { group, round, refusal } => {
                self.on_refused(now, &group, round, refusal, world, out)
            }
            Event::DeadlinePassed => {
                let due = |(group, at): (&GroupId, &Duration)| (*at <= now).then(|| group.clone());
                for group in self.retries.iter().filter_map(due).collect::<Vec<_>>() {
                    self.retries.remove(&group);
                    self.push(&group, world, out);
                }
            }
        }
    }

    /// When [`Event::DeadlinePassed`] is due.
    pub fn next_deadline(&self) -> Option<Duration> {
        self.retries.values().min().copied()
    }

    pub fn totals(&self) -> GroupTotals {
        self.totals
    }

    pub fn rows(&self) -> impl Iterator<Item = GroupRow> {
        self.groups.iter().flat_map(|(name, group)| {
            group.entries.iter().map(|((topic_id, partition), entry)| GroupRow {
                group: name.clone(),
                topic_id: *topic_id,
                partition: *partition,
                committed: entry.committed,
                applied: entry.applied.as_ref().map(|applied| applied.offset),
                state: entry.shown(),
                conflict: group.conflict,
                skipped: entry.skipped,
            })
        })
    }

    fn on_committed(&mut self, commit: SourceCommit, world: &impl Translate, out: &mut Vec<Command>) {
        // "No offset" is no position.
        if commit.offset.offset().0 < 0 {
            return;
        }
        let name = commit.group.detached();
        if world.group_flow(&name).is_some_and(|current| current > commit.generation) {
            self.totals.stale = self.totals.stale.saturating_add(1);
            return;
        }
        let entries = &mut self.groups.entry(name.clone()).or_default().entries;
        let key = (commit.topic_id, commit.partition);
        let known = entries.get(&key);
        if known.is_some_and(|known| known.generation > commit.generation) {
            self.totals.stale = self.totals.stale.saturating_add(1);
            return;
        }
        let applied = known.and_then(|known| known.applied.clone());
        let entry = Entry {
            committed: Some(commit.offset),
            metadata: commit.metadata,
            generation: commit.generation,
            applied,
            state: RowState::Pending,
            skipped: 0,
        };
        entries.insert(key, entry);
        self.push_although_active(&name, world, out);
    }

    fn on_gone(&mut self, group: GroupId, key: Key, world: &impl Translate, out: &mut Vec<Command>) {
        let Some(known) = self.groups.get_mut(&group) else { return };
        match (self.deletions, known.entries.get_mut(&key)) {
            (Deletions::Follow, Some(entry)) if entry.applied.is_some() || known.in_flight.is_some() => {
                entry.committed = None;
                entry.state = RowState::Pending;
                self.push(&group, world, out);
            }
            _ => {
                known.entries.remove(&key);
            }
        }
    }

    fn on_empty(&mut self, group: &GroupId, world: &impl Translate, out: &mut Vec<Command>) {
        let Some(known) = self.groups.get_mut(group) else { return };
        if let Some(batch) = &mut known.in_flight {
            batch.emptied = true;
        } else if mem::take(&mut known.conflict) {
            self.push_although_active(group, world, out);
        }
    }

    fn on_applied(&mut self, name: &GroupId, round: Round, world: &impl Translate, out: &mut Vec<Command>) {
        let Some(group) = self.groups.get_mut(name) else { return };
        let Some(batch) = group.in_flight.take_if(|batch| batch.round == round) else { return };
        group.conflict = false;
        group.pause = Duration::ZERO;
        let count = u64::try_from(batch.rows.len()).unwrap_or(u64::MAX);
        self.totals.applied = self.totals.applied.saturating_add(count);
        for (key, applied) in batch.rows {
            let Some(entry) = group.entries.get_mut(&key) else { continue };
            self.totals.skipped = self.totals.skipped.saturating_add(entry.skipped);
            entry.applied = applied;
            if entry.committed.is_none() && entry.applied.is_none() {
                group.entries.remove(&key);
            }
        }
        self.push(name, world, out);
    }

    fn on_refused(
        &mut self,
        now: Duration,
        name: &GroupId,
        round: Round,
        refusal: Refusal,
        world: &impl Translate,
        out: &mut Vec<Command>,
    ) {
        let Some(group) = self.groups.get_mut(name) else { return };
        let Some(batch) = group.in_flight.take_if(|batch| batch.round == round) else { return };
        group.conflict &= !batch.emptied;
        match refusal {
            Refusal::Active => {
                self.totals.conflicts = self.totals.conflicts.saturating_add(1);
                group.conflict = !batch.emptied;
                self.push(name, world, out);
            }
            Refusal::Unavailable => {
                group.pause = group.pause.saturating_mul(2).clamp(PAUSE_MIN, PAUSE_MAX);
                self.retries.insert(name.clone(), now.saturating_add(group.pause));
            }
        }
    }

    /// Unless the group was active here when it was last tried, or the coordinator is given a rest.
    fn push(&mut self, name: &GroupId, world: &impl Translate, out: &mut Vec<Command>) {
        if self.groups.get(name).is_some_and(|group| !group.conflict) {
            self.push_although_active(name, world, out);
        }
    }

    /// All that this group has to apply, as one batch, unless one is in flight.
    fn push_although_active(&mut self, name: &GroupId, world: &impl Translate, out: &mut Vec<Command>) {
        let Some(group) = self.groups.get_mut(name) else { return };
        if group.in_flight.is_some() || self.retries.contains_key(name) {
            return;
        }
        let flow = world.group_flow(name);
        let (mut commits, mut rows) = (Vec::new(), Vec::new());
        let (mut gone, mut gone_rows) = (Vec::new(), Vec::new());
        for (key, entry) in &mut group.entries {
            match place(*key, entry, flow, world) {
                Placed::Commit(commit, applied) => {
                    commits.push(commit);
                    rows.push((*key, Some(applied)));
                }
                Placed::Remove(topic, partition) => {
                    gone.push((topic, partition));
                    gone_rows.push((*key, None));
                }
                Placed::Nothing => {}
            }
            if matches!(entry.state, RowState::AheadOfMirror | RowState::NotHere) {
                self.waiting.entry(*key).or_default().insert(name.clone());
            }
        }
        let Some(generation) = flow else { return };
        self.round = Round(self.round.0.saturating_add(1));
        let (round, group_id) = (self.round, name.clone());
        if !commits.is_empty() {
            group.in_flight = Some(Batch { round, rows, emptied: false });
            out.push(Command::Apply { group: group_id, round, generation, commits });
        } else if !gone.is_empty() {
            group.in_flight = Some(Batch { round, rows: gone_rows, emptied: false });
            out.push(Command::Remove { group: group_id, round, generation, partitions: gone });
        }
    }
}

enum Placed {
    Commit(TargetCommit, Applied),
    Remove(TopicName, PartitionId),
    Nothing,
}

/// Where a position belongs now; `Nothing` if it stands there, or must not be moved.
fn place(key: Key, entry: &mut Entry, flow: Option<HomeGeneration>, world: &impl Translate) -> Placed {
    let Some(generation) = flow else {
        entry.state = RowState::NotCarried;
        return Placed::Nothing;
    };
    if entry.generation != generation {
        entry.state = RowState::OtherGeneration;
        return Placed::Nothing;
    }
    let Some(committed) = entry.committed else {
        return match &entry.applied {
            Some(applied) => Placed::Remove(applied.topic.clone(), applied.partition),
            None => Placed::Nothing,
        };
    };
    let at = match world.translate(key.0, key.1, committed) {
        Translation::Here(at) => at,
        Translation::NotYet => {
            entry.state = RowState::NotHere;
            return Placed::Nothing;
        }
        Translation::NotCarried => {
            entry.state = RowState::NotCarried;
            return Placed::Nothing;
        }
    };
    let clamped = clamp(committed, &at);
    (entry.state, entry.skipped) = match (clamped.ahead, clamped.skipped) {
        (true, _) => (RowState::AheadOfMirror, 0),
        (false, 0) => (RowState::InSync, 0),
        (false, skipped) => (RowState::BelowStart, skipped),
    };
    let applied = Applied {
        topic: at.topic.clone(),
        partition: at.partition,
        committed,
        offset: clamped.offset,
        metadata: Arc::clone(&entry.metadata),
    };
    // A position that only log starts have moved past is left alone: the group is where it was put.
    let stands = entry.applied.as_ref().is_some_and(|before| {
        let same = (before.committed, &before.metadata) == (applied.committed, &applied.metadata);
        same && (before.offset == applied.offset || clamped.skipped > 0)
    });
    if stands {
        return Placed::Nothing;
    }
    let commit = TargetCommit {
        topic: at.topic,
        topic_id: at.topic_id,
        partition: at.partition,
        offset: clamped.offset,
        leader_epoch: at.leader_epoch,
        metadata: Arc::clone(&entry.metadata),
    };
    Placed::Commit(commit, applied)
}
