//! Control messages as bytes.

use bytes::{Bytes, BytesMut};
use mirror::link::wire::{Control, encode as encode_into};

pub(crate) fn encode<M: Control>(message: &M) -> Bytes {
    let mut out = BytesMut::new();
    encode_into(message, &mut out).expect("our own messages are small");
    out.freeze()
}
