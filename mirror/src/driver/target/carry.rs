//! Carrying out what the cores of a link want.

use protocol::{Offset, TopicId, TopicName};

use super::{
    apply::Outcome,
    landing::{Landing, Place, failure},
    link::{Fact, TargetLink, TargetView},
    topics::source_topic,
};
use crate::{
    catalog,
    driver::closing::Ended,
    driver::path::PathView,
    driver::units::Tail,
    groups,
    link::receiver::{
        Apply, ApplyFailure, Command, Event, Mode, PartitionKey, PartitionState, PartitionView,
    },
    stop::StopReason,
};

impl TargetLink {
    pub(super) fn carry_out(&mut self, command: Command) {
        match command {
            Command::Locate { key, .. } => self.locate(key),
            Command::StartAt { key, offset } => self.start_at(key, offset),
            Command::AdvanceStart { key, to } => self.advance_start(key, to),
            Command::Apply(apply) => self.apply(apply),
            Command::Topic(topic) => self.tell_catalog(catalog::Event::Topic(source_topic(topic))),
            Command::TopicGone { id } => self.tell_catalog(catalog::Event::TopicGone { id }),
            Command::CatalogComplete => self.tell_catalog(catalog::Event::Complete),
            Command::GroupOffset(offset) => {
                let event = self.groups.committed(offset);
                self.tell_groups(event);
            }
            Command::GroupGone(gone) => {
                for event in self.groups.gone(gone) {
                    self.tell_groups(event);
                }
            }
            Command::GroupsComplete => {}
            Command::Ownership(message) => {
                if let Some(line) = self.live.as_ref().and_then(|live| live.line.as_ref()) {
                    line.pass_on(message);
                }
            }
            Command::Changed { key, state } => self.note_change(key, &state),
            Command::Close(error) => self.disconnect(&Ended::Link(error)),
        }
    }

    pub(super) fn tell_catalog(&mut self, event: catalog::Event) {
        let now = self.parts.clock.monotonic();
        for command in self.topics.handle(now, event) {
            self.carry_out_catalog(command);
        }
    }

    pub(super) fn tell_groups(&mut self, event: groups::Event) {
        let now = self.parts.clock.monotonic();
        self.groups.handle(now, event, &self.landings, &self.fact, &mut self.tasks);
    }

    /// Positions that waited for records of a partition may be applied now.
    pub(super) fn tell_arrived(&mut self, key: PartitionKey) {
        self.tell_groups(groups::Event::Arrived { topic_id: key.topic_id, partition: key.partition });
    }

    /// What flows, or its generation, is another.
    pub(super) fn follow_flows(&mut self) {
        let mut moved = Vec::new();
        for (key, landing) in &mut self.landings.by_key {
            if let Some((_, generation)) = self.parts.flows.topic(landing.topic.as_str())
                && generation != landing.generation
            {
                landing.generation = generation;
                if landing.ours {
                    moved.push((*key, landing.clone()));
                }
            }
        }
        for (key, landing) in moved {
            self.assign(key, &landing);
        }
        self.tell_groups(groups::Event::FlowsChanged);
    }

    /// Which partitions this node carries is another answer now: the difference is assigned and revoked.
    pub(super) fn follow_assignment(&mut self) {
        let assignment = &self.parts.ports.assignment;
        let mut differing = Vec::new();
        for (key, landing) in &mut self.landings.by_key {
            let ours = assignment.is_ours(landing.target_id, key.partition);
            if ours != landing.ours {
                landing.ours = ours;
                differing.push((*key, landing.clone()));
            }
        }
        for (key, landing) in differing {
            tracing::info!(
                link = self.parts.link, topic = %landing.target, partition = %key.partition,
                "{}", if landing.ours { "assigned" } else { "revoked" }
            );
            if landing.ours {
                self.assign(key, &landing);
            } else {
                self.landings.give_up(&key);
                self.tell(Event::Revoked { key });
            }
        }
    }

    fn carry_out_catalog(&mut self, command: catalog::Command) {
        match command {
            catalog::Command::Ready { topic_id, partition, target, target_id, merged } => {
                let key = PartitionKey { topic_id, partition };
                self.ready(key, target, target_id, merged);
            }
            catalog::Command::Withdraw { topic_id, partition, stop } => {
                let key = PartitionKey { topic_id, partition };
                if let Some(stop) = stop {
                    tracing::warn!(link = self.parts.link, %topic_id, %partition, reason = %stop, "withdrawn");
                }
                self.landings.by_key.remove(&key);
                self.tell(Event::Revoked { key });
            }
            catalog::Command::Notice(notice) => tracing::warn!(link = self.parts.link, "{notice}"),
            catalog::Command::CreateReplica { .. }
            | catalog::Command::FollowReplica { .. }
            | catalog::Command::EnsureMerged { .. } => {
                self.topics.make(command, self.fact.clone(), &mut self.tasks);
            }
        }
    }

