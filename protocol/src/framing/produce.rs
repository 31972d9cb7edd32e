//! Produce requests, with records that can be changed in place.

use std::ops::RangeInclusive;

use bytes::BytesMut;
use bytestring::ByteString;

use crate::{
    codec::{Api, DecodeError, Decoder},
    messages::k00_produce::ProduceRequest,
};

/// A Produce request (key 0, versions 3 to 12: topics by name).
#[derive(Debug, PartialEq)]
pub struct ProduceFrame {
    pub transactional_id: Option<ByteString>,
    pub acks: i16,
    pub timeout_ms: i32,
    pub topics: Vec<ProduceTopic>,
}

#[derive(Debug, PartialEq)]
pub struct ProduceTopic {
    pub name: ByteString,
    pub partitions: Vec<ProducePartition>,
}

#[derive(Debug, PartialEq)]
pub struct ProducePartition {
    pub index: i32,
    /// A slice of the frame that nothing else refers to.
    pub records: Option<BytesMut>,
}

/// The versions that name their topics.
const BY_NAME: RangeInclusive<i16> = 3..=12;

impl ProduceFrame {
    /// Reads a body (header already taken off).
    pub fn read(mut from: Decoder<BytesMut>, version: i16) -> Result<Self, DecodeError> {
        if !BY_NAME.contains(&version) {
            return Err(DecodeError::UnknownVersion { message: ProduceRequest::NAME, version });
        }
        let flexible = ProduceRequest::layout(version).flexible;
        let transactional_id = from.text_length(flexible)?.map(|length| from.text(length)).transpose()?;
        let acks = from.i16()?;
        let timeout_ms = from.i32()?;
        let topics = array(&mut from, flexible, read_topic)?;
        skip_tagged(&mut from, flexible)?;
        from.finish()?;
        Ok(Self { transactional_id, acks, timeout_ms, topics })
    }
}

fn read_topic(from: &mut Decoder<BytesMut>, flexible: bool) -> Result<ProduceTopic, DecodeError> {
    let length = from.text_length(flexible)?.ok_or(DecodeError::UnexpectedNull("name"))?;
    let name = from.text(length)?;
    let partitions = array(from, flexible, read_partition)?;
    skip_tagged(from, flexible)?;
    Ok(ProduceTopic { name, partitions })
}

fn read_partition(from: &mut Decoder<BytesMut>, flexible: bool) -> Result<ProducePartition, DecodeError> {
    let index = from.i32()?;
    let records = from.bytes_length(flexible)?.map(|length| from.slice("records", length)).transpose()?;
    skip_tagged(from, flexible)?;
    Ok(ProducePartition { index, records })
}

fn array<T>(
    from: &mut Decoder<BytesMut>,
    flexible: bool,
    mut element: impl FnMut(&mut Decoder<BytesMut>, bool) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let count = from.array_count(flexible, size_of::<T>())?.ok_or(DecodeError::UnexpectedNull("array"))?;
    let mut elements = Vec::with_capacity(count);
    for _ in 0..count {
        elements.push(element(from, flexible)?);
    }
    Ok(elements)
}

fn skip_tagged(from: &mut Decoder<BytesMut>, flexible: bool) -> Result<(), DecodeError> {
    if flexible { from.tagged_fields(|_, _| Ok(false)) } else { Ok(()) }
}
