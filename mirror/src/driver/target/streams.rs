//! Blocks as they come in: each on a stream of its own, read into pooled memory that credit has bounded before.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bytes::{Bytes, BytesMut};
use quinn::{Connection, ReadError, ReadExactError, RecvStream};
use tokio::{sync::mpsc, task::JoinSet};

use crate::{
    driver::{closing::Ended, metrics::LinkMetrics, pool::BufferPool},
    link::{
        block::{Block, BlockHeader, HEADER_SIZE},
        sender::LinkError,
    },
};

/// Pieces of a stream taken at once: packets' worth each.
const PIECES: usize = 32;

/// What a connection's source may have sent. Checked when a block begins, before there is memory for it.
pub(super) struct Credit {
    granted: AtomicU64,
    begun: AtomicU64,
    window: u64,
    metrics: Arc<LinkMetrics>,
}

impl Credit {
    pub(super) fn new(window: u64, metrics: Arc<LinkMetrics>) -> Arc<Self> {
        let (granted, begun) = (AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Self { granted, begun, window, metrics })
    }

    /// The core grants so much in total; what it grants beyond the window was consumed.
    pub(super) fn grant(&self, total_bytes: u64) {
        let before = self.granted.swap(total_bytes, Ordering::AcqRel);
        let consumed = |granted: u64| granted.saturating_sub(self.window);
        self.metrics.unapplied_bytes.sub(consumed(total_bytes).saturating_sub(consumed(before)));
    }

    fn begin(&self, bytes: u64) -> Result<(), LinkError> {
        let sent = self.begun.fetch_add(bytes, Ordering::AcqRel).saturating_add(bytes);
        self.metrics.unapplied_bytes.add(bytes);
        let granted = self.granted.load(Ordering::Acquire);
        if sent <= granted { Ok(()) } else { Err(LinkError::CreditExceeded { granted, sent }) }
    }
}

impl Drop for Credit {
    /// What the connection had under way is forgotten with it.
    fn drop(&mut self) {
        let consumed = self.granted.load(Ordering::Acquire).saturating_sub(self.window);
        self.metrics.unapplied_bytes.sub(self.begun.load(Ordering::Acquire).saturating_sub(consumed));
    }
}

/// Hands on every block of a connection as soon as it is whole. Ends with the connection, or with the first bad block.
pub(super) async fn read_blocks(
    connection: Connection,
    credit: Arc<Credit>,
    pool: Arc<BufferPool>,
    blocks: mpsc::Sender<Result<Block, Ended>>,
) {
    let mut streams = JoinSet::new();
    loop {
        tokio::select! {
            stream = connection.accept_uni() => {
                let Ok(stream) = stream else { return };
                let (credit, pool, blocks) = (Arc::clone(&credit), Arc::clone(&pool), blocks.clone());
                streams.spawn(async move {
                    let block = read_block(stream, &credit, &pool).await;
                    let _ = blocks.send(block).await;
                });
            }
            Some(_) = streams.join_next() => {}
        }
    }
}

async fn read_block(mut stream: RecvStream, credit: &Credit, pool: &BufferPool) -> Result<Block, Ended> {
    let mut encoded = [0; HEADER_SIZE];
    stream.read_exact(&mut encoded).await.map_err(|error| match error {
        ReadExactError::FinishedEarly(_) => Ended::Stream("a stream shorter than a block's header"),
        ReadExactError::ReadError(error) => broken(error),
    })?;
    let header = BlockHeader::parse(&encoded)?;
    let bytes = header.wire_bytes as usize;
    credit.begin((HEADER_SIZE + bytes) as u64)?;
    let mut payload = pool.take(bytes);
    read_payload(&mut stream, &mut payload, bytes).await?;
    credit.metrics.blocks_received.one();
    credit.metrics.block_bytes_received.add((HEADER_SIZE + bytes) as u64);
    Ok(Block { header, payload: payload.freeze() })
}

/// Exactly so many bytes, and then the end.
async fn read_payload(stream: &mut RecvStream, payload: &mut BytesMut, bytes: usize) -> Result<(), Ended> {
    let mut pieces: [Bytes; PIECES] = Default::default();
    while let Some(count) = stream.read_chunks(&mut pieces).await.map_err(broken)? {
        for piece in pieces.iter_mut().take(count) {
            if payload.len() + piece.len() > bytes {
                return Err(Ended::Stream("a block longer than its header says"));
            }
            payload.extend_from_slice(piece);
            *piece = Bytes::new();
        }
    }
    if payload.len() < bytes {
        return Err(Ended::Stream("a block shorter than its header says"));
    }
    Ok(())
}

fn broken(error: ReadError) -> Ended {
    match error {
        ReadError::Reset(_) => Ended::Stream("a block that it took back"),
        ReadError::ConnectionLost(error) => Ended::Connection(error),
        ReadError::ClosedStream | ReadError::IllegalOrderedRead | ReadError::ZeroRttRejected => {
            Ended::Stream("a stream that cannot be read")
        }
    }
}
