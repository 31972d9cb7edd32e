//! A connection that keeps a number of requests in flight with few system calls.

use std::{
    io::{ErrorKind, IoSlice, Read, Write},
    net::{SocketAddr, TcpStream},
};

use bytes::{Buf, Bytes, BytesMut};
use protocol::{
    codec::{Api, Chunks},
    frame,
};

use crate::{reach, wait::DEADLINE};

const READ_BYTES: usize = 1 << 16;
/// Requests up to this size are copied together rather than handed over in pieces.
const COPIED_BYTES_MAX: usize = 1 << 16;
/// What one vectored write takes.
const PIECES_MAX: usize = 512;

/// Both directions of a connection.
pub struct Connection {
    sender: Sender,
    receiver: Receiver,
}

/// The way to the broker.
pub struct Sender {
    stream: TcpStream,
    copied: Vec<u8>,
}

/// The way back.
pub struct Receiver {
    stream: TcpStream,
    received: BytesMut,
}

impl Connection {
    #[track_caller]
    pub fn open(address: SocketAddr) -> Self {
        let stream = reach::connect(address, DEADLINE).expect("the broker accepts a connection");
        stream.set_nodelay(true).expect("an open socket takes options");
        let back = stream.try_clone().expect("an open socket can be shared");
        Self {
            sender: Sender { stream, copied: Vec::new() },
            receiver: Receiver { stream: back, received: BytesMut::new() },
        }
    }

    /// For two threads.
    pub fn split(self) -> (Sender, Receiver) {
        (self.sender, self.receiver)
    }

    #[track_caller]
    pub fn send(&mut self, request: &[Bytes]) {
        self.sender.send(request);
    }

    #[track_caller]
    pub fn receive(&mut self, answers: &mut Vec<Bytes>) {
        self.receiver.receive(answers);
    }

    /// Sends a request and awaits its answer, which has a flexible header.
    #[track_caller]
    pub fn call<Request: Api, Response: Api>(&mut self, version: i16, request: &Request) -> Response {
        self.send(&encoded(version, request));
        let mut answers = Vec::new();
        self.receive(&mut answers);
        decoded(version, &answers[0])
    }
}

impl Sender {
    /// Sends one request or several.
    #[track_caller]
    pub fn send(&mut self, requests: &[Bytes]) {
        if requests.iter().map(Bytes::len).sum::<usize>() <= COPIED_BYTES_MAX {
            self.copied.clear();
            requests.iter().for_each(|piece| self.copied.extend_from_slice(piece));
            self.stream.write_all(&self.copied).expect("the broker takes requests");
        } else {
            requests.chunks(PIECES_MAX).for_each(|pieces| self.write_pieces(pieces));
        }
    }

    fn write_pieces(&mut self, pieces: &[Bytes]) {
        let mut slices: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
        let mut left = &mut slices[..];
        while !left.is_empty() {
            match self.stream.write_vectored(left) {
                Ok(written) => IoSlice::advance_slices(&mut left, written),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => panic!("the broker does not take requests: {error}"),
            }
        }
    }
}

impl Receiver {
    /// The answers that are there, at least one: what follows the length field of each.
    #[track_caller]
    pub fn receive(&mut self, answers: &mut Vec<Bytes>) {
        while !self.take_whole(answers) {
            self.read_more();
        }
    }

    /// Splits whole frames off what was received; whether there was one.
    fn take_whole(&mut self, answers: &mut Vec<Bytes>) -> bool {
        let before = answers.len();
        while let Some(mut field) = self.received.get(..4) {
            let length = usize::try_from(field.get_i32()).expect("a broker's frames have a length");
            if self.received.len() < 4 + length {
                self.received.reserve(4 + length - self.received.len());
                break;
            }
            self.received.advance(4);
            answers.push(self.received.split_to(length).freeze());
        }
        answers.len() > before
    }

    fn read_more(&mut self) {
        let from = self.received.len();
        let room = (self.received.capacity() - from).max(READ_BYTES);
        self.received.resize(from + room, 0);
        let read = self.stream.read(&mut self.received[from..]).expect("the broker answers");
        assert!(read > 0, "the broker closed the connection");
        self.received.truncate(from + read);
    }
}

/// A request as the pieces of a write.
pub fn encoded<M: Api>(version: i16, request: &M) -> Chunks {
    frame::request(1, version, "load", request).expect("a request of ours encodes")
}

/// Decodes an answer with a flexible header.
#[track_caller]
pub fn decoded<M: Api>(version: i16, answer: &Bytes) -> M {
    // Correlation id, and the count of the header's tagged fields.
    M::read(answer.slice(5..), version).expect("the broker's answer decodes")
}
