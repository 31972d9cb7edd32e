//! Blocks on their way out: packed, then each written to a stream of its own until the transport has delivered it.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use parking_lot::Mutex;
use quinn::{Connection, StoppedError, WriteError};
use tokio::sync::mpsc;

use core_log::Clock;

use super::{
    pace::Pace,
    thrift::{Thrift, Way},
};
use crate::{
    driver::{closing::CODE_SHUTDOWN, kit::Kit, metrics::LinkMetrics, workers::Workers},
    link::{
        block::{OutgoingBlock, PackedBlock, Packer},
        sender::Event,
    },
};

/// Smaller ones are packed in the time that handing them over takes.
const INLINE_BYTES: u32 = 16 << 10;

/// What carries blocks of a connection.
#[derive(Clone)]
pub(super) struct BlockWriter {
    pub(super) connection: Connection,
    pub(super) packers: Arc<Kit<Packer>>,
    pub(super) workers: Workers,
    pub(super) metrics: Arc<LinkMetrics>,
    pub(super) events: mpsc::Sender<Event>,
    /// None: as fast as the path takes it.
    pub(super) pace: Option<Arc<Pace>>,
    pub(super) clock: Arc<dyn Clock>,
    /// None: a block is compressed if that makes it smaller.
    pub(super) thrift: Option<Arc<Mutex<Thrift>>>,
}

/// The connection is of no use any more; it says itself why.
#[derive(Debug, thiserror::Error)]
#[error("the block was not delivered")]
struct NotDelivered;

impl BlockWriter {
    /// Packs and writes a block, and tells the core how it goes. Ends silently with the connection.
    pub(super) async fn send(self, mut block: OutgoingBlock) {
        block.compressible = block.compressible && self.compresses();
        let (number, priority) = (block.header.number, block.priority);
        let plain_bytes = u64::from(block.header.unpacked_bytes);
        let packed = match self.pack(block).await {
            Ok(packed) => packed,
            Err(error) => {
                tracing::error!(%error, "a block cannot be packed");
                // Its successors would wait for it for ever.
                return self.connection.close(CODE_SHUTDOWN, b"a block cannot be packed");
            }
        };
        let wire_bytes = packed.wire_bytes();
        let _ = self.events.send(Event::Packed { number, wire_bytes }).await;
        if let Some(pace) = &self.pace {
            tokio::time::sleep(pace.reserve(self.clock.monotonic(), wire_bytes)).await;
        }
        self.metrics.transport_bytes.add(wire_bytes);
        self.tell(|thrift, now| thrift.handle_written(now, wire_bytes));
        let delivered = self.write(packed, priority).await;
        self.tell(|thrift, now| thrift.handle_delivered(now, wire_bytes));
        self.metrics.transport_bytes.sub(wire_bytes);
        if delivered.is_ok() {
            self.metrics.blocks_sent.one();
            self.metrics.block_bytes_sent.add(wire_bytes);
            self.metrics.payload_bytes_sent.add(plain_bytes);
            let _ = self.events.send(Event::Finished { number }).await;
        }
    }

    fn compresses(&self) -> bool {
        let Some(thrift) = &self.thrift else { return true };
        let path = self.connection.stats().path;
        let way = Way { least_rtt: path.min_rtt, packet_bytes: path.current_mtu };
        thrift.lock().compresses(self.clock.monotonic(), way)
    }

    fn tell(&self, what: impl FnOnce(&mut Thrift, Duration)) {
        if let Some(thrift) = &self.thrift {
            what(&mut thrift.lock(), self.clock.monotonic());
        }
    }

    async fn pack(&self, block: OutgoingBlock) -> io::Result<PackedBlock> {
        if !block.compressible || block.header.unpacked_bytes <= INLINE_BYTES {
            return self.packers.with(|packer| packer.pack(block));
        }
        let packers = Arc::clone(&self.packers);
        let job = move || packers.with(|packer| packer.pack(block));
        self.workers.run(job).await.map_err(io::Error::other)?
    }

    async fn write(&self, packed: PackedBlock, priority: i32) -> Result<(), NotDelivered> {
        let mut stream = self.connection.open_uni().await.map_err(|_| NotDelivered)?;
        let mut pieces = Vec::with_capacity(1 + packed.payload.len());
        pieces.push(Bytes::copy_from_slice(&packed.encoded_header));
        pieces.extend(packed.payload);
        stream.set_priority(priority).map_err(|_| NotDelivered)?;
        stream.write_all_chunks(&mut pieces).await.map_err(|_: WriteError| NotDelivered)?;
        stream.finish().map_err(|_| NotDelivered)?;
        match stream.stopped().await {
            // Delivered whole.
            Ok(None) => Ok(()),
            // A receiver never stops a stream and lives: it closes the connection.
            Ok(Some(_)) | Err(StoppedError::ConnectionLost(_) | StoppedError::ZeroRttRejected) => {
                Err(NotDelivered)
            }
        }
    }
}
