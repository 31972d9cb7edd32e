//! The link's group sync at work: committed positions are translated, clamped and applied.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{
        broadcast::{self, error::RecvError},
        mpsc,
    },
    task::JoinSet,
};

use protocol::{GroupId, LeaderEpoch, PartitionId, TopicId};

use super::{landing::Landings, link::Fact};
use crate::{
    driver::{flows::Flows, metrics::LinkMetrics},
    groups::{
        Command, Deletions, Event, GroupSync, Located, Refusal, SourceCommit, TargetCommit, Translate,
        Translation,
    },
    link::{
        receiver::PartitionKey,
        wire::{self, GroupGone},
    },
    ownership::HomeGeneration,
    ports::{GroupCommit, GroupEvent, GroupStore, PortError},
    position::SourceOffset,
};

pub(super) struct Groups {
    core: GroupSync,
    flows: Flows,
    store: Arc<dyn GroupStore>,
    events: broadcast::Receiver<GroupEvent>,
    metrics: Arc<LinkMetrics>,
}

impl Groups {
    pub(super) fn new(flows: Flows, store: Arc<dyn GroupStore>, metrics: Arc<LinkMetrics>) -> Self {
        let events = store.subscribe();
        Self { core: GroupSync::new(Deletions::default()), flows, store, events, metrics }
    }

    /// The next group that has no members here any more.
    pub(super) async fn emptied(&mut self) -> Event {
        loop {
            match self.events.recv().await {
                Ok(GroupEvent::Emptied { group }) => return Event::TargetEmpty { group },
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => return Event::TargetsMayBeEmpty,
                Err(RecvError::Closed) => std::future::pending::<()>().await,
            }
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Duration> {
        self.core.next_deadline()
    }

    /// What the source says of a group's offset.
    pub(super) fn committed(&self, offset: wire::GroupOffset) -> Event {
        let generation = self.flows.group(&offset.group).unwrap_or_default();
        Event::Committed(SourceCommit {
            group: offset.group,
            topic_id: offset.topic_id,
            partition: offset.partition,
            offset: SourceOffset::new(offset.offset),
            metadata: offset.metadata.into(),
            generation,
        })
    }

    pub(super) fn gone(&self, gone: GroupGone) -> Vec<Event> {
        match gone {
            GroupGone::Offset { group, topic_id, partition } => {
                vec![Event::Gone { group, topic_id, partition }]
            }
            GroupGone::Group(group) => {
                let rows = self.core.rows().filter(|row| row.group == group);
                rows.map(|row| Event::Gone {
                    group: group.clone(),
                    topic_id: row.topic_id,
                    partition: row.partition,
                })
                .collect()
            }
        }
    }

    pub(super) fn handle(
        &mut self,
        now: Duration,
        event: Event,
        landings: &Landings,
        fact: &mpsc::Sender<Fact>,
        tasks: &mut JoinSet<()>,
    ) {
        if let Event::Applied { .. } = &event {
            self.metrics.group_commits_applied.one();
        }
        let mut commands = Vec::new();
        self.core.handle(now, event, &World { flows: &self.flows, landings }, &mut commands);
        for command in commands {
            let (store, fact, flows) = (Arc::clone(&self.store), fact.clone(), self.flows.clone());
            tasks.spawn(async move {
                let event = carry_out(&*store, &flows, command).await;
                let _ = fact.send(Fact::Group(event)).await;
            });
        }
    }
}

async fn carry_out(store: &dyn GroupStore, flows: &Flows, command: Command) -> Event {
    let (group, round, result) = match command {
        Command::Apply { group, round, generation, commits } => {
            let commits = commits.into_iter().map(commit).collect();
            let result = match flows.group(&group) == Some(generation) {
                true => store.commit(group.clone(), commits).await,
                false => Err(moved()),
            };
            (group, round, result)
        }
        Command::Remove { group, round, generation, partitions } => {
            let result = match flows.group(&group) == Some(generation) {
                true => store.delete_offsets(group.clone(), partitions).await,
                false => Err(moved()),
            };
            (group, round, result)
        }
    };
    match result {
        Ok(()) => Event::Applied { group, round },
        Err(PortError::Refused(_)) => Event::Refused { group, round, refusal: Refusal::Active },
        Err(_) => Event::Refused { group, round, refusal: Refusal::Unavailable },
    }
}

/// The home moved since: the core finds out by itself.
fn moved() -> PortError {
    PortError::Unavailable("the group's home moved".into())
}

pub(super) fn commit(commit: TargetCommit) -> GroupCommit {
    GroupCommit {
        topic: commit.topic,
        partition: commit.partition,
        offset: commit.offset.offset(),
        leader_epoch: commit.leader_epoch,
        metadata: (*commit.metadata).into(),
    }
}

/// What the group sync may ask.
struct World<'a> {
    flows: &'a Flows,
    landings: &'a Landings,
}

impl Translate for World<'_> {
    fn group_flow(&self, group: &GroupId) -> Option<HomeGeneration> {
        self.flows.group(group)
    }

    fn translate(&self, topic_id: TopicId, partition: PartitionId, committed: SourceOffset) -> Translation {
        let key = PartitionKey { topic_id, partition };
        // A topic that does not flow has no landing either, and waits for one that does not come: an entry in a map.
        let Some(landing) = self.landings.by_key.get(&key) else { return Translation::NotYet };
        let Some(place) = landing.place.as_ref() else { return Translation::NotYet };
        let Some((offset, mirrored_to)) = place.translate(committed) else { return Translation::NotYet };
        let ends = place.sink().ends();
        Translation::Here(Located {
            topic: landing.target.clone(),
            topic_id: landing.target_id,
            partition,
            offset,
            mirrored_to,
            log_start: crate::position::TargetOffset::new(ends.log_start),
            durable_end: crate::position::TargetOffset::new(ends.durable_end.min(ends.high_watermark)),
            leader_epoch: place.sink().latest_epoch().unwrap_or(LeaderEpoch::NONE),
        })
    }
}
