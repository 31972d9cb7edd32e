//! One record as bytes: read as slices of the batch, and written.
//!
//! ```text
//! length varint | attributes i8 | timestamp delta varlong | offset delta varint
//!               | key length varint, key | value length varint, value
//!               | header count varint, then each: key length varint, key | value length varint, value
//! ```
//!
//! Varints are zigzag; a length of -1 is null. The attributes have had no meaning so far, so they are not looked at.

use bytes::{BufMut, BytesMut};

use super::BatchError;

/// Most headers that one record may have. Clients use a handful; without a bound a hostile record could make each
/// two of its bytes cost a [`super::RecordHeader`].
pub const HEADERS_MAX: usize = 1 << 16;

/// Two lengths, of a byte each.
const HEADER_SIZE_MIN: usize = 2;

/// A header's key and value.
pub(super) type HeaderSlices<'a> = (&'a [u8], Option<&'a [u8]>);

/// A record as slices of the bytes it was read from. Its headers went to whoever asked for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordSlices<'a> {
    pub(super) offset_delta: i32,
    pub(super) timestamp_delta: i64,
    pub(super) key: Option<&'a [u8]>,
    pub(super) value: Option<&'a [u8]>,
}

/// Takes the next record off `bytes`, handing each of its headers to `each_header`, with the number that there will
/// be, already checked against the bytes. The record is exactly as long as it says.
pub(super) fn take<'a>(
    bytes: &mut &'a [u8],
    mut each_header: impl FnMut(usize, HeaderSlices<'a>),
) -> Result<RecordSlices<'a>, BatchError> {
    let length = usize::try_from(take_varint(bytes)?)
        .map_err(|_| BatchError::BadRecords("a record's length is negative"))?;
    let mut body = take_slice(bytes, length)?;
    take_slice(&mut body, 1)?;
    let timestamp_delta = take_varlong(&mut body)?;
    let offset_delta = take_varint(&mut body)?;
    let key = take_nullable(&mut body)?;
    let value = take_nullable(&mut body)?;
    let count = take_header_count(&mut body)?;
    for _ in 0..count {
        let key = take_nullable(&mut body)?.ok_or(BatchError::BadRecords("a header's key is null"))?;
        each_header(count, (key, take_nullable(&mut body)?));
    }
    if !body.is_empty() {
        return Err(BatchError::BadRecords("a record is longer than its fields"));
    }
    Ok(RecordSlices { offset_delta, timestamp_delta, key, value })
}

/// Appends a record; `None`, and nothing sensible appended, if a length does not fit its field.
pub(super) fn put(to: &mut BytesMut, record: RecordSlices<'_>, headers: &[HeaderSlices<'_>]) -> Option<()> {
    let length = 1
        + varlong_size(record.timestamp_delta)
        + varlong_size(record.offset_delta.into())
        + nullable_size(record.key)
        + nullable_size(record.value)
        + varlong_size(headers.len() as i64)
        + headers.iter().map(|&(key, value)| nullable_size(Some(key)) + nullable_size(value)).sum::<usize>();
    if headers.len() > HEADERS_MAX {
        return None;
    }
    put_varlong(to, i32::try_from(length).ok()?.into());
    to.put_i8(0);
    put_varlong(to, record.timestamp_delta);
    put_varlong(to, record.offset_delta.into());
    put_nullable(to, record.key);
    put_nullable(to, record.value);
    put_varlong(to, headers.len() as i64);
    for &(key, value) in headers {
        put_nullable(to, Some(key));
        put_nullable(to, value);
    }
    Some(())
}

fn take_header_count(bytes: &mut &[u8]) -> Result<usize, BatchError> {
    let count = usize::try_from(take_varint(bytes)?)
        .map_err(|_| BatchError::BadRecords("a record's header count is negative"))?;
    if count > HEADERS_MAX {
        return Err(BatchError::BadRecords("a record has more headers than we allow"));
    }
    if count > bytes.len() / HEADER_SIZE_MIN {
        return Err(BatchError::BadRecords("a record's header count is larger than the record"));
    }
    Ok(count)
}

fn take_nullable<'a>(bytes: &mut &'a [u8]) -> Result<Option<&'a [u8]>, BatchError> {
    match take_varint(bytes)? {
        -1 => Ok(None),
        length => {
            let length =
                usize::try_from(length).map_err(|_| BatchError::BadRecords("a length is negative"))?;
            take_slice(bytes, length).map(Some)
        }
    }
}

fn take_slice<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8], BatchError> {
    let (taken, rest) =
        bytes.split_at_checked(length).ok_or(BatchError::BadRecords("a length reaches past the end"))?;
    *bytes = rest;
    Ok(taken)
}

fn take_varint(bytes: &mut &[u8]) -> Result<i32, BatchError> {
    // Lengths and small deltas are one byte.
    if let Some((&first @ 0..=0x7f, rest)) = bytes.split_first() {
        *bytes = rest;
        return Ok(i32::from(first >> 1) ^ -i32::from(first & 1));
    }
    let raw = take_raw_varint(bytes, 5)?;
    let raw = u32::try_from(raw).map_err(|_| BatchError::BadRecords("a varint is too large"))?;
    Ok((raw >> 1) as i32 ^ -((raw & 1) as i32))
}

fn take_varlong(bytes: &mut &[u8]) -> Result<i64, BatchError> {
    let raw = take_raw_varint(bytes, 10)?;
    Ok((raw >> 1) as i64 ^ -((raw & 1) as i64))
}

