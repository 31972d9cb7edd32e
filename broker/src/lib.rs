//! Inside one datacenter: Kafka listeners, request handlers, coordinators, metadata.

pub mod api;
mod broker;
pub mod coordinator;
pub mod limits;
pub mod metadata;
mod metrics;
mod node;
mod offsets_topic;
mod partition;
mod producer_ids;
pub mod record_log;
mod router;
mod serve;
pub mod settings;
mod stored_records;
mod topic_directory;

pub use broker::{Broker, Components, DrainError, StartError};
pub use settings::Settings;
