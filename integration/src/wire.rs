//! A raw connection: frames that our own encoder made, or bytes that no encoder would make.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    time::Duration,
};

use bytes::{Buf, Bytes};
use protocol::{
    codec::{Api, Decoder},
    frame,
};
use socket2::{Domain, Socket, Type};

use crate::{reach, wait::DEADLINE};

/// The client id that raw connections send.
const CLIENT_ID: &str = "wire";
/// Answers are held to the size of the largest request.
const ANSWER_BYTES_MAX: usize = 128 << 20;

/// One connection, blocking, with deadlines on every read and write.
pub struct Wire {
    stream: TcpStream,
    correlation_id: i32,
}

impl Wire {
    #[track_caller]
    pub fn connect(address: SocketAddr) -> Self {
        Self::try_connect(address).expect("the broker accepts a connection")
    }

    pub fn try_connect(address: SocketAddr) -> io::Result<Self> {
        Self::over(reach::connect(address, DEADLINE)?)
    }

    fn over(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.set_write_timeout(Some(DEADLINE))?;
        Ok(Self { stream, correlation_id: 0 })
    }

    /// Connects from an address of one's own choice.
    pub fn try_connect_from(from: SocketAddr, to: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
        socket.bind(&from.into())?;
        socket.connect_timeout(&to.into(), DEADLINE)?;
        Self::over(socket.into())
    }

    /// Sends a request and awaits its answer.
    #[track_caller]
    pub fn call<Request: Api, Response: Api>(&mut self, version: i16, request: &Request) -> Response {
        self.send(version, request);
        self.receive(version)
    }

    /// Sends a request.
    #[track_caller]
    pub fn send<Request: Api>(&mut self, version: i16, request: &Request) {
        self.correlation_id += 1;
        let chunks = frame::request(self.correlation_id, version, CLIENT_ID, request)
            .expect("a request of ours encodes");
        self.send_bytes(&chunks.concat());
    }

    /// Awaits the answer to the request that was sent last.
    #[track_caller]
    pub fn receive<Response: Api>(&mut self, version: i16) -> Response {
        let mut body = self.receive_body();
        // ApiVersions is answered with the old header in all versions.
        if Response::layout(version).flexible && Response::KEY != 18 {
            body = skip_tagged_fields(body);
        }
        Response::read(body, version).expect("the broker's answer decodes")
    }

    /// What follows length and correlation id of the next answer.
    #[track_caller]
    pub fn receive_body(&mut self) -> Bytes {
        let mut frame = self.receive_frame().expect("the broker answers");
        assert_eq!(frame.get_i32(), self.correlation_id, "answers come in the order of requests");
        frame
    }

    /// The next frame, without its length.
    pub fn receive_frame(&mut self) -> io::Result<Bytes> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let length = usize::try_from(i32::from_be_bytes(length)).unwrap_or(usize::MAX);
        assert!((4..=ANSWER_BYTES_MAX).contains(&length), "an answer of {length} bytes");
        let mut frame = vec![0; length];
        self.stream.read_exact(&mut frame)?;
        Ok(frame.into())
    }

    #[track_caller]
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.try_send_bytes(bytes).expect("the broker takes bytes");
    }

    pub fn try_send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Sends length and content of a frame.
    #[track_caller]
    pub fn send_frame(&mut self, content: &[u8]) {
        let length = i32::try_from(content.len()).expect("a test's frame fits its length field");
        self.send_bytes(&[&length.to_be_bytes(), content].concat());
    }

    /// Says that nothing more will be sent, and goes on reading.
    pub fn half_close(&mut self) {
        self.stream.shutdown(Shutdown::Write).expect("an open connection can be half closed");
    }

    /// Awaits that the broker closes the connection without answering.
    #[track_caller]
    pub fn assert_closed(&mut self) {
        match self.closed_within(DEADLINE) {
            Ok(true) => {}
            Ok(false) => panic!("the broker answered instead of closing the connection"),
            Err(error) => panic!("the broker did not close the connection: {error}"),
        }
    }

    /// Whether the end came first (true) or a byte (false); an error if neither did.
    pub fn closed_within(&mut self, limit: Duration) -> io::Result<bool> {
        self.stream.set_read_timeout(Some(limit))?;
        let first = self.stream.read(&mut [0; 1]);
        self.stream.set_read_timeout(Some(DEADLINE))?;
        match first {
            Ok(count) => Ok(count == 0),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(true),
            Err(error) => Err(error),
        }
    }
}

fn skip_tagged_fields(body: Bytes) -> Bytes {
    let mut from = Decoder::new(body.clone());
    from.tagged_fields(|_, _| Ok(false)).expect("the broker's response header decodes");
    let left = from.remaining();
    body.slice(body.len() - left..)
}