/// Little-endian groups of seven bits, at most `size_max` of them.
fn take_raw_varint(bytes: &mut &[u8], size_max: usize) -> Result<u64, BatchError> {
    let mut value = 0u64;
    for (at, &byte) in bytes.iter().take(size_max).enumerate() {
        // The tenth group has room for one bit.
        if at == 9 && byte > 1 {
            return Err(BatchError::BadRecords("a varint is too large"));
        }
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            *bytes = bytes.get(at + 1..).unwrap_or_default();
            return Ok(value);
        }
    }
    Err(BatchError::BadRecords("a varint does not end"))
}

fn put_nullable(to: &mut BytesMut, bytes: Option<&[u8]>) {
    // Fits: the length of the whole record did.
    put_varlong(to, bytes.map_or(-1, |bytes| bytes.len() as i64));
    to.put_slice(bytes.unwrap_or_default());
}

fn nullable_size(bytes: Option<&[u8]>) -> usize {
    varlong_size(bytes.map_or(-1, |bytes| bytes.len() as i64)) + bytes.map_or(0, <[u8]>::len)
}

/// A zigzag varint and a varlong of the same value are the same bytes.
fn put_varlong(to: &mut BytesMut, value: i64) {
    let mut raw = zigzag(value);
    while raw >= 0x80 {
        to.put_u8((raw & 0x7f) as u8 | 0x80);
        raw >>= 7;
    }
    to.put_u8(raw as u8);
}

fn varlong_size(value: i64) -> usize {
    let bits = 64 - (zigzag(value) | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_keep_their_value_and_have_the_size_they_say() {
        for value in [0, -1, 1, 63, -64, 64, 300, i32::MAX.into(), i32::MIN.into(), i64::MAX, i64::MIN] {
            let mut bytes = BytesMut::new();
            put_varlong(&mut bytes, value);
            assert_eq!(bytes.len(), varlong_size(value), "{value}");
            let mut rest = &bytes[..];
            assert_eq!(take_varlong(&mut rest), Ok(value));
            assert!(rest.is_empty());
            if let Ok(small) = i32::try_from(value) {
                assert_eq!(take_varint(&mut &bytes[..]), Ok(small));
            } else {
                take_varint(&mut &bytes[..]).unwrap_err();
            }
        }
    }

    #[test]
    fn a_varint_that_does_not_end_or_does_not_fit_is_refused() {
        take_varint(&mut &[0x80][..]).unwrap_err();
        take_varint(&mut &[0x80; 5][..]).unwrap_err();
        take_varint(&mut &[0xff, 0xff, 0xff, 0xff, 0x1f][..]).unwrap_err();
        take_varlong(&mut &[0x80; 11][..]).unwrap_err();
        take_varlong(&mut &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2][..]).unwrap_err();
    }

    #[test]
    fn a_record_whose_length_and_fields_disagree_is_refused() {
        let record = RecordSlices { offset_delta: 0, timestamp_delta: 7, key: None, value: Some(b"value") };
        let mut bytes = BytesMut::new();
        put(&mut bytes, record, &[(b"k", None)]).unwrap();
        assert_eq!(
            take(&mut &bytes[..], |count, header| assert_eq!((count, header), (1, (&b"k"[..], None)))),
            Ok(record)
        );
        // One byte longer, with that byte there, and one shorter: zigzag of the length is the first byte.
        for step in [2i8, -2] {
            let mut wrong = bytes.clone();
            wrong[0] = wrong[0].wrapping_add_signed(step);
            wrong.put_u8(0);
            assert!(matches!(take(&mut &wrong[..], |_, _| ()), Err(BatchError::BadRecords(_))));
        }
    }

    #[test]
    fn a_record_has_only_so_many_headers() {
        let record = RecordSlices { offset_delta: 0, timestamp_delta: 0, key: None, value: None };
        let header: HeaderSlices<'_> = (b"", None);
        let mut bytes = BytesMut::new();
        put(&mut bytes, record, &vec![header; HEADERS_MAX]).unwrap();
        let mut count = 0;
        take(&mut &bytes[..], |_, _| count += 1).unwrap();
        assert_eq!(count, HEADERS_MAX);
        // One more is neither written nor read.
        assert_eq!(put(&mut BytesMut::new(), record, &vec![header; HEADERS_MAX + 1]), None);
        let mut body = BytesMut::from(&[0, 0, 0, 1, 1][..]);
        put_varlong(&mut body, HEADERS_MAX as i64 + 1);
        body.put_bytes(0, 2 * (HEADERS_MAX + 1));
        let mut bytes = BytesMut::new();
        put_varlong(&mut bytes, body.len() as i64);
        bytes.put_slice(&body);
        let refused = take(&mut &bytes[..], |_, _| panic!("refused before the first"));
        assert_eq!(refused, Err(BatchError::BadRecords("a record has more headers than we allow")));
    }

    #[test]
    fn a_header_count_beyond_the_bytes_is_refused() {
        // Length 6, attributes, deltas 0 0, null key, null value, then 63 headers that are not there.
        let bytes = [12, 0, 0, 0, 1, 1, 126];
        let refused = take(&mut &bytes[..], |_, _| panic!("there is no header"));
        assert_eq!(refused, Err(BatchError::BadRecords("a record's header count is larger than the record")));
    }
}
