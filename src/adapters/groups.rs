//! Committed offsets of consumer groups: the broker's groups, by the names and ids of its topics.
//!
//! Groups are tasks of the broker's runtime; links live on a thread of their own. So everything asked of groups is asked from a
//! task of the broker's runtime: a group that is woken by a link must not end with it.

use std::sync::Arc;

use broker::{
    coordinator::group::{self, CommittedOffset, GroupState, Groups, OffsetToCommit, OffsetsByTopic},
    metadata::{Image, Metadata},
};
use mirror::ports::{BoxFuture, GroupCommit, GroupEvent, GroupOffset, GroupOffsets, GroupStore, PortError};
use protocol::{ErrorCode, GroupId, PartitionId, TopicId, TopicName, Uuid};
use tokio::{
    runtime::Handle,
    sync::broadcast::{self, error::RecvError},
    task::AbortHandle,
};

use super::failures;

/// Events that a link may be behind before it has to ask for everything again.
const EVENTS_MAX: usize = 8_192;

pub(super) struct BrokerGroups {
    groups: Groups,
    metadata: Metadata,
    runtime: Handle,
    events: broadcast::Sender<GroupEvent>,
    forwarder: AbortHandle,
}

impl BrokerGroups {
    pub(super) fn new(groups: Groups, metadata: Metadata, runtime: Handle) -> Self {
        let (events, _) = broadcast::channel(EVENTS_MAX);
        let forwarding = forward(groups.subscribe(), groups.clone(), metadata.clone(), events.clone());
        let forwarder = runtime.spawn(forwarding).abort_handle();
        Self { groups, metadata, runtime, events, forwarder }
    }

    fn ask<T: Send + 'static, F>(
        &self,
        asking: impl FnOnce(Groups) -> F,
    ) -> BoxFuture<'_, Result<T, PortError>>
    where
        F: Future<Output = Result<T, ErrorCode>> + Send + 'static,
    {
        let asked = self.runtime.spawn(asking(self.groups.clone()));
        Box::pin(async move { asked.await.map_err(|_| PortError::Closed)?.map_err(failures::group) })
    }
}

impl GroupStore for BrokerGroups {
    fn subscribe(&self) -> broadcast::Receiver<GroupEvent> {
        self.events.subscribe()
    }

    fn all(&self) -> BoxFuture<'_, Result<Vec<GroupOffsets>, PortError>> {
        let metadata = self.metadata.clone();
        self.ask(
            |groups| async move { Ok(snapshot(groups.all_committed_offsets().await?, &metadata.image())) },
        )
    }

    fn settled(&self, group: GroupId) -> BoxFuture<'_, Result<Vec<GroupOffset>, PortError>> {
        let metadata = self.metadata.clone();
        self.ask(
            |groups| async move { Ok(offsets(&*groups.settled_offsets(&group).await?, &metadata.image())) },
        )
    }

    fn is_active(&self, group: GroupId) -> BoxFuture<'_, Result<bool, PortError>> {
        self.ask(|groups| async move { groups.is_active(&group).await })
    }

    fn commit(&self, group: GroupId, offsets: Vec<GroupCommit>) -> BoxFuture<'_, Result<(), PortError>> {
        let to_commit = |commit: GroupCommit| {
            let GroupCommit { topic, partition, offset, leader_epoch, metadata } = commit;
            OffsetToCommit { topic, partition, offset, leader_epoch, metadata }
        };
        let offsets = offsets.into_iter().map(to_commit).collect();
        self.ask(|groups| async move { groups.commit_from_outside(&group, offsets).await })
    }

    fn delete_offsets(
        &self,
        group: GroupId,
        partitions: Vec<(TopicName, PartitionId)>,
    ) -> BoxFuture<'_, Result<(), PortError>> {
        self.ask(|groups| async move {
            let codes = groups.delete_offsets(&group, partitions).await?;
            codes.into_iter().find(|code| *code != ErrorCode::NONE).map_or(Ok(()), Err)
        })
    }
}

