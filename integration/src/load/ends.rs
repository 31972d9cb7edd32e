//! Where a topic's partitions end, asked in one request.

use protocol::{
    ErrorCode,
    messages::k02_list_offsets::{
        ListOffsetsRequest, ListOffsetsRequestPartition, ListOffsetsRequestTopic, ListOffsetsResponse,
    },
};

use crate::Wire;

const LIST_OFFSETS: i16 = 5;
const LATEST: i64 = -1;

/// The end of all partitions together: without gaps in the offsets, how many records there are. `None` while a partition
/// has nobody who says.
#[track_caller]
pub fn records(wire: &mut Wire, topic: &str, partitions: i32) -> Option<i64> {
    each(wire, topic, partitions).map(|ends| ends.iter().sum())
}

/// The end of each partition, in their order.
#[track_caller]
pub fn each(wire: &mut Wire, topic: &str, partitions: i32) -> Option<Vec<i64>> {
    let asked = (0..partitions)
        .map(|partition_index| ListOffsetsRequestPartition {
            partition_index,
            timestamp: LATEST,
            ..Default::default()
        })
        .collect();
    let topics = vec![ListOffsetsRequestTopic { name: topic.into(), partitions: asked }];
    let request = ListOffsetsRequest { replica_id: -1, topics, ..Default::default() };
    let answer: ListOffsetsResponse = wire.call(LIST_OFFSETS, &request);
    let mut ends = vec![None; partitions.unsigned_abs() as usize];
    for end in answer.topics.iter().flat_map(|topic| &topic.partitions) {
        let known = (end.error_code == ErrorCode::NONE).then_some(end.offset);
        ends[end.partition_index.unsigned_abs() as usize] = known;
    }
    ends.into_iter().collect()
}
