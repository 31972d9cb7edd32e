//! Reading: every length is checked against what remains, and what is allocated is budgeted.

use bytes::{Buf, Bytes, BytesMut};
use bytestring::ByteString;
use uuid::Uuid;

/// Why a frame could not be read. None of these is retriable: the peer sent something we must not guess about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("{what} needs {needed} bytes but {remaining} remain")]
    Truncated { what: &'static str, needed: usize, remaining: usize },
    #[error("an array says it has {count} elements but {remaining} bytes remain")]
    CountTooLarge { count: i64, remaining: usize },
    #[error("a length of {0} is negative")]
    NegativeLength(i64),
    #[error("the decoded form would need more than {budget} bytes of memory")]
    OverBudget { budget: usize },
    #[error("a string is not UTF-8")]
    NotUtf8,
    #[error("a varint is longer than {0} bytes")]
    VarintTooLong(usize),
    #[error("field {0} must not be null in this version")]
    UnexpectedNull(&'static str),
    #[error("version {version} of {message} is not known")]
    UnknownVersion { message: &'static str, version: i16 },
    #[error("tagged fields are not in ascending order")]
    TagOrder,
    #[error("tagged field {tag} says it has {said} bytes but {read} were read")]
    TagSize { tag: u32, said: usize, read: usize },
    #[error("{0} bytes follow the message")]
    TrailingBytes(usize),
}

/// Memory that decoding may take beside the frame: a small frame may always use this much...
const BUDGET_FLOOR: usize = 64 << 10;
/// ...and a large one this many times its own length. The densest legal message, topic names of a few letters
/// in a Metadata request, needs about 8.
const BUDGET_PER_BYTE: usize = 16;

/// What a frame's bytes are held in: [`Bytes`], or [`BytesMut`] where a slice of the frame is to be changed in
/// place later.
pub trait Frame: Buf {
    /// Takes the first `length` bytes, which must be there, without a copy.
    fn split(&mut self, length: usize) -> Self;
    fn share(self) -> Bytes;
}

impl Frame for Bytes {
    fn split(&mut self, length: usize) -> Self {
        self.split_to(length)
    }

    fn share(self) -> Bytes {
        self
    }
}

impl Frame for BytesMut {
    fn split(&mut self, length: usize) -> Self {
        self.split_to(length)
    }

    fn share(self) -> Bytes {
        self.freeze()
    }
}

/// A cursor over one frame. Strings, bytes and records that it hands out are slices of that frame.
#[derive(Debug)]
pub struct Decoder<F = Bytes> {
    bytes: F,
    budget: usize,
    budget_left: usize,
}

impl<F: Frame> Decoder<F> {
    pub fn new(bytes: F) -> Self {
        let budget = bytes.remaining().saturating_mul(BUDGET_PER_BYTE).max(BUDGET_FLOOR);
        Self { bytes, budget, budget_left: budget }
    }

    pub fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    /// The rest of the frame, unread.
    pub fn into_rest(self) -> F {
        self.bytes
    }

    /// Ends a message: nothing may follow it.
    pub fn finish(self) -> Result<(), DecodeError> {
        match self.remaining() {
            0 => Ok(()),
            trailing => Err(DecodeError::TrailingBytes(trailing)),
        }
    }

    pub fn i8(&mut self) -> Result<i8, DecodeError> {
        self.need("i8", 1)?;
        Ok(self.bytes.get_i8())
    }

    pub fn i16(&mut self) -> Result<i16, DecodeError> {
        self.need("i16", 2)?;
        Ok(self.bytes.get_i16())
    }

    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        self.need("u16", 2)?;
        Ok(self.bytes.get_u16())
    }

    pub fn i32(&mut self) -> Result<i32, DecodeError> {
        self.need("i32", 4)?;
        Ok(self.bytes.get_i32())
    }

    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        self.need("u32", 4)?;
        Ok(self.bytes.get_u32())
    }

    pub fn i64(&mut self) -> Result<i64, DecodeError> {
        self.need("i64", 8)?;
        Ok(self.bytes.get_i64())
    }

    pub fn f64(&mut self) -> Result<f64, DecodeError> {
        self.need("f64", 8)?;
        Ok(self.bytes.get_f64())
    }

    pub fn uuid(&mut self) -> Result<Uuid, DecodeError> {
        self.need("uuid", 16)?;
        Ok(Uuid::from_u128(self.bytes.get_u128()))
    }

    /// Unsigned LEB128, at most 5 bytes.
    pub fn uvarint(&mut self) -> Result<u32, DecodeError> {
        let mut value = 0u32;
        for at in 0..5 {
            let byte = self.i8()? as u8;
            let bits = u32::from(byte & 0x7f);
            if at == 4 && bits > 0x0f {
                return Err(DecodeError::VarintTooLong(5));
            }
            value |= bits << (7 * at);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError::VarintTooLong(5))
    }

    /// The next `length` bytes, without a copy.
    pub fn slice(&mut self, what: &'static str, length: usize) -> Result<F, DecodeError> {
        self.need(what, length)?;
        Ok(self.bytes.split(length))
    }

    pub fn text(&mut self, length: usize) -> Result<ByteString, DecodeError> {
        ByteString::try_from(self.slice("a string", length)?.share()).map_err(|_| DecodeError::NotUtf8)
    }

    /// A string's length; `None` is null. Compact lengths are one more than they say, 0 for null.
    pub fn text_length(&mut self, flexible: bool) -> Result<Option<usize>, DecodeError> {
        let length = if flexible { i64::from(self.uvarint()?) - 1 } else { i64::from(self.i16()?) };
        Self::length(length)
    }

    /// The length of bytes or records; `None` is null.
    pub fn bytes_length(&mut self, flexible: bool) -> Result<Option<usize>, DecodeError> {
        let length = if flexible { i64::from(self.uvarint()?) - 1 } else { i64::from(self.i32()?) };
        Self::length(length)
    }

    /// An array's count, already charged to the budget as `element_size` bytes of memory each.
    pub fn array_count(&mut self, flexible: bool, element_size: usize) -> Result<Option<usize>, DecodeError> {
        let Some(count) = self.bytes_length(flexible)? else { return Ok(None) };
        // Every element takes at least one byte on the wire.
        if count > self.remaining() {
            return Err(DecodeError::CountTooLarge { count: count as i64, remaining: self.remaining() });
        }
        self.charge(count.saturating_mul(element_size))?;
        Ok(Some(count))
    }

    /// Reads a tagged-fields section, handing each field to `known`, which reads it or answers `false`.
    pub fn tagged_fields(
        &mut self,
        mut known: impl FnMut(u32, &mut Self) -> Result<bool, DecodeError>,
    ) -> Result<(), DecodeError> {
        let count = self.uvarint()?;
        let mut previous = None;
        for _ in 0..count {
            let tag = self.uvarint()?;
            if previous.is_some_and(|previous| previous >= tag) {
                return Err(DecodeError::TagOrder);
            }
            previous = Some(tag);
            let said = self.uvarint()? as usize;
            self.need("a tagged field", said)?;
            let before = self.remaining();
            if !known(tag, self)? {
                self.bytes.advance(said);
            }
            let read = before - self.remaining();
            if read != said {
                return Err(DecodeError::TagSize { tag, said, read });
            }
        }
        Ok(())
    }

    fn length(length: i64) -> Result<Option<usize>, DecodeError> {
        match length {
            -1 => Ok(None),
            length => usize::try_from(length).map(Some).map_err(|_| DecodeError::NegativeLength(length)),
        }
    }

    fn charge(&mut self, memory: usize) -> Result<(), DecodeError> {
        self.budget_left =
            self.budget_left.checked_sub(memory).ok_or(DecodeError::OverBudget { budget: self.budget })?;
        Ok(())
    }

    fn need(&self, what: &'static str, needed: usize) -> Result<(), DecodeError> {
        let remaining = self.remaining();
        if needed > remaining {
            return Err(DecodeError::Truncated { what, needed, remaining });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(bytes: &[u8]) -> Decoder {
        Decoder::new(Bytes::copy_from_slice(bytes))
    }

    /// Reads a section of tagged fields in which only tag 1, an i32, is known.
    fn tagged(bytes: &[u8]) -> Result<Option<i32>, DecodeError> {
        let mut from = over(bytes);
        let mut value = None;
        from.tagged_fields(|tag, from| {
            if tag == 1 {
                value = Some(from.i32()?);
            }
            Ok(tag == 1)
        })?;
        from.finish().map(|()| value)
    }

    #[test]
    fn a_varint_is_read_up_to_32_bits_and_no_further() {
        assert_eq!(over(&[0x7f]).uvarint(), Ok(127));
        assert_eq!(over(&[0x80, 0x01]).uvarint(), Ok(128));
        assert_eq!(over(&[0xff, 0xff, 0xff, 0xff, 0x0f]).uvarint(), Ok(u32::MAX));
        assert_eq!(over(&[0xff, 0xff, 0xff, 0xff, 0x1f]).uvarint(), Err(DecodeError::VarintTooLong(5)));
        assert_eq!(over(&[0x80; 6]).uvarint(), Err(DecodeError::VarintTooLong(5)));
        assert!(matches!(over(&[0x80]).uvarint(), Err(DecodeError::Truncated { .. })));
    }

    #[test]
    fn a_count_larger_than_the_bytes_is_refused_before_memory_is_charged() {
        let refused = Err(DecodeError::CountTooLarge { count: 3, remaining: 2 });
        assert_eq!(over(&[0, 0, 0, 3, 0, 0]).array_count(false, usize::MAX), refused);
        assert_eq!(over(&[4, 0, 0]).array_count(true, usize::MAX), refused);
        assert_eq!(over(&[4, 0, 0, 0]).array_count(true, 1), Ok(Some(3)));
        assert_eq!(over(&[0]).array_count(true, 1), Ok(None));
        assert_eq!(over(&[0xff; 4]).array_count(false, 1), Ok(None));
        let negative = over(&[0xff, 0xff, 0xff, 0xfe]).array_count(false, 1);
        assert_eq!(negative, Err(DecodeError::NegativeLength(-2)));
    }

    #[test]
    fn elements_are_charged_to_a_budget_that_is_used_up() {
        let mut from = over(&[2, 0, 2, 0, 2, 0]);
        assert_eq!(from.array_count(true, BUDGET_FLOOR / 2), Ok(Some(1)));
        from.i8().unwrap();
        assert_eq!(from.array_count(true, BUDGET_FLOOR / 2), Ok(Some(1)));
        from.i8().unwrap();
        assert_eq!(from.array_count(true, 1), Err(DecodeError::OverBudget { budget: BUDGET_FLOOR }));
    }

    #[test]
    fn known_tags_are_read_and_unknown_ones_skipped() {
        assert_eq!(tagged(&[0]), Ok(None));
        assert_eq!(tagged(&[3, 0, 2, 9, 9, 1, 4, 0, 0, 0, 7, 5, 1, 9]), Ok(Some(7)));
    }

    #[test]
    fn tags_ascend() {
        assert_eq!(tagged(&[2, 5, 0, 4, 0]), Err(DecodeError::TagOrder));
        assert_eq!(tagged(&[2, 1, 4, 0, 0, 0, 7, 1, 4, 0, 0, 0, 8]), Err(DecodeError::TagOrder));
    }

    #[test]
    fn a_tagged_field_is_as_long_as_it_says() {
        let refused = Err(DecodeError::TagSize { tag: 1, said: 5, read: 4 });
        assert_eq!(tagged(&[1, 1, 5, 0, 0, 0, 7, 0]), refused);
        let refused = Err(DecodeError::TagSize { tag: 1, said: 3, read: 4 });
        assert_eq!(tagged(&[1, 1, 3, 0, 0, 0, 7]), refused);
        assert!(matches!(tagged(&[1, 6, 100, 0]), Err(DecodeError::Truncated { .. })));
    }

    #[test]
    fn strings_are_utf_8() {
        assert_eq!(over(b"\xc3\xa9").text(2).unwrap(), "é");
        assert_eq!(over(b"\xc3(").text(2), Err(DecodeError::NotUtf8));
    }

    #[test]
    fn nothing_may_follow_a_message() {
        assert_eq!(over(&[1, 2]).finish(), Err(DecodeError::TrailingBytes(2)));
    }
}
