//! The handle that the broker's parts hold: reads the newest image, proposes changes.

use std::sync::Arc;

use arc_swap::ArcSwap;
use protocol::{BrokerId, LeaderEpoch, ProducerId, TopicId};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    change::{
        Change, InternalTopic, NewPartitions, NewTopic, ProducerIdBlock, Refusal, ReplicaTopic,
        TopicConfigChange,
    },
    error::{MetadataError, OpenError},
    identity::IdSource,
    image::{Image, Topic},
    plan::{SkippedConfig, usable_configs},
    proposer::{self, Mode, Outcome, Proposal},
    replay,
};
use crate::{limits, record_log::RecordLog, settings::TopicSettings};

/// Proposals that wait for their turn; further ones wait to be queued.
const QUEUE_MAX: usize = 256;
/// Changes in one proposal; Kafka's bound of records in one operation.
const CHANGES_PER_PROPOSAL_MAX: usize = 10_000;

/// The broker's metadata; cheap to clone.
#[derive(Clone)]
pub struct Metadata {
    published: Arc<Published>,
    proposals: mpsc::Sender<Proposal>,
}

/// A topic that follows its home, and the home's overrides that it could not take.
#[derive(Debug, Clone)]
pub struct Replicated {
    pub topic: Arc<Topic>,
    pub skipped: Vec<SkippedConfig>,
}

/// The newest image, for readers and for those who wait for the next.
pub(super) struct Published {
    image: ArcSwap<Image>,
    changes: watch::Sender<Arc<Image>>,
}

impl Published {
    fn new(image: Arc<Image>) -> Self {
        Self { image: ArcSwap::new(image.clone()), changes: watch::Sender::new(image) }
    }

    pub(super) fn image(&self) -> Arc<Image> {
        self.image.load_full()
    }

    pub(super) fn publish(&self, image: Arc<Image>) {
        self.image.store(image.clone());
        self.changes.send_replace(image);
    }
}

impl Metadata {
    /// Replays the log, gives the cluster its id at the first start and starts the proposer, which ends with the last handle.
    pub async fn open(
        log: Arc<dyn RecordLog>,
        broker_id: BrokerId,
        topics: TopicSettings,
        ids: Arc<dyn IdSource>,
    ) -> Result<Self, OpenError> {
        let image = replay::open(&log, Arc::new(topics), ids.as_ref()).await?;
        let published = Arc::new(Published::new(Arc::new(image)));
        let (proposals, queue) = mpsc::channel(QUEUE_MAX);
        tokio::spawn(proposer::run(log, published.clone(), broker_id, ids, queue));
        Ok(Self { published, proposals })
    }

    pub fn image(&self) -> Arc<Image> {
        self.published.image()
    }

    /// Sees every newest image; changes in quick succession may be seen as one.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Image>> {
        self.published.changes.subscribe()
    }

    /// Makes the changes in order, or only says what would come of them. Each accepted one is answered with the image right
    /// after it, once it is on stable storage and published; a refused one leaves the others alone.
    pub async fn propose(&self, changes: Vec<Change>, mode: Mode) -> Vec<Result<Arc<Image>, MetadataError>> {
        let count = changes.len();
        if count > CHANGES_PER_PROPOSAL_MAX {
            return vec![Err(Refusal::TooManyChanges { max: CHANGES_PER_PROPOSAL_MAX }.into()); count];
        }
        self.send(changes, mode).await.unwrap_or_else(|| vec![Err(MetadataError::Stopped); count])
    }

    pub async fn create_topic(&self, topic: NewTopic) -> Result<Arc<Topic>, MetadataError> {
        let name = topic.name.clone();
        let image = self.change(Change::CreateTopic(topic)).await?;
        Ok(image.topic(name.as_str()).cloned().ok_or(Refusal::UnknownTopic(name))?)
    }

    /// The internal topic, made now if it is not there.
    pub async fn ensure_internal_topic(&self, topic: InternalTopic) -> Result<Arc<Topic>, MetadataError> {
        if let Some(there) = self.image().topic(topic.name()) {
            return Ok(there.clone());
        }
        let image = self.change(Change::EnsureInternalTopic(topic)).await?;
        Ok(image.topic(topic.name()).cloned().ok_or_else(|| Refusal::UnknownTopic(topic.name().into()))?)
    }

    pub async fn delete_topic(&self, id: TopicId) -> Result<(), MetadataError> {
        self.change(Change::DeleteTopic(id)).await.map(drop)
    }

    pub async fn add_partitions(&self, growth: NewPartitions) -> Result<(), MetadataError> {
        self.change(Change::AddPartitions(growth)).await.map(drop)
    }

    pub async fn alter_topic_config(&self, change: TopicConfigChange) -> Result<(), MetadataError> {
        self.change(Change::AlterTopicConfig(change)).await.map(drop)
    }

    /// A durable block of producer ids that nobody else gets.
    pub async fn take_producer_ids(&self) -> Result<ProducerIdBlock, MetadataError> {
        let image = self.change(Change::TakeProducerIds).await?;
        let count = limits::PRODUCER_ID_BLOCK;
        Ok(ProducerIdBlock { first: ProducerId(image.next_producer_id().0 - count), count })
    }

    /// After an unclean shutdown: readers of records that are lost can tell by the epoch.
    pub async fn raise_leader_epochs(&self) -> Result<(), MetadataError> {
        self.change(Change::RaiseLeaderEpochs).await.map(drop)
    }

    /// The topic under the id it has at its home; one that is there already stays as it is.
    pub async fn create_replica(&self, replica: ReplicaTopic) -> Result<Replicated, MetadataError> {
        self.replicate(replica, Change::CreateReplica).await
    }

    pub async fn follow_replica(&self, replica: ReplicaTopic) -> Result<Replicated, MetadataError> {
        self.replicate(replica, Change::FollowReplica).await
    }

    async fn replicate(
        &self,
        replica: ReplicaTopic,
        change: impl FnOnce(ReplicaTopic) -> Change,
    ) -> Result<Replicated, MetadataError> {
        let id = replica.id;
        let (_, skipped) = usable_configs(&replica.configs, self.image().defaults());
        let image = self.change(change(replica)).await?;
        let topic = image.topic_by_id(id).cloned().ok_or(Refusal::UnknownTopicId(id))?;
        Ok(Replicated { topic, skipped })
    }

    /// Durable when this returns.
    pub async fn put_ownership(
        &self,
        unit: impl Into<String>,
        record: impl Into<String>,
    ) -> Result<(), MetadataError> {
        let change = Change::PutOwnership { unit: unit.into(), record: record.into() };
        self.change(change).await.map(drop)
    }

    /// No producer id up to this one is given from now on.
    pub async fn advance_producer_ids(&self, beyond: ProducerId) -> Result<(), MetadataError> {
        self.change(Change::AdvanceProducerIds { beyond }).await.map(drop)
    }

    pub async fn raise_topic_epochs(
        &self,
        topics: Vec<TopicId>,
        at_least: LeaderEpoch,
    ) -> Result<(), MetadataError> {
        self.change(Change::RaiseTopicEpochs { topics, at_least }).await.map(drop)
    }

    async fn change(&self, change: Change) -> Result<Arc<Image>, MetadataError> {
        self.propose(vec![change], Mode::Commit).await.pop().unwrap_or(Err(MetadataError::Stopped))
    }

    async fn send(&self, changes: Vec<Change>, mode: Mode) -> Option<Vec<Outcome>> {
        let (reply, answer) = oneshot::channel();
        self.proposals.send(Proposal { changes, mode, reply }).await.ok()?;
        answer.await.ok()
    }
}
