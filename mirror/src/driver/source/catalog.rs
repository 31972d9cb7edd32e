//! What is told of topics and groups: all there is when the connection begins, then every change.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use tokio::sync::{
    broadcast::{self, error::RecvError},
    watch,
};

use protocol::{GroupId, LeaderEpoch, Offset, PartitionId, TopicId};

use crate::{
    driver::{flows::Flows, limits::REDIAL_MIN},
    link::{
        sender::Event,
        wire::{self, GroupGone},
    },
    ports::{BoxFuture, Catalog, CatalogTopic, GroupEvent, GroupOffset, GroupOffsets, GroupStore, PortError},
};

/// Tells the topics that the link carries now.
pub(super) struct TopicFeed {
    flows: Flows,
    catalog: watch::Receiver<Arc<Catalog>>,
    flow_changes: watch::Receiver<u64>,
    told: HashMap<TopicId, wire::Topic>,
    begun: bool,
}

impl TopicFeed {
    pub(super) fn new(flows: Flows, catalog: watch::Receiver<Arc<Catalog>>) -> Self {
        let flow_changes = flows.changes();
        Self { flows, catalog, flow_changes, told: HashMap::new(), begun: false }
    }

    /// Returns when there may be something new to tell; at once at first.
    pub(super) async fn changed(&mut self) {
        if !self.begun {
            return;
        }
        let gone = tokio::select! {
            changed = self.catalog.changed() => changed.is_err(),
            changed = self.flow_changes.changed() => changed.is_err(),
        };
        if gone {
            // The catalog is gone with the node, which ends the session.
            std::future::pending::<()>().await;
        }
    }

    /// What differs from what was told.
    pub(super) fn news(&mut self, out: &mut VecDeque<Event>) {
        let catalog = Arc::clone(&self.catalog.borrow_and_update());
        self.flow_changes.mark_unchanged();
        self.told.retain(|id, _| {
            let stays =
                catalog.topics.get(id).is_some_and(|topic| self.flows.topic(topic.name.as_str()).is_some());
            if !stays {
                out.push_back(Event::TopicGone { id: *id });
            }
            stays
        });
        for topic in catalog.topics.values() {
            let Some((rule, generation)) = self.flows.topic(topic.name.as_str()) else { continue };
            let message = wire::Topic { generation, ..message(topic) };
            if self.told.get(&topic.id) != Some(&message) {
                out.push_back(Event::Weight { topic_id: topic.id, weight: rule.weight });
                out.push_back(Event::Topic(message.clone()));
                self.told.insert(topic.id, message);
            }
        }
        if !self.begun {
            self.begun = true;
            out.push_back(Event::CatalogComplete);
        }
    }

    pub(super) fn is_told(&self, id: TopicId) -> bool {
        self.told.contains_key(&id)
    }
}

fn message(topic: &CatalogTopic) -> wire::Topic {
    wire::Topic {
        name: topic.name.clone(),
        id: topic.id,
        leader_epochs: topic.leader_epochs.clone(),
        configs: topic.configs.clone(),
        compacted: topic.compacted,
        generation: Default::default(),
    }
}

/// Tells the committed offsets of the groups that the link carries now.
pub(super) struct GroupFeed {
    flows: Flows,
    store: Arc<dyn GroupStore>,
    events: broadcast::Receiver<GroupEvent>,
    flow_changes: watch::Receiver<u64>,
    /// All offsets are being fetched: at the beginning, after events were missed, and when more flows than before.
    snapshot: Option<BoxFuture<'static, Result<Vec<GroupOffsets>, PortError>>>,
    complete: bool,
}

/// What the feed has to tell.
pub(super) enum GroupNews {
    All(Vec<GroupOffsets>),
    One(GroupEvent),
}

