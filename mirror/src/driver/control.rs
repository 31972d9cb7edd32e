//! The control stream: whole messages in, whole messages out, a few at a time in either direction.

use bytes::{Bytes, BytesMut};
use quinn::{RecvStream, SendStream};
use tokio::{
    sync::mpsc::{self, error::TrySendError},
    task::JoinSet,
};

use crate::link::wire::{Control, Decoder, WireError, encode};

/// Of messages written together.
const CHUNK_BYTES: usize = 32 << 10;
/// Chunks that wait for the transport; a core merges what waits longer.
const CHUNKS_MAX: usize = 4;
/// Read from the stream at once.
const READ_BYTES: usize = 64 << 10;

/// Why there is no next message.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlError {
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The peer ended the stream, or the connection is gone: its own reason says more.
    #[error("the control stream ended")]
    Ended,
}

/// Reads messages off the stream.
pub(crate) struct ControlReader {
    stream: RecvStream,
    decoder: Decoder,
}

impl ControlReader {
    pub(crate) fn new(stream: RecvStream) -> Self {
        Self { stream, decoder: Decoder::new() }
    }

    pub(crate) async fn next<M: Control>(&mut self) -> Result<M, ControlError> {
        loop {
            if let Some(message) = self.decoder.next_message()? {
                return Ok(message);
            }
            match self.stream.read_chunk(READ_BYTES, true).await {
                Ok(Some(chunk)) => self.decoder.push(chunk.bytes),
                Ok(None) | Err(_) => return Err(ControlError::Ended),
            }
        }
    }
}

/// Takes messages for the stream as long as there is room.
pub(crate) struct ControlWriter {
    chunks: mpsc::Sender<Bytes>,
}

impl ControlWriter {
    /// Writes in a task of `tasks`.
    pub(crate) fn spawn(mut stream: SendStream, priority: i32, tasks: &mut JoinSet<()>) -> Self {
        let (chunks, mut queued) = mpsc::channel::<Bytes>(CHUNKS_MAX);
        // Fails for a stream that is closed, and then so does the first write.
        let _ = stream.set_priority(priority);
        tasks.spawn(async move {
            while let Some(chunk) = queued.recv().await {
                if stream.write_chunk(chunk).await.is_err() {
                    return;
                }
            }
            let _ = stream.finish();
        });
        Self { chunks }
    }

    /// Writes what `next` has to say. `Ok(false)`: it may have more, but the stream cannot take it now; wait for
    /// [`Self::room`].
    pub(crate) fn fill<M: Control>(&self, mut next: impl FnMut() -> Option<M>) -> Result<bool, WireError> {
        loop {
            let room = match self.chunks.try_reserve() {
                Ok(room) => room,
                Err(TrySendError::Full(())) => return Ok(false),
                // The connection is gone, and the session about to notice.
                Err(TrySendError::Closed(())) => return Ok(true),
            };
            let mut chunk = BytesMut::new();
            while chunk.len() < CHUNK_BYTES {
                let Some(message) = next() else {
                    if !chunk.is_empty() {
                        room.send(chunk.freeze());
                    }
                    return Ok(true);
                };
                encode(&message, &mut chunk)?;
            }
            room.send(chunk.freeze());
        }
    }

    /// Waits until [`Self::fill`] can write again.
    pub(crate) async fn room(&self) {
        // An error means that the connection is gone, which ends every wait.
        let _ = self.chunks.reserve().await;
    }
}
