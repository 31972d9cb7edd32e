//! Every metric of this room, declared here and nowhere else: `isthmus_broker_<noun>_<unit>`.
//!
//! Labels come from enums and from the table of served APIs, never from what a client sends.

use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

use protocol::ErrorCode;

use crate::serve::{CloseReason, Refused};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ApiLabel {
    api: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ReasonLabel {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ErrorLabel {
    api: &'static str,
    error: &'static str,
}

/// Cheap to clone: the counters are shared.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    pub(crate) connections: Gauge,
    refused: Family<ReasonLabel, Counter>,
    closed: Family<ReasonLabel, Counter>,
    requests: Family<ApiLabel, Counter>,
    request_seconds: Family<ApiLabel, Histogram>,
    errors: Family<ErrorLabel, Counter>,
    pub(crate) produced_bytes: Counter,
    pub(crate) produced_batches: Counter,
    pub(crate) duplicate_batches: Counter,
    pub(crate) fetched_bytes: Counter,
    pub(crate) fetches_from_disk: Counter,
}

impl Metrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            connections: Gauge::default(),
            refused: Family::default(),
            closed: Family::default(),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(|| {
                Histogram::new(exponential_buckets(0.000_05, 4.0, 10))
            }),
            errors: Family::default(),
            produced_bytes: Counter::default(),
            produced_batches: Counter::default(),
            duplicate_batches: Counter::default(),
            fetched_bytes: Counter::default(),
            fetches_from_disk: Counter::default(),
        };
        metrics.describe(registry.sub_registry_with_prefix("isthmus_broker"));
        metrics
    }

    fn describe(&self, registry: &mut Registry) {
        let of = registry;
        of.register("connections", "Client connections now open", self.connections.clone());
        of.register("connections_refused", "Connections refused by a cap", self.refused.clone());
        of.register("connections_closed", "Connections the broker closed, by reason", self.closed.clone());
        of.register("requests", "Requests read, by API", self.requests.clone());
        of.register_with_unit(
            "request",
            "From a request being read to its outcome, long polls included",
            Unit::Seconds,
            self.request_seconds.clone(),
        );
        of.register("errors", "Error codes answered, by API and Kafka's name", self.errors.clone());
        of.register_with_unit(
            "produced",
            "Record batches appended",
            Unit::Bytes,
            self.produced_bytes.clone(),
        );
        of.register("produced_batches", "Record batches appended", self.produced_batches.clone());
        of.register(
            "duplicate_batches",
            "Batches of idempotent producers that were there already",
            self.duplicate_batches.clone(),
        );
        of.register_with_unit("fetched", "Record batches answered", Unit::Bytes, self.fetched_bytes.clone());
        of.register(
            "fetches_from_disk",
            "Partition reads of a Fetch that recent batches in memory could not serve",
            self.fetches_from_disk.clone(),
        );
    }

    pub(crate) fn refused(&self, refused: Refused) {
        let reason = match refused {
            Refused::TooMany => "connections_max",
            Refused::TooManyFromAddress => "connections_per_ip_max",
        };
        self.refused.get_or_create(&ReasonLabel { reason }).inc();
    }

    pub(crate) fn closed(&self, reason: CloseReason) {
        self.closed.get_or_create(&ReasonLabel { reason: reason.name() }).inc();
    }

    /// Before it is handled: one that waits for long is seen, too.
    pub(crate) fn request_read(&self, api: &'static str) {
        self.requests.get_or_create(&ApiLabel { api }).inc();
    }

    pub(crate) fn request_took(&self, api: &'static str, took: Duration) {
        self.request_seconds.get_or_create(&ApiLabel { api }).observe(took.as_secs_f64());
    }

    /// Counts an error code that is put into an answer; [`ErrorCode::NONE`] is not one.
    pub(crate) fn error(&self, api: &'static str, error: ErrorCode) {
        if error.is_error() {
            self.errors.get_or_create(&ErrorLabel { api, error: error.name() }).inc();
        }
    }
}
