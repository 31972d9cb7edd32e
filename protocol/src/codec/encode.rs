//! Writing: small fields are gathered in one buffer, records are appended to the answer as the slices they are.

use bytes::{BufMut, Bytes, BytesMut};
use uuid::Uuid;

/// Why a message cannot be written in the version asked for: always a fault of ours, never of the peer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    #[error("field {field} is set, but version {version} cannot carry it")]
    NotInVersion { field: &'static str, version: i16 },
    #[error("field {0} must not be null in this version")]
    UnexpectedNull(&'static str),
    #[error("version {version} of {message} is not known")]
    UnknownVersion { message: &'static str, version: i16 },
    #[error("{what} of {length} does not fit its length field")]
    TooLong { what: &'static str, length: usize },
}

/// Bytes below this are copied into the gathering buffer: a slice of its own costs more than the copy.
const SLICE_MIN: usize = 512;

/// An encoded message as the pieces to hand to a vectored write.
pub type Chunks = Vec<Bytes>;

/// Gathers one message.
#[derive(Debug, Default)]
pub struct Encoder {
    chunks: Chunks,
    chunks_length: usize,
    tail: BytesMut,
}

impl Encoder {
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes written so far.
    pub fn length(&self) -> usize {
        self.chunks_length + self.tail.len()
    }

    /// The message as pieces, records still the slices that were put in.
    pub fn into_chunks(mut self) -> Chunks {
        self.seal_tail();
        self.chunks
    }

    /// The message as one buffer; copies records, so for tests, stored metadata and small messages.
    pub fn into_bytes(self) -> Bytes {
        if self.chunks.is_empty() {
            return self.tail.freeze();
        }
        let mut whole = BytesMut::with_capacity(self.length());
        for chunk in self.into_chunks() {
            whole.extend_from_slice(&chunk);
        }
        whole.freeze()
    }

    /// Appends another encoder's bytes, sharing its slices.
    pub fn followed_by(mut self, next: Self) -> Self {
        for chunk in next.into_chunks() {
            self.shared(&chunk);
        }
        self
    }

    pub fn i8(&mut self, value: i8) {
        self.tail.put_i8(value);
    }

    pub fn i16(&mut self, value: i16) {
        self.tail.put_i16(value);
    }

    pub fn u16(&mut self, value: u16) {
        self.tail.put_u16(value);
    }

    pub fn i32(&mut self, value: i32) {
        self.tail.put_i32(value);
    }

    pub fn u32(&mut self, value: u32) {
        self.tail.put_u32(value);
    }

    pub fn i64(&mut self, value: i64) {
        self.tail.put_i64(value);
    }

    pub fn f64(&mut self, value: f64) {
        self.tail.put_f64(value);
    }

    pub fn uuid(&mut self, value: Uuid) {
        self.tail.put_u128(value.as_u128());
    }

    /// Unsigned LEB128.
    pub fn uvarint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.tail.put_u8((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.tail.put_u8(value as u8);
    }

    pub fn raw(&mut self, bytes: &[u8]) {
        self.tail.put_slice(bytes);
    }

    /// Appends bytes as a piece of their own where that is cheaper than a copy.
    pub fn shared(&mut self, bytes: &Bytes) {
        if bytes.len() < SLICE_MIN {
            return self.raw(bytes);
        }
        self.seal_tail();
        self.chunks_length += bytes.len();
        self.chunks.push(bytes.clone());
    }

    /// A string's length, `None` for null.
    pub fn text_length(&mut self, length: Option<usize>, flexible: bool) -> Result<(), EncodeError> {
        if flexible {
            return self.compact_length("a string", length);
        }
        let length = match length {
            None => -1,
            Some(length) => {
                i16::try_from(length).map_err(|_| EncodeError::TooLong { what: "a string", length })?
            }
        };
        self.i16(length);
        Ok(())
    }

    /// The length of bytes, records or an array; `None` for null.
    pub fn bytes_length(&mut self, length: Option<usize>, flexible: bool) -> Result<(), EncodeError> {
        if flexible {
            return self.compact_length("bytes or an array", length);
        }
        let length = match length {
            None => -1,
            Some(length) => i32::try_from(length)
                .map_err(|_| EncodeError::TooLong { what: "bytes or an array", length })?,
        };
        self.i32(length);
        Ok(())
    }

    /// A tagged field: its tag, its size and what `body` writes.
    pub fn tagged(
        &mut self,
        tag: u32,
        body: impl FnOnce(&mut Self) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let mut field = Self::new();
        body(&mut field)?;
        let length = field.length();
        self.uvarint(tag);
        self.uvarint(
            u32::try_from(length).map_err(|_| EncodeError::TooLong { what: "a tagged field", length })?,
        );
        for chunk in field.into_chunks() {
            self.shared(&chunk);
        }
        Ok(())
    }

    fn compact_length(&mut self, what: &'static str, length: Option<usize>) -> Result<(), EncodeError> {
        let Some(length) = length else {
            self.uvarint(0);
            return Ok(());
        };
        let one_more = u32::try_from(length).ok().and_then(|length| length.checked_add(1));
        self.uvarint(one_more.ok_or(EncodeError::TooLong { what, length })?);
        Ok(())
    }

    fn seal_tail(&mut self) {
        if !self.tail.is_empty() {
            self.chunks_length += self.tail.len();
            self.chunks.push(self.tail.split().freeze());
        }
    }
}
