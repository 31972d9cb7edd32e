//! Fetch answers, with records as the slices a log hands out.

use bytes::Bytes;

use crate::{
    codec::{Api, EncodeError, Encoder, Field, Layout},
    messages::k01_fetch::{FetchResponse, FetchResponsePartition, FetchResponseTopic},
};

/// The records of one partition: whole batches, in order, in as many pieces as they lie in memory.
pub type Records = Vec<Bytes>;

/// Writes an answer whose partitions carry the records of `records`, one entry for each partition in the order of
/// the answer. The `records` fields of `response` itself are ignored.
pub fn write(
    to: &mut Encoder,
    version: i16,
    response: &FetchResponse,
    records: &[Records],
) -> Result<(), EncodeError> {
    let layout = FetchResponse::layout(version);
    response.throttle_time_ms.encode(to, layout)?;
    if version >= 7 {
        response.error_code.encode(to, layout)?;
        response.session_id.encode(to, layout)?;
    }
    let mut records = records.iter();
    to.bytes_length(Some(response.responses.len()), layout.flexible)?;
    for topic in &response.responses {
        write_topic(to, layout, topic, &mut records)?;
    }
    if layout.flexible {
        write_endpoints(to, layout, response)?;
    }
    Ok(())
}

fn write_topic<'a>(
    to: &mut Encoder,
    layout: Layout,
    topic: &FetchResponseTopic,
    records: &mut impl Iterator<Item = &'a Records>,
) -> Result<(), EncodeError> {
    if layout.version <= 12 {
        topic.topic.encode(to, layout)?;
    } else {
        topic.topic_id.encode(to, layout)?;
    }
    to.bytes_length(Some(topic.partitions.len()), layout.flexible)?;
    for partition in &topic.partitions {
        write_partition(to, layout, partition, records.next())?;
    }
    no_tagged(to, layout);
    Ok(())
}

fn write_partition(
    to: &mut Encoder,
    layout: Layout,
    partition: &FetchResponsePartition,
    records: Option<&Records>,
) -> Result<(), EncodeError> {
    to.i32(partition.partition_index);
    to.i16(partition.error_code.0);
    to.i64(partition.high_watermark);
    to.i64(partition.last_stable_offset);
    if layout.version >= 5 {
        to.i64(partition.log_start_offset);
    }
    partition.aborted_transactions.encode(to, layout)?;
    if layout.version >= 11 {
        to.i32(partition.preferred_read_replica);
    }
    let records = records.map_or(&[][..], Vec::as_slice);
    to.bytes_length(Some(records.iter().map(Bytes::len).sum()), layout.flexible)?;
    for piece in records {
        to.shared(piece);
    }
    if layout.flexible {
        write_partition_tags(to, layout, partition)?;
    }
    Ok(())
}

fn write_partition_tags(
    to: &mut Encoder,
    layout: Layout,
    partition: &FetchResponsePartition,
) -> Result<(), EncodeError> {
    let absent = FetchResponsePartition::default();
    let diverging = partition.diverging_epoch != absent.diverging_epoch;
    let leader = partition.current_leader != absent.current_leader;
    let snapshot = partition.snapshot_id != absent.snapshot_id;
    to.uvarint(u32::from(diverging) + u32::from(leader) + u32::from(snapshot));
    if diverging {
        to.tagged(0, |to| partition.diverging_epoch.encode(to, layout))?;
    }
    if leader {
        to.tagged(1, |to| partition.current_leader.encode(to, layout))?;
    }
    if snapshot {
        to.tagged(2, |to| partition.snapshot_id.encode(to, layout))?;
    }
    Ok(())
}

fn write_endpoints(to: &mut Encoder, layout: Layout, response: &FetchResponse) -> Result<(), EncodeError> {
    let carried = layout.version >= 16 && !response.node_endpoints.is_empty();
    to.uvarint(u32::from(carried));
    if carried {
        to.tagged(0, |to| response.node_endpoints.encode(to, layout))?;
    }
    Ok(())
}

fn no_tagged(to: &mut Encoder, layout: Layout) {
    if layout.flexible {
        to.uvarint(0);
    }
}
