//! The mirror's ports over the broker of this datacenter. The two rooms do not know each other; here they meet.
//!
//! ```text
//!   BatchSource, BatchSink -> the broker's logs       TopicCatalog   -> its metadata
//!   GroupStore -> its groups                          OwnershipStore -> its metadata, its gates
//!   Credentials -> certificates and topology          LinkRules, Membership -> the topology
//!   Gate (the broker's question: who may write?)  <-  the mirror's view of who is home, and the topology
//! ```
//!
//! One file for each port: names and errors are translated, nothing is decided.

mod asked;
mod catalog;
mod counters;
mod credentials;
mod failures;
mod gate;
mod groups;
mod operations;
mod ownership;
mod parts;
mod producer_ids;
mod reset_key;
mod rules;
mod sink;
mod source;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use broker::Handles;
use mirror::ports::{AllPartitions, DiskReads, Ports};
use tokio::runtime::Handle;

use self::{
    catalog::BrokerCatalog, groups::BrokerGroups, ownership::BrokerOwnership, sink::BrokerSink,
    source::BrokerSource,
};
pub(crate) use self::{
    counters::register as register_counters,
    credentials::CertifiedNode,
    gate::{Units, WriteGate},
    operations::NodeOperations,
    parts::{here, links, random, tables, units},
    reset_key::reset_key,
};

/// Segment files that links read at once. Consumers have bounds of their own, so back-fill does not take theirs.
const DISK_READS_AT_ONCE: usize = 4;

/// Everything the mirror needs of a broker. Must be called on the broker's runtime: events are forwarded by tasks of it, which
/// end with the ports. A datacenter of one node mirrors all its partitions itself.
pub(crate) fn ports(broker: &Handles) -> Ports {
    let runtime = Handle::current();
    let reads = DiskReads::new(runtime.clone(), DISK_READS_AT_ONCE);
    Ports {
        source: Arc::new(BrokerSource::new(broker.clone(), reads.clone())),
        sink: Arc::new(BrokerSink::new(broker.clone(), reads)),
        catalog: Arc::new(BrokerCatalog::new(broker.metadata().clone())),
        groups: Arc::new(BrokerGroups::new(broker.groups().clone(), broker.metadata().clone(), runtime)),
        ownership: Arc::new(BrokerOwnership::new(broker.clone())),
        assignment: Arc::new(AllPartitions::new()),
    }
}
