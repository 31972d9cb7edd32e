//! Cutting the control stream into messages: a big-endian u32 length, then the message.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use prost::Message;

use crate::link::limits::CONTROL_BYTES_MAX;

const LENGTH_SIZE: usize = 4;

/// Why bytes are not a message of the control stream. The connection is of no use after it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    #[error("a control message of {bytes} bytes, more than {CONTROL_BYTES_MAX}")]
    TooLarge { bytes: usize },
    #[error("not a control message: {0}")]
    Malformed(String),
    #[error("the control message is empty, or of a kind that is not known")]
    UnknownKind,
    #[error("{field} is missing, or of the wrong length")]
    Field { field: &'static str },
    #[error("{field} is {value}")]
    Value { field: &'static str, value: i64 },
}

/// A message of one direction of the control stream.
pub trait Control: Sized {
    #[doc(hidden)]
    type Proto: Message + Default;
    #[doc(hidden)]
    fn to_proto(&self) -> Self::Proto;
    #[doc(hidden)]
    fn from_proto(proto: Self::Proto) -> Result<Self, WireError>;
}

/// Appends a message with its length. Refuses one that the other side would refuse.
pub fn encode<M: Control>(message: &M, out: &mut BytesMut) -> Result<(), WireError> {
    let proto = message.to_proto();
    let bytes = proto.encoded_len();
    if bytes > CONTROL_BYTES_MAX {
        return Err(WireError::TooLarge { bytes });
    }
    out.reserve(LENGTH_SIZE + bytes);
    out.put_u32(bytes as u32); // At most CONTROL_BYTES_MAX.
    proto.encode_raw(out);
    Ok(())
}

/// Puts messages together from whatever pieces the stream comes in.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: BytesMut,
}

impl Decoder {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what came next on the stream. Call [`Self::next_message`] until it has no more before pushing again: what is kept
    /// is then less than one message and one piece.
    pub fn push(&mut self, piece: Bytes) {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::from(piece);
        } else {
            self.buffer.extend_from_slice(&piece);
        }
    }

    /// The next whole message. A length is refused as soon as it is read, before anything waits for that many bytes.
    pub fn next_message<M: Control>(&mut self) -> Result<Option<M>, WireError> {
        let Some(mut length) = self.buffer.get(..LENGTH_SIZE) else { return Ok(None) };
        let bytes = length.get_u32() as usize;
        if bytes > CONTROL_BYTES_MAX {
            return Err(WireError::TooLarge { bytes });
        }
        if self.buffer.len() < LENGTH_SIZE + bytes {
            return Ok(None);
        }
        self.buffer.advance(LENGTH_SIZE);
        let message = self.buffer.split_to(bytes).freeze();
        let proto = M::Proto::decode(message).map_err(|error| WireError::Malformed(error.to_string()))?;
        M::from_proto(proto).map(Some)
    }
}
