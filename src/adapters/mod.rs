//! The mirror's ports over the broker of this datacenter. The two rooms do not know each other; here they meet.
//!
//! ```text
//!   BatchSource, BatchSink -> the broker's logs       TopicCatalog  -> its metadata
//!   GroupStore -> its groups                          OwnershipStore -> its metadata, its gates
//!   Gate (the broker's question: who may write?)  <-  the mirror's view of who is home, and the topology
//! ```
//!
//! One file for each port, names and errors translated and nothing decided.

mod catalog;
mod failures;
mod gate;
mod groups;
mod ownership;
mod partitions;
mod sink;
mod source;

use std::sync::Arc;

use broker::Handles;
use mirror::ports::{AllPartitions, Ports};

pub(crate) use self::gate::WriteGate;
use self::{
    catalog::BrokerCatalog, groups::BrokerGroups, ownership::BrokerOwnership, sink::BrokerSink,
    source::BrokerSource,
};

/// Everything the mirror needs of a broker. Must be called on the runtime: events are forwarded by tasks, which end with the
/// ports. A datacenter of one node mirrors all its partitions itself.
pub(crate) fn ports(broker: &Handles) -> Ports {
    Ports {
        source: Arc::new(BrokerSource::new(broker.clone())),
        sink: Arc::new(BrokerSink::new(broker.clone())),
        catalog: Arc::new(BrokerCatalog::new(broker.metadata().clone())),
        groups: Arc::new(BrokerGroups::new(broker.groups().clone(), broker.metadata().clone())),
        ownership: Arc::new(BrokerOwnership::new(broker.clone())),
        assignment: Arc::new(AllPartitions::new()),
    }
}