impl Drop for BrokerGroups {
    fn drop(&mut self) {
        self.forwarder.abort();
    }
}

/// The broker's events in the words of the port. If this task is behind itself, every position is told anew, and every group that
/// has no members; of what was deleted meanwhile nobody hears, which leaves a position where none is needed.
async fn forward(
    mut changes: broadcast::Receiver<group::GroupEvent>,
    groups: Groups,
    metadata: Metadata,
    events: broadcast::Sender<GroupEvent>,
) {
    loop {
        let told = match changes.recv().await {
            Ok(change) => vec![event(change, &metadata.image())],
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "links were behind the groups' commits; all positions are told anew");
                match everything(&groups, &metadata).await {
                    Ok(all) => all,
                    Err(code) => {
                        tracing::warn!(?code, "not all positions could be told");
                        Vec::new()
                    }
                }
            }
            Err(RecvError::Closed) => return,
        };
        for event in told {
            // An error only says that no link listens.
            let _ = events.send(event);
        }
    }
}

async fn everything(groups: &Groups, metadata: &Metadata) -> Result<Vec<GroupEvent>, ErrorCode> {
    let all = groups.all_committed_offsets().await?;
    let listed = groups.list().await?.into_iter();
    let empty = listed.filter(|listed| listed.description.state == GroupState::Empty);
    let emptied = empty.map(|listed| GroupEvent::Emptied { group: listed.id });
    Ok(commits(snapshot(all, &metadata.image())).chain(emptied).collect())
}

fn event(change: group::GroupEvent, image: &Image) -> GroupEvent {
    match change {
        group::GroupEvent::Committed(committed) => {
            let group::OffsetCommitted { group, topic, partition, offset, leader_epoch, metadata, .. } =
                committed;
            let topic_id = topic_id(image, &topic);
            let offset = GroupOffset { topic, topic_id, partition, offset, leader_epoch, metadata };
            GroupEvent::Committed { group, offset }
        }
        group::GroupEvent::Removed(group::OffsetRemoved { group, topic, partition, .. }) => {
            let topic_id = topic_id(image, &topic);
            GroupEvent::OffsetGone { group, topic, topic_id, partition }
        }
        group::GroupEvent::GroupRemoved { group, .. } => GroupEvent::GroupGone { group },
        group::GroupEvent::Emptied { group } => GroupEvent::Emptied { group },
    }
}

fn commits(all: Vec<GroupOffsets>) -> impl Iterator<Item = GroupEvent> {
    let of_group = |GroupOffsets { group, offsets }| {
        offsets.into_iter().map(move |offset| GroupEvent::Committed { group: GroupId::clone(&group), offset })
    };
    all.into_iter().flat_map(of_group)
}

fn snapshot(all: Vec<(GroupId, Arc<OffsetsByTopic>)>, image: &Image) -> Vec<GroupOffsets> {
    let group = |(group, by_topic): (GroupId, Arc<OffsetsByTopic>)| GroupOffsets {
        group,
        offsets: offsets(&by_topic, image),
    };
    all.into_iter().map(group).collect()
}

fn offsets(by_topic: &OffsetsByTopic, image: &Image) -> Vec<GroupOffset> {
    let mut all = Vec::new();
    for (topic, partitions) in by_topic {
        let topic_id = topic_id(image, topic);
        all.extend(partitions.iter().map(|(partition, committed)| {
            let CommittedOffset { offset, leader_epoch, metadata, .. } = committed.clone();
            GroupOffset {
                topic: topic.clone(),
                topic_id,
                partition: *partition,
                offset,
                leader_epoch,
                metadata,
            }
        }));
    }
    all
}

/// The nil id for a topic that is not there now.
fn topic_id(image: &Image, topic: &TopicName) -> TopicId {
    image.topic(topic.as_str()).map_or(TopicId(Uuid::nil()), |topic| topic.id)
}
