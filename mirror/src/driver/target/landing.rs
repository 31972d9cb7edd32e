//! Where each partition's records go.

use std::{collections::HashMap, sync::Arc, time::Duration};

use protocol::{TopicId, TopicName};

use crate::{
    driver::{backoff::Backoff, random::Random},
    link::receiver::{ApplyFailure, LocalPosition, PartitionKey},
    ports::{BatchSink, PortError, SinkPartition},
    stop::StopReason,
};

/// A partition's place at the target.
#[derive(Clone)]
pub(super) struct Landing {
    pub(super) topic: TopicName,
    pub(super) topic_id: TopicId,
    /// Once it was looked for.
    pub(super) sink: Option<Arc<dyn SinkPartition>>,
}

/// The places of all partitions that flow.
#[derive(Default)]
pub(super) struct Landings {
    pub(super) by_key: HashMap<PartitionKey, Landing>,
}

impl Landings {
    pub(super) fn sink(&self, key: &PartitionKey) -> Option<Arc<dyn SinkPartition>> {
        self.by_key.get(key)?.sink.clone()
    }

    pub(super) fn found(&mut self, key: PartitionKey, sink: Arc<dyn SinkPartition>) {
        if let Some(landing) = self.by_key.get_mut(&key) {
            landing.sink = Some(sink);
        }
    }
}

/// Opens the log that a partition lands in; tries again as long as that may help.
pub(super) async fn open(
    sink: Arc<dyn BatchSink>,
    topic: TopicId,
    key: PartitionKey,
    random: Random,
) -> Result<Arc<dyn SinkPartition>, StopReason> {
    let mut backoff = Backoff::default();
    loop {
        let error = match sink.partition(topic, key.partition).await {
            Ok(log) => match log.offline() {
                None => return Ok(log),
                Some(reason) => PortError::Offline(reason),
            },
            Err(error) => error,
        };
        if !error.is_retriable() {
            return Err(stop_reason(&error));
        }
        let pause: Duration = backoff.next_pause(random.next());
        tokio::time::sleep(pause).await;
    }
}

/// What a replica's log says of where it stands.
pub(super) fn replica_position(log: &dyn SinkPartition) -> LocalPosition {
    let ends = log.ends();
    let last_epoch = log.latest_epoch();
    LocalPosition {
        log_start: ends.log_start,
        next_offset: ends.log_end,
        durable_end: ends.durable_end,
        last_epoch,
        fresh: ends.log_start == ends.log_end && last_epoch.is_none(),
    }
}

pub(super) fn stop_reason(error: &PortError) -> StopReason {
    match error {
        PortError::Offline(_) | PortError::Closed | PortError::Unavailable(_) => {
            StopReason::TargetOffline { what: error.to_string() }
        }
        PortError::NotFound(_) | PortError::Refused(_) => {
            StopReason::TargetRefused { what: error.to_string() }
        }
    }
}

/// A full disk goes by; so does what says that it does.
pub(super) fn failure(error: &PortError) -> ApplyFailure {
    if error.is_retriable() { ApplyFailure::NoSpace } else { ApplyFailure::Stop(stop_reason(error)) }
}
