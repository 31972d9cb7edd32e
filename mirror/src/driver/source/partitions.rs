//! The logs that a connection's target has subscribed to.

use std::{collections::HashMap, sync::Arc, time::Duration};

use protocol::{Offset, PartitionId, TopicId};

use crate::{
    driver::{backoff::Backoff, watches::Watches},
    link::{
        Handle,
        sender::{Event, SourceEnds},
    },
    ports::{BatchSource, PortError, SourcePartition},
    stop::StopReason,
};

/// Opened logs and their watches.
pub(super) struct Partitions {
    open: HashMap<Handle, Open>,
    by_key: HashMap<(TopicId, PartitionId), Handle>,
    pub(super) watches: Watches<Handle>,
}

struct Open {
    key: (TopicId, PartitionId),
    log: Arc<dyn SourcePartition>,
    told: SourceEnds,
}

impl Partitions {
    pub(super) fn new() -> Self {
        Self { open: HashMap::new(), by_key: HashMap::new(), watches: Watches::new() }
    }

    /// Watches the log, then looks.
    pub(super) fn insert(
        &mut self,
        handle: Handle,
        key: (TopicId, PartitionId),
        log: Arc<dyn SourcePartition>,
    ) -> SourceEnds {
        self.watches.add(handle, |waiter| log.watch(waiter));
        let told = ends_of(&*log);
        self.by_key.insert(key, handle);
        self.open.insert(handle, Open { key, log, told });
        told
    }

    pub(super) fn remove(&mut self, handle: Handle) {
        self.watches.remove(&handle);
        if let Some(open) = self.open.remove(&handle)
            && self.by_key.get(&open.key) == Some(&handle)
        {
            self.by_key.remove(&open.key);
        }
    }

    pub(super) fn log(&self, handle: Handle) -> Option<Arc<dyn SourcePartition>> {
        self.open.get(&handle).map(|open| Arc::clone(&open.log))
    }

    /// Where a partition ends now, if it is subscribed.
    pub(super) fn end_of(&self, key: (TopicId, PartitionId)) -> Option<Offset> {
        let open = self.open.get(self.by_key.get(&key)?)?;
        Some(ends_of(&*open.log).end)
    }

    /// What to tell of a log that woke, if that is anything new.
    pub(super) fn look(&mut self, handle: Handle) -> Option<Event> {
        let open = self.open.get_mut(&handle)?;
        let ends = ends_of(&*open.log);
        // A log that went offline says so at the next read, which is asked for when there is something to read.
        let news = ends != open.told;
        open.told = ends;
        news.then_some(Event::Ends { handle, ends })
    }
}

/// What may leave: nothing that a power cut here could take back.
fn ends_of(log: &dyn SourcePartition) -> SourceEnds {
    let ends = log.ends();
    SourceEnds { log_start: ends.log_start, end: ends.high_watermark.min(ends.durable_end) }
}

/// Opens a partition; tries again as long as that may help.
pub(super) async fn open(
    source: Arc<dyn BatchSource>,
    topic: TopicId,
    partition: PartitionId,
    mut random: impl FnMut() -> u64,
) -> Result<Arc<dyn SourcePartition>, StopReason> {
    let mut backoff = Backoff::default();
    loop {
        let error = match source.partition(topic, partition).await {
            Ok(log) => match log.offline() {
                None => return Ok(log),
                Some(reason) => PortError::Offline(reason),
            },
            Err(error) => error,
        };
        if !error.is_retriable() {
            return Err(stop_reason(&error));
        }
        let pause: Duration = backoff.next_pause(random());
        tokio::time::sleep(pause).await;
    }
}

fn stop_reason(error: &PortError) -> StopReason {
    match error {
        PortError::NotFound(_) => StopReason::UnknownTopic,
        PortError::Unavailable(_) | PortError::Refused(_) | PortError::Offline(_) | PortError::Closed => {
            StopReason::SourceOffline { what: error.to_string() }
        }
    }
}
