//! Inside one datacenter: Kafka listeners, request handlers, coordinators, metadata.

pub mod api;
