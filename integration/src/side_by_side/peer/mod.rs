//! The peer: Apache Kafka, one KRaft broker in each datacenter, and MirrorMaker 2 between them.
//!
//! Maven fetches the jars (`integration/peers/pom.xml`) into the target directory, once. Settings are the files beside it;
//! what is added here is what differs from run to run: addresses, ids, directories.

mod broker;
mod jars;
pub(super) mod java;
mod mirror;

use std::sync::Arc;

use tempfile::TempDir;

use super::{
    place::{Place, Places},
    process::Role,
    side::{Acks, Lone, Purpose, Side, World},
};
use crate::load::topic;

/// Kafka with MirrorMaker 2.
pub(crate) struct Peer {
    /// MirrorMaker's records and its progress in one transaction.
    pub(crate) exactly_once: bool,
}

impl Side for Peer {
    fn name(&self) -> &'static str {
        if self.exactly_once { "Kafka + MirrorMaker 2, exactly once" } else { "Kafka + MirrorMaker 2" }
    }

    fn configs(&self, acks: Acks) -> &'static topic::Configs {
        match acks {
            Acks::PageCache => &[],
            Acks::Synced => &[("flush.messages", "1")],
        }
    }

    fn broker(&self, place: &Arc<dyn Place>) -> Lone {
        let folder = folder();
        let node = broker::node(Role::Broker, place, folder.path(), "alone", 1);
        Lone { node, _folder: folder }
    }

    fn world(&self, places: &Places, purpose: Purpose) -> World {
        let folder = folder();
        let mut source = broker::node(Role::Source, &places.source, folder.path(), "source", 1);
        let mut target = broker::node(Role::Target, &places.target, folder.path(), "target", 2);
        source.spawn();
        target.spawn();
        source.await_ready();
        target.await_ready();
        let addresses = [source.kafka, target.kafka];
        let mirror = mirror::start(places, folder.path(), addresses, purpose, self.exactly_once);
        World { source, target, mirror: Some(mirror), _folder: folder }
    }

    fn fail_over(&self, _: &World) {
        // MirrorMaker 2 has no such step: whoever starts consumers at the target uses what is there.
    }

    fn wire_bytes(&self, _: &World) -> Option<f64> {
        None
    }
}

fn folder() -> TempDir {
    tempfile::Builder::new().prefix("peer-bench-").tempdir().expect("a temporary folder")
}
