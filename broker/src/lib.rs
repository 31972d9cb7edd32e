//! Inside one datacenter: Kafka listeners, request handlers, coordinators, metadata.

pub mod api;
mod broker;
pub mod coordinator;
mod gate;
mod handles;
pub mod limits;
pub mod metadata;
mod metrics;
mod node;
mod offsets_topic;
mod opened;
mod partition;
mod producer_ids;
pub mod record_log;
mod router;
mod serve;
pub mod settings;
mod stored_records;
mod topic_directory;

pub use broker::{Broker, Components, DrainError};
pub use gate::{Gate, GroupGate, OpenGate, TopicGate};
pub use handles::Handles;
pub use opened::{Opened, StartError};
pub use partition::FindError;
pub use settings::Settings;
