//! Inside one datacenter: Kafka listeners, request handlers, coordinators, metadata.

pub mod api;
pub mod coordinator;
pub mod limits;
pub mod record_log;
pub mod settings;

pub use settings::Settings;
