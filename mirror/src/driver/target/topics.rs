//! The link's catalog at work: replicas are made and followed, and partitions that can be subscribed are told.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use tokio::{sync::mpsc, sync::watch, task::JoinSet};

use protocol::{TopicId, TopicName};

use super::link::Fact;
use crate::{
    catalog::{CatalogSync, Command, Event, Flow, LocalCatalog, LocalTopic, Rules, SourceTopic, TopicRow},
    driver::flows::{Flows, Landing},
    link::wire,
    ports::{Catalog, MergedTopic, PortError, ReplicaTopic, TopicCatalog},
};

pub(super) struct Topics {
    core: CatalogSync,
    /// What the source calls its topics.
    names: HashMap<TopicId, TopicName>,
    flows: Flows,
    catalog: Arc<dyn TopicCatalog>,
    local: watch::Receiver<Arc<Catalog>>,
    flow_changes: watch::Receiver<u64>,
}

/// What woke the catalog.
pub(super) enum Woken {
    Local,
    Flows,
}

impl Topics {
    pub(super) fn new(flows: Flows, catalog: Arc<dyn TopicCatalog>) -> Self {
        let (mut local, flow_changes) = (catalog.subscribe(), flows.changes());
        local.mark_changed();
        Self { core: CatalogSync::new(), names: HashMap::new(), flows, catalog, local, flow_changes }
    }

    /// Returns when the local catalog or what flows is another; at once at first.
    pub(super) async fn changed(&mut self) -> Woken {
        let (woken, gone) = tokio::select! {
            changed = self.local.changed() => (Woken::Local, changed.is_err()),
            changed = self.flow_changes.changed() => (Woken::Flows, changed.is_err()),
        };
        if gone {
            // The node goes down.
            std::future::pending::<()>().await;
        }
        woken
    }

    /// The event for what [`Self::changed`] answered.
    pub(super) fn event(&mut self, woken: &Woken) -> Event {
        match woken {
            Woken::Local => Event::Local(local_catalog(&self.local.borrow_and_update())),
            Woken::Flows => Event::FlowsChanged,
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Duration> {
        self.core.next_deadline()
    }

    /// Topics that should flow and do not.
    pub(super) fn stopped(&self) -> Vec<TopicRow> {
        self.core.rows().filter(|row| row.stop.is_some()).collect()
    }

    /// What the source calls a topic.
    pub(super) fn name_of(&self, id: TopicId) -> Option<TopicName> {
        self.names.get(&id).cloned()
    }

    pub(super) fn handle(&mut self, now: Duration, event: Event) -> Vec<Command> {
        match &event {
            Event::Topic(topic) => drop(self.names.insert(topic.id, topic.name.detached())),
            Event::TopicGone { id } => drop(self.names.remove(id)),
            Event::Connected
            | Event::Disconnected
            | Event::Complete
            | Event::Local(_)
            | Event::FlowsChanged
            | Event::Done { .. }
            | Event::Failed { .. }
            | Event::DeadlinePassed => {}
        }
        let mut commands = Vec::new();
        self.core.handle(now, event, &self.flows, &mut commands);
        commands
    }

    /// Makes or changes a topic here, and tells the core how that went.
    pub(super) fn make(&self, command: Command, fact: mpsc::Sender<Fact>, tasks: &mut JoinSet<()>) {
        let catalog = Arc::clone(&self.catalog);
        let (id, work): (_, crate::ports::BoxFuture<'static, Result<Vec<String>, PortError>>) = match command
        {
            Command::CreateReplica { topic } => {
                let id = topic.id;
                (
                    id,
                    Box::pin(
                        async move { catalog.create_replica(replica(topic)).await.map(|()| Vec::new()) },
                    ),
                )
            }
            Command::FollowReplica { topic } => {
                let id = topic.id;
                (id, Box::pin(async move { catalog.follow_replica(replica(topic)).await }))
            }
            Command::EnsureMerged { into, partitions, source } => {
                let id = source.id;
                let partitions = i32::try_from(partitions).unwrap_or(i32::MAX);
                let topic = MergedTopic { name: into, partitions, configs: source.configs };
                (id, Box::pin(async move { catalog.ensure_merged(topic).await.map(|_| Vec::new()) }))
            }
            // These change nothing here.
            Command::Ready { .. } | Command::Withdraw { .. } | Command::Notice(_) => return,
        };
        tasks.spawn(async move {
            let event = match work.await {
                Ok(skipped_configs) => Event::Done { id, skipped_configs },
                Err(error) => Event::Failed { id, what: error.to_string(), again: error.is_retriable() },
            };
            let _ = fact.send(Fact::Catalog(event)).await;
        });
    }
}

impl Rules for Flows {
    fn flow(&self, topic: &TopicName) -> Option<Flow> {
        self.topic(topic.as_str()).map(|(rule, _)| match rule.landing {
            Landing::Replica => Flow::Replica,
            Landing::Merged { into } => Flow::Merged { into },
        })
    }
}

pub(super) fn source_topic(topic: wire::Topic) -> SourceTopic {
    let wire::Topic { name, id, leader_epochs, configs, compacted, generation: _ } = topic;
    SourceTopic { name, id, leader_epochs, configs, compacted }
}

fn replica(topic: SourceTopic) -> ReplicaTopic {
    let SourceTopic { name, id, leader_epochs, configs, compacted: _ } = topic;
    ReplicaTopic { name, id, leader_epochs, configs }
}

fn local_catalog(catalog: &Catalog) -> LocalCatalog {
    let local = |topic: &crate::ports::CatalogTopic| LocalTopic {
        id: topic.id,
        leader_epochs: topic.leader_epochs.clone(),
        configs: topic.configs.clone(),
        // The broker does not say; ids that the link has seen tell it as well.
        replica: false,
    };
    catalog.topics.values().map(|topic| (topic.name.clone(), local(topic))).collect::<BTreeMap<_, _>>()
}