impl GroupFeed {
    /// Subscribes before it asks for all, so that nothing is missed.
    pub(super) fn new(flows: Flows, store: Arc<dyn GroupStore>) -> Self {
        let (events, flow_changes) = (store.subscribe(), flows.changes());
        let snapshot = Some(fetch(Arc::clone(&store)));
        Self { flows, store, events, flow_changes, snapshot, complete: false }
    }

    pub(super) async fn next(&mut self) -> GroupNews {
        loop {
            if let Some(snapshot) = &mut self.snapshot {
                let result = snapshot.await;
                self.snapshot = None;
                match result {
                    Ok(groups) => return GroupNews::All(groups),
                    Err(PortError::Unavailable(_)) => {
                        self.snapshot = Some(fetch_later(Arc::clone(&self.store)));
                        continue;
                    }
                    Err(error) => tracing::warn!(%error, "committed offsets cannot be told"),
                }
            }
            tokio::select! {
                event = self.events.recv() => match event {
                    Ok(event) => return GroupNews::One(event),
                    Err(RecvError::Lagged(_)) => self.snapshot = Some(fetch(Arc::clone(&self.store))),
                    Err(RecvError::Closed) => std::future::pending::<()>().await,
                },
                changed = self.flow_changes.changed() => match changed {
                    Ok(()) => self.snapshot = Some(fetch(Arc::clone(&self.store))),
                    Err(_) => std::future::pending::<()>().await,
                },
            }
        }
    }

    /// As events for the core. `end_of`: where a partition ends now.
    pub(super) fn tell(
        &mut self,
        news: GroupNews,
        end_of: impl Fn((TopicId, PartitionId)) -> Option<Offset>,
        out: &mut VecDeque<Event>,
    ) {
        let told = |group: &GroupId, offset: GroupOffset| {
            let end = end_of((offset.topic_id, offset.partition)).unwrap_or(offset.offset);
            (offset.topic_id != TopicId::ZERO)
                .then(|| Event::GroupOffset(message_of(group.clone(), offset, end)))
        };
        match news {
            GroupNews::All(groups) => {
                for GroupOffsets { group, offsets } in groups {
                    if self.flows.group(&group).is_some() {
                        out.extend(offsets.into_iter().filter_map(|offset| told(&group, offset)));
                    }
                }
                if !std::mem::replace(&mut self.complete, true) {
                    out.push_back(Event::GroupsComplete);
                }
            }
            GroupNews::One(GroupEvent::Committed { group, offset }) => {
                if self.flows.group(&group).is_some() {
                    out.extend(told(&group, offset));
                }
            }
            GroupNews::One(GroupEvent::OffsetGone { group, topic_id, partition, .. }) => {
                if self.flows.group(&group).is_some() && topic_id != TopicId::ZERO {
                    out.push_back(Event::GroupGone(GroupGone::Offset { group, topic_id, partition }));
                }
            }
            GroupNews::One(GroupEvent::GroupGone { group }) => {
                if self.flows.group(&group).is_some() {
                    out.push_back(Event::GroupGone(GroupGone::Group(group)));
                }
            }
        }
    }
}

fn fetch(store: Arc<dyn GroupStore>) -> BoxFuture<'static, Result<Vec<GroupOffsets>, PortError>> {
    Box::pin(async move { store.all().await })
}

fn fetch_later(store: Arc<dyn GroupStore>) -> BoxFuture<'static, Result<Vec<GroupOffsets>, PortError>> {
    Box::pin(async move {
        tokio::time::sleep(REDIAL_MIN).await;
        store.all().await
    })
}

fn message_of(group: GroupId, offset: GroupOffset, source_end: Offset) -> wire::GroupOffset {
    wire::GroupOffset {
        group,
        topic_id: offset.topic_id,
        partition: offset.partition,
        offset: offset.offset,
        epoch: (offset.leader_epoch != LeaderEpoch::NONE).then_some(offset.leader_epoch),
        metadata: offset.metadata.to_string(),
        source_end,
    }
}
