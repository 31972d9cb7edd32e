//! Which topics there are: the broker's metadata image, and the changes to it that mirroring needs.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use broker::metadata::{self, Image, Metadata, MetadataError, NewPartitions, NewTopic, Refusal, Topic};
use mirror::ports::{BoxFuture, Catalog, CatalogTopic, MergedTopic, PortError, ReplicaTopic, TopicCatalog};
use protocol::TopicId;
use tokio::{sync::watch, task::AbortHandle};

use super::failures;

pub(super) struct BrokerCatalog {
    metadata: Metadata,
    catalog: watch::Sender<Arc<Catalog>>,
    follower: AbortHandle,
}

impl BrokerCatalog {
    pub(super) fn new(metadata: Metadata) -> Self {
        let mut images = metadata.subscribe();
        let mut projection = Projection::default();
        let catalog = watch::Sender::new(projection.project(&images.borrow_and_update()));
        let changed = catalog.clone();
        let follower = tokio::spawn(async move {
            while images.changed().await.is_ok() {
                let image = images.borrow_and_update().clone();
                let next = projection.project(&image);
                changed.send_if_modified(|current| {
                    let differs = *current != next;
                    *current = next;
                    differs
                });
            }
        });
        Self { metadata, catalog, follower: follower.abort_handle() }
    }

    async fn merged(&self, wanted: MergedTopic) -> Result<Arc<CatalogTopic>, MetadataError> {
        let existing = self.metadata.image().topic(wanted.name.as_str()).cloned();
        let topic = match existing {
            Some(topic) => topic,
            None => {
                let configs = wanted.configs.iter().map(|(key, value)| (key.clone(), Some(value.clone())));
                let new = NewTopic {
                    partitions: wanted.partitions,
                    configs: configs.collect(),
                    ..NewTopic::named(wanted.name.clone())
                };
                match self.metadata.create_topic(new).await {
                    // A client was faster.
                    Err(MetadataError::Refused(Refusal::Exists(_))) => self.existing(&wanted)?,
                    made => made?,
                }
            }
        };
        if topic.partition_count() >= wanted.partitions {
            return Ok(Arc::new(entry(&topic)));
        }
        let growth =
            NewPartitions { topic: wanted.name.clone(), count: wanted.partitions, assignments: None };
        self.metadata.add_partitions(growth).await?;
        Ok(Arc::new(entry(self.existing(&wanted)?.as_ref())))
    }

    fn existing(&self, wanted: &MergedTopic) -> Result<Arc<Topic>, MetadataError> {
        let topic = self.metadata.image().topic(wanted.name.as_str()).cloned();
        topic.ok_or_else(|| Refusal::UnknownTopic(wanted.name.clone()).into())
    }
}

impl TopicCatalog for BrokerCatalog {
    fn subscribe(&self) -> watch::Receiver<Arc<Catalog>> {
        self.catalog.subscribe()
    }

    fn create_replica(&self, topic: ReplicaTopic) -> BoxFuture<'_, Result<(), PortError>> {
        Box::pin(async move {
            let made = self.metadata.create_replica(replica(topic)).await;
            made.map(drop).map_err(|error| failures::metadata(&error))
        })
    }

    fn follow_replica(&self, topic: ReplicaTopic) -> BoxFuture<'_, Result<Vec<String>, PortError>> {
        Box::pin(async move {
            let followed = self.metadata.follow_replica(replica(topic)).await;
            let followed = followed.map_err(|error| failures::metadata(&error))?;
            Ok(followed.skipped.into_iter().map(|skipped| skipped.name).collect())
        })
    }

    fn ensure_merged(&self, topic: MergedTopic) -> BoxFuture<'_, Result<Arc<CatalogTopic>, PortError>> {
        Box::pin(async move { self.merged(topic).await.map_err(|error| failures::metadata(&error)) })
    }
}

impl Drop for BrokerCatalog {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

/// From images to catalogs; what did not change is shared with the catalog before.
#[derive(Default)]
struct Projection {
    entries: HashMap<TopicId, (Weak<Topic>, Arc<CatalogTopic>)>,
}

impl Projection {
    fn project(&mut self, image: &Image) -> Arc<Catalog> {
        let mut entries = HashMap::with_capacity(self.entries.len());
        for topic in image.topics().filter(|topic| !topic.internal) {
            let known = self.entries.remove(&topic.id);
            let same = known.filter(|(of, _)| std::ptr::eq(of.as_ptr(), Arc::as_ptr(topic)));
            let kept = same.unwrap_or_else(|| (Arc::downgrade(topic), Arc::new(entry(topic))));
            entries.insert(topic.id, kept);
        }
        self.entries = entries;
        let topics = self.entries.iter().map(|(id, (_, topic))| (*id, topic.clone())).collect();
        Arc::new(Catalog { topics })
    }
}

fn entry(topic: &Topic) -> CatalogTopic {
    CatalogTopic {
        name: topic.name.clone(),
        id: topic.id,
        leader_epochs: topic.partitions.iter().map(|partition| partition.leader_epoch).collect(),
        configs: topic.overrides.clone(),
        compacted: topic.config.compact,
    }
}

fn replica(topic: ReplicaTopic) -> metadata::ReplicaTopic {
    let ReplicaTopic { name, id, leader_epochs, configs } = topic;
    metadata::ReplicaTopic { name, id, leader_epochs, configs }
}
