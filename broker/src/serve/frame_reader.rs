//! Takes frames off a socket: bounded in size, in memory and in time.

use std::{io, time::Duration};

use bytes::{Buf, BufMut, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    time::{Instant, timeout_at},
};

use super::{
    answer::CloseReason,
    budget::{Charge, PeerBudget},
};
use crate::settings::ConnectionSettings;

const LENGTH_SIZE: usize = 4;
/// Read at once while no frame has begun: several small requests cost one system call.
const READ_AHEAD: usize = 16 << 10;
/// A frame must have brought this much (or be whole) before its memory is taken from the budget: what a peer merely
/// announces takes nothing away from others.
const CHARGED_FROM: usize = 64 << 10;

/// One request, length field taken off, and the memory it is charged for.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) bytes: BytesMut,
    pub(crate) charge: Charge,
}

#[derive(Debug, Clone)]
pub(crate) struct FrameLimits {
    bytes_max: usize,
    idle: Duration,
    whole_within: Duration,
}

impl From<&ConnectionSettings> for FrameLimits {
    fn from(settings: &ConnectionSettings) -> Self {
        Self {
            bytes_max: settings.request_bytes_max,
            idle: Duration::from_millis(settings.idle_ms),
            whole_within: Duration::from_millis(settings.request_read_ms),
        }
    }
}

/// Why no further frame comes.
#[derive(Debug)]
pub(crate) enum FrameEnd {
    /// The peer closed between two frames.
    Closed,
    Failed(CloseReason),
}

pub(crate) struct FrameReader<R> {
    socket: R,
    buffer: BytesMut,
    limits: FrameLimits,
    budget: PeerBudget,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    pub(crate) fn new(socket: R, limits: FrameLimits, budget: PeerBudget) -> Self {
        Self { socket, buffer: BytesMut::new(), limits, budget }
    }

    /// The next frame. Cancelling loses nothing: bytes that were read stay in the buffer.
    pub(crate) async fn next(&mut self) -> Result<Frame, FrameEnd> {
        if self.buffer.is_empty() {
            self.first_bytes().await?;
        }
        let mut deadline = Instant::now() + self.limits.whole_within;
        self.fill(LENGTH_SIZE, READ_AHEAD, deadline).await?;
        let length = self.length()?;
        let whole = LENGTH_SIZE + length;
        self.fill(whole.min(CHARGED_FROM), READ_AHEAD, deadline).await?;
        let waiting_since = Instant::now();
        let charge = self.budget.charge(length).await;
        // Waiting for memory is our slowness, not the peer's.
        deadline += waiting_since.elapsed();
        self.fill(whole, 0, deadline).await?;
        self.buffer.advance(LENGTH_SIZE);
        Ok(Frame { bytes: self.buffer.split_to(length), charge })
    }

    fn length(&self) -> Result<usize, FrameEnd> {
        let mut field = self.buffer.get(..LENGTH_SIZE).unwrap_or_default();
        let length = field.try_get_i32().ok().and_then(|length| usize::try_from(length).ok());
        match length {
            Some(length) if length <= self.limits.bytes_max => Ok(length),
            Some(_) | None => Err(FrameEnd::Failed(CloseReason::FrameLength)),
        }
    }