    fn ready(&mut self, key: PartitionKey, target: TopicName, target_id: TopicId, merged: bool) {
        let Some(topic) = self.topics.name_of(key.topic_id) else { return };
        // The catalog says ready only of what flows.
        let Some((_, generation)) = self.parts.flows.topic(topic.as_str()) else { return };
        let ours = self.parts.ports.assignment.is_ours(target_id, key.partition);
        let landing = Landing { topic, target, target_id, merged, generation, ours, place: None };
        if ours {
            self.assign(key, &landing);
        }
        self.landings.by_key.insert(key, landing);
    }

    fn assign(&mut self, key: PartitionKey, landing: &Landing) {
        let mode = if landing.merged { Mode::Merged } else { Mode::Replica };
        let (name, generation) = (landing.topic.clone(), landing.generation);
        self.tell(Event::Assigned { key, name, generation, mode });
    }

    fn locate(&mut self, key: PartitionKey) {
        let Some(landing) = self.landings.by_key.get(&key).cloned() else { return };
        let (finder, fact) = (self.parts.finder.clone(), self.fact.clone());
        self.tasks.spawn(async move {
            let result = finder.find(key, landing).await;
            let _ = fact.send(Fact::Located { key, result }).await;
        });
    }

    fn start_at(&mut self, key: PartitionKey, offset: Offset) {
        let (workers, fact) = (self.parts.applier.workers.clone(), self.fact.clone());
        let Some(place) = self.landings.place(&key) else { return };
        self.tasks.spawn(async move {
            let result = match place {
                Place::Replica(sink) => {
                    sink.start_at(offset).await.map(drop).map_err(|error| failure(&error))
                }
                Place::Merged(place) => place.skip_to(offset, &workers).await,
            };
            let _ = fact.send(Fact::Core(Event::Started { key, result })).await;
        });
    }

    fn advance_start(&mut self, key: PartitionKey, to: Offset) {
        let fact = self.fact.clone();
        let Some(place) = self.landings.place(&key) else { return };
        self.tasks.spawn(async move {
            let result = match place {
                Place::Replica(sink) => {
                    sink.advance_start(to).await.map(drop).map_err(|error| failure(&error))
                }
                // What is merged has a retention of its own.
                Place::Merged(_) => Ok(()),
            };
            let _ = fact.send(Fact::Core(Event::StartAdvanced { key, to, result })).await;
        });
    }

    fn apply(&mut self, apply: Apply) {
        let (id, key) = (apply.apply, apply.key);
        let (applier, fact) = (self.parts.applier.clone(), self.fact.clone());
        let Some(place) = self.landings.place(&key) else {
            // Withdrawn meanwhile: the core forgets the blocks when it hears of it.
            let reason = StopReason::TargetRefused { what: "the partition was withdrawn".to_owned() };
            let (end, result) = (apply.rules.from, Err(ApplyFailure::Stop(reason)));
            return self.tell(Event::Applied { apply: id, end, result });
        };
        self.tasks.spawn(async move {
            let Outcome { end, result } = match place {
                Place::Replica(sink) => applier.replicate(&*sink, apply).await,
                Place::Merged(place) => place.merge(&applier, apply).await,
            };
            let event = Event::Applied { apply: id, end, result };
            let _ = fact.send(Fact::Applied { event, key, end }).await;
        });
    }

    fn note_change(&self, key: PartitionKey, state: &PartitionState) {
        let (link, topic_id, partition) = (&self.parts.link, key.topic_id, key.partition);
        if let PartitionState::Stopped(reason) = state {
            self.parts.metrics.partitions_stopped.one();
            self.tell_unit(key, reason);
            tracing::error!(link, %topic_id, %partition, code = reason.code(), %reason, "partition stopped");
        } else {
            tracing::debug!(link, %topic_id, %partition, ?state, "partition");
        }
    }

    /// The unit of a replica whose log went apart from the home's is told what is only here.
    ///
    /// Not of a source that went back in time: the records were the home's, and here is the better copy of it.
    fn tell_unit(&self, key: PartitionKey, reason: &StopReason) {
        let StopReason::Diverged { common, position, .. } = reason else { return };
        if let Some(landing) = self.landings.by_key.get(&key).filter(|landing| !landing.merged) {
            let (topic, partition) = (landing.target.clone(), key.partition);
            self.parts.tails.found(Tail { topic, partition, common: *common, end: *position });
        }
    }

    pub(super) fn view(&self) -> TargetView {
        let now = self.parts.clock.monotonic();
        let named = |view: PartitionView| (self.name_of(&view.key), view);
        TargetView {
            connected: self.live.as_ref().is_some_and(|live| live.hello_due.is_none()),
            last_error: self.last_error.clone(),
            topology_differs: self.topology_differs(),
            path: self.live.as_ref().map(|live| PathView::of(&live.connection)),
            partitions: self.core.partitions(now).map(named).collect(),
            stopped_topics: self.topics.stopped(),
        }
    }

    pub(super) fn name_of(&self, key: &PartitionKey) -> String {
        self.landings.by_key.get(key).map_or_else(String::new, |landing| landing.topic.to_string())
    }
}
