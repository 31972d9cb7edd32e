//! A connection that keeps a number of requests in flight with few system calls.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

use bytes::{Buf, Bytes, BytesMut};
use protocol::{codec::Api, frame};

const READ_BYTES: usize = 1 << 16;

pub(crate) struct Connection {
    stream: TcpStream,
    received: BytesMut,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the broker accepts a connection");
        stream.set_nodelay(true).expect("an open socket takes options");
        Self { stream, received: BytesMut::new() }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the broker takes requests");
    }

    /// The answers that are there, at least one: what follows the length field of each.
    pub(crate) fn receive(&mut self, answers: &mut Vec<Bytes>) {
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

/// A request as bytes.
pub(crate) fn encoded<M: Api>(version: i16, request: &M) -> Vec<u8> {
    frame::request(1, version, "load", request).expect("a request of ours encodes").concat()
}

/// Decodes an answer with a flexible header.
pub(crate) fn decoded<M: Api>(version: i16, answer: &Bytes) -> M {
    // Correlation id, and the count of the header's tagged fields.
    M::read(answer.slice(5..), version).expect("the broker's answer decodes")
}
