//! Keeps open partitions true to the metadata image, and directories of topics that are gone out of the way.

use std::sync::Arc;

use tokio::sync::watch;

use core_log::LogDir;
use protocol::TopicPartition;

use super::{config::log_config, open::Partitions};
use crate::{
    coordinator::group::Groups,
    metadata::{Image, Topic, topic_name},
    serve::drain::Drain,
};

/// Follows the image until the drain.
pub(crate) struct Follower {
    partitions: Partitions,
    groups: Groups,
    log_dir: Arc<LogDir>,
    images: watch::Receiver<Arc<Image>>,
    seen: Arc<Image>,
}

impl Follower {
    pub(crate) fn new(
        partitions: Partitions,
        groups: Groups,
        log_dir: Arc<LogDir>,
        mut images: watch::Receiver<Arc<Image>>,
    ) -> Self {
        let seen = images.borrow_and_update().clone();
        Self { partitions, groups, log_dir, images, seen }
    }

    pub(crate) async fn run(mut self, mut drain: Drain) {
        loop {
            tokio::select! {
                () = drain.started() => return,
                changed = self.images.changed() => if changed.is_err() { return },
            }
            let image = self.images.borrow_and_update().clone();
            self.reconcile(&image).await;
            self.seen = image;
        }
    }

    async fn reconcile(&self, image: &Image) {
        for partition in self.partitions.opened() {
            let log = &partition.log;
            let topic = image.topic(log.id().topic.as_str()).filter(|topic| topic.id == log.topic_id());
            match topic {
                Some(topic) => {
                    let config = log_config(topic, log.intake());
                    if log.config() != config {
                        log.configure(config);
                    }
                }
                None => {
                    self.partitions.forget(&partition);
                    if let Err(error) = self.log_dir.remove(log).await {
                        tracing::error!(partition = %log.id(), %error, "a deleted partition's files remain");
                    }
                }
            }
        }
        let gone = self.seen.topics().filter(|topic| image.topic_by_id(topic.id).is_none());
        for topic in gone {
            self.remove_unopened(topic).await;
            // Made anew under its old name in the meantime, it may have commits of its own.
            if image.topic(topic.name.as_str()).is_none() {
                self.forget_offsets(topic).await;
            }
        }
    }

    async fn forget_offsets(&self, topic: &Topic) {
        if let Err(error) = self.groups.forget_topic(&topic.name).await {
            tracing::warn!(topic = %topic.name, %error, "offsets of a deleted topic are kept until they expire");
        }
    }

    /// Partitions that nobody had opened have a directory all the same.
    async fn remove_unopened(&self, topic: &Topic) {
        let (log_dir, name, topic_id) = (self.log_dir.clone(), topic.name.clone(), topic.id);
        let partitions = topic.partition_count();
        let removing = tokio::task::spawn_blocking(move || {
            for index in 0..partitions {
                let id = TopicPartition::new(name.clone(), index);
                if let Err(error) = log_dir.remove_closed(&id, topic_id) {
                    tracing::error!(partition = %id, %error, "a deleted partition's files remain");
                }
            }
        });
        // It fails only with the runtime.
        let _ = removing.await;
    }
}

/// Opens every partition that has a directory: retention is for those, too, that nobody asks for.
pub(crate) async fn open_stored(partitions: &Partitions, log_dir: &Arc<LogDir>, image: &Image) {
    let names = log_dir.clone();
    let stored = match tokio::task::spawn_blocking(move || names.names()).await {
        Ok(Ok(stored)) => stored,
        Ok(Err(error)) => return tracing::error!(%error, "the log directory cannot be listed"),
        Err(error) => return tracing::error!(%error, "listing the log directory failed"),
    };
    for (id, topic_id) in stored {
        let topic = image.topic(id.topic.as_str()).filter(|topic| Some(topic.id) == topic_id);
        if let Some(topic) = topic {
            // One that cannot be opened has said so.
            let _ = partitions.find(topic, id.partition).await;
        }
    }
}

/// At start-up: directories that belong to no topic are set aside, never deleted. Kafka does the same, because metadata
/// that was lost would otherwise take the data with it.
pub(crate) fn set_strays_aside(log_dir: &LogDir, image: &Image) {
    let names = match log_dir.names() {
        Ok(names) => names,
        Err(error) => return tracing::error!(%error, "the log directory cannot be listed"),
    };
    for (id, topic_id) in names {
        let known = image.topic(id.topic.as_str()).is_some_and(|topic| {
            topic_id.is_none_or(|found| found == topic.id) && topic.partition(id.partition.0).is_some()
        });
        if known || id.topic.as_str() == topic_name::CLUSTER_METADATA {
            continue;
        }
        match log_dir.set_stray_aside(&id) {
            Ok(path) => tracing::warn!(
                partition = %id,
                path = %path.display(),
                "a directory belongs to no topic and was set aside; delete it when nothing in it is missed"
            ),
            Err(error) => tracing::error!(partition = %id, %error, "a stray directory cannot be set aside"),
        }
    }
}
