//! One connection to a broker: frames out, frames in, in the same order.

use std::{collections::VecDeque, io, net::SocketAddr, time::Duration};

use bytes::{Buf, Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time,
};

use protocol::{
    codec::{Api, Decoder},
    frame,
};

use super::ClientError;

const CLIENT_ID: &str = "isthmus-demo";
const ANSWER_BYTES_MAX: usize = 32 << 20;
const READ_BYTES: usize = 64 << 10;
const CONNECTED_WITHIN: Duration = Duration::from_secs(5);
/// More than any long poll here.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    address: SocketAddr,
    /// Read and not yet handed out. It grows with what arrives, never with what a length promises.
    read: BytesMut,
    sent: i32,
    awaited: VecDeque<i32>,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> Result<Self, ClientError> {
        let connected = time::timeout(CONNECTED_WITHIN, TcpStream::connect(address)).await;
        let connected = connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let stream = connected.map_err(|source| ClientError::Connect { address, source })?;
        stream.set_nodelay(true).map_err(|source| ClientError::Connect { address, source })?;
        Ok(Self { stream, address, read: BytesMut::new(), sent: 0, awaited: VecDeque::new() })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Requests that were sent and not answered yet.
    pub(super) fn in_flight(&self) -> usize {
        self.awaited.len()
    }

    /// Must be awaited to its end: half a request cannot be taken back.
    pub(super) async fn send<Request: Api>(
        &mut self,
        version: i16,
        request: &Request,
    ) -> Result<(), ClientError> {
        self.sent = self.sent.wrapping_add(1);
        let chunks = frame::request(self.sent, version, CLIENT_ID, request)
            .map_err(|error| ClientError::Unwritable(error.to_string()))?;
        let written = time::timeout(ANSWERED_WITHIN, self.stream.write_all(&chunks.concat())).await;
        match written {
            Ok(Ok(())) => self.awaited.push_back(self.sent),
            Ok(Err(source)) => return Err(ClientError::Broken { address: self.address, source }),
            Err(_) => return Err(self.silent()),
        }
        Ok(())
    }

    /// The answer to the request that has waited longest. May be dropped and called again.
    pub(super) async fn receive<Response: Api>(&mut self, version: i16) -> Result<Response, ClientError> {
        let mut frame = time::timeout(ANSWERED_WITHIN, self.frame()).await.map_err(|_| self.silent())??;
        let correlation_id = frame.get_i32();
        if self.awaited.pop_front() != Some(correlation_id) {
            return Err(self.malformed(format!("correlation id {correlation_id} is not the next")));
        }
        // ApiVersions alone is answered with the old header in all versions, and is not asked for here.
        if Response::layout(version).flexible {
            let mut from = Decoder::new(frame);
            from.tagged_fields(|_, _| Ok(false)).map_err(|error| self.malformed(error.to_string()))?;
            frame = from.into_rest();
        }
        Response::read(frame, version).map_err(|error| self.malformed(error.to_string()))
    }

    pub(super) async fn call<Request: Api, Response: Api>(
        &mut self,
        version: i16,
        request: &Request,
    ) -> Result<Response, ClientError> {
        self.send(version, request).await?;
        self.receive(version).await
    }

    pub(super) fn malformed(&self, why: String) -> ClientError {
        ClientError::Malformed { address: self.address, why }
    }

    /// The next frame without its length; at least a correlation id.
    async fn frame(&mut self) -> Result<Bytes, ClientError> {
        loop {
            if let Some(frame) = self.whole_frame()? {
                return Ok(frame);
            }
            self.read.reserve(READ_BYTES);
            let read = self.stream.read_buf(&mut self.read).await;
            let source = match read {
                Ok(0) => io::ErrorKind::UnexpectedEof.into(),
                Ok(_) => continue,
                Err(error) => error,
            };
            return Err(ClientError::Broken { address: self.address, source });
        }
    }

    fn whole_frame(&mut self) -> Result<Option<Bytes>, ClientError> {
        let Some(length) = self.read.first_chunk::<4>() else { return Ok(None) };
        let length = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if !(4..=ANSWER_BYTES_MAX).contains(&length) {
            return Err(self.malformed(format!("a frame of {length} bytes")));
        }
        if self.read.len() < 4 + length {
            return Ok(None);
        }
        self.read.advance(4);
        Ok(Some(self.read.split_to(length).freeze()))
    }

    fn silent(&self) -> ClientError {
        ClientError::Silent { address: self.address, within: ANSWERED_WITHIN }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use protocol::messages::k10_find_coordinator::{FindCoordinatorRequest, FindCoordinatorResponse};

    use super::*;

    const VERSION: i16 = 3;

    async fn pair() -> (Connection, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (ours, theirs) = tokio::join!(Connection::open(address), listener.accept());
        (ours.expect("connected"), theirs.expect("accepted").0)
    }

    fn answer(correlation_id: i32, port: i32) -> Vec<u8> {
        let response = FindCoordinatorResponse { port, ..Default::default() };
        frame::response(correlation_id, VERSION, &response).expect("it encodes").concat()
    }

    async fn receive(connection: &mut Connection) -> Result<i32, ClientError> {
        connection.receive::<FindCoordinatorResponse>(VERSION).await.map(|response| response.port)
    }

    #[tokio::test]
    async fn an_answer_in_pieces_survives_a_dropped_receive() {
        let (mut ours, mut theirs) = pair().await;
        ours.send(VERSION, &FindCoordinatorRequest::default()).await.expect("sent");
        let whole = answer(1, 19_092);
        theirs.write_all(&whole[..7]).await.expect("sent");
        tokio::select! {
            biased;
            answered = receive(&mut ours) => panic!("half an answer is none: {answered:?}"),
            () = tokio::task::yield_now() => {}
        }
        theirs.write_all(&whole[7..]).await.expect("sent");
        assert_eq!(receive(&mut ours).await.expect("the whole"), 19_092);
        assert_eq!(ours.in_flight(), 0);
    }

    #[tokio::test]
    async fn answers_out_of_order_and_absurd_lengths_are_errors() {
        let (mut ours, mut theirs) = pair().await;
        ours.send(VERSION, &FindCoordinatorRequest::default()).await.expect("sent");
        theirs.write_all(&answer(2, 1)).await.expect("sent");
        assert!(matches!(receive(&mut ours).await, Err(ClientError::Malformed { .. })));
        theirs.write_all(&i32::MAX.to_be_bytes()).await.expect("sent");
        assert!(matches!(receive(&mut ours).await, Err(ClientError::Malformed { .. })));
    }

    #[tokio::test]
    async fn a_closed_connection_is_told_as_broken() {
        let (mut ours, theirs) = pair().await;
        drop(theirs);
        assert!(matches!(receive(&mut ours).await, Err(ClientError::Broken { .. })));
    }
}