    async fn first_bytes(&mut self) -> Result<(), FrameEnd> {
        self.buffer.reserve(READ_AHEAD);
        let deadline = Instant::now() + self.limits.idle;
        let mut room = (&mut self.buffer).limit(READ_AHEAD);
        match timeout_at(deadline, self.socket.read_buf(&mut room)).await {
            Err(_) => Err(FrameEnd::Failed(CloseReason::Idle)),
            Ok(Ok(0)) => Err(FrameEnd::Closed),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Self::socket_end(&error)),
        }
    }

    /// Reads until the buffer holds `wanted` bytes, and at most `ahead` bytes more.
    async fn fill(&mut self, wanted: usize, ahead: usize, deadline: Instant) -> Result<(), FrameEnd> {
        while let Some(missing) = wanted.checked_sub(self.buffer.len()).filter(|missing| *missing > 0) {
            // Exactly the frame: a buffer that grew past it would be copied for the next one.
            self.buffer.reserve(missing);
            let mut room = (&mut self.buffer).limit(missing + ahead);
            match timeout_at(deadline, self.socket.read_buf(&mut room)).await {
                Err(_) | Ok(Ok(0)) => return Err(FrameEnd::Failed(CloseReason::FrameIncomplete)),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(Self::socket_end(&error)),
            }
        }
        Ok(())
    }

    fn socket_end(error: &io::Error) -> FrameEnd {
        tracing::debug!(%error, "reading from a client failed");
        FrameEnd::Failed(CloseReason::Socket)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt, DuplexStream, duplex};

    use super::*;
    use crate::serve::budget::Budget;

    fn reader(settings: &ConnectionSettings) -> (DuplexStream, FrameReader<DuplexStream>, Budget) {
        let (client, server) = duplex(1 << 20);
        let budget = Budget::new(settings.in_flight_bytes_max);
        let reader = FrameReader::new(server, FrameLimits::from(settings), budget.for_peer());
        (client, reader, budget)
    }

    fn reason(result: Result<Frame, FrameEnd>) -> Option<CloseReason> {
        match result {
            Err(FrameEnd::Failed(reason)) => Some(reason),
            Ok(_) | Err(FrameEnd::Closed) => None,
        }
    }

    #[tokio::test]
    async fn frames_come_out_whole_however_they_arrive() {
        let (mut client, mut reader, _) = reader(&ConnectionSettings::default());
        let large = vec![7u8; 300_000];
        let mut sent = Vec::new();
        for body in [&b"abc"[..], b"", &large, b"de"] {
            sent.extend_from_slice(&u32::try_from(body.len()).unwrap().to_be_bytes());
            sent.extend_from_slice(body);
        }
        let writing = tokio::spawn(async move {
            for piece in sent.chunks(1_013) {
                client.write_all(piece).await.unwrap();
            }
        });
        for body in [&b"abc"[..], b"", &large, b"de"] {
            assert_eq!(reader.next().await.unwrap().bytes, body);
        }
        writing.await.unwrap();
        assert!(matches!(reader.next().await, Err(FrameEnd::Closed)));
    }

    #[tokio::test]
    async fn lengths_below_zero_and_above_the_limit_end_the_connection() {
        for length in [-1i32, i32::MIN, i32::MAX, 1_001] {
            let settings = ConnectionSettings { request_bytes_max: 1_000, ..ConnectionSettings::default() };
            let (mut client, mut reader, _) = reader(&settings);
            client.write_all(&length.to_be_bytes()).await.unwrap();
            assert_eq!(reason(reader.next().await), Some(CloseReason::FrameLength), "length {length}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_frame_that_never_completes_ends_the_connection_and_takes_no_memory() {
        let (mut client, mut reader, budget) = reader(&ConnectionSettings::default());
        client.write_all(&50_000_000i32.to_be_bytes()).await.unwrap();
        client.write_all(&[0; 1_000]).await.unwrap();
        assert_eq!(reason(reader.next().await), Some(CloseReason::FrameIncomplete));
        let _all = budget.for_peer().charge(usize::MAX).await;
        assert!(reader.buffer.capacity() < 2 * CHARGED_FROM, "{}", reader.buffer.capacity());
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_connection_ends_as_idle() {
        let (_client, mut reader, _) = reader(&ConnectionSettings::default());
        assert_eq!(reason(reader.next().await), Some(CloseReason::Idle));
    }

    #[tokio::test]
    async fn the_end_in_the_middle_of_a_frame_is_not_a_clean_end() {
        let (mut client, mut reader, _) = reader(&ConnectionSettings::default());
        client.write_all(&[0, 0, 0, 9, 1]).await.unwrap();
        drop(client);
        assert_eq!(reason(reader.next().await), Some(CloseReason::FrameIncomplete));
    }
}
