//! The positions of a consumer group that assigns its partitions itself: no members, no generation.

use std::net::SocketAddr;

use protocol::messages::{
    k08_offset_commit::{
        OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic, OffsetCommitResponse,
    },
    k09_offset_fetch::{OffsetFetchRequest, OffsetFetchRequestTopic, OffsetFetchResponse},
    k10_find_coordinator::{FindCoordinatorRequest, FindCoordinatorResponse},
};

use super::{Client, ClientError, by_partition};

const FIND_COORDINATOR: i16 = 3;
const OFFSET_FETCH: i16 = 7;
const OFFSET_COMMIT: i16 = 8;
/// The kind of key that a coordinator is looked for by.
const GROUP: i8 = 0;

impl Client {
    /// A connection to the group's coordinator, which is asked for at `address`.
    pub(in crate::demo) async fn coordinator(address: SocketAddr, group: &str) -> Result<Self, ClientError> {
        let mut asked = Self::open(address).await?;
        let request = FindCoordinatorRequest { key: group.into(), key_type: GROUP, ..Default::default() };
        let answer: FindCoordinatorResponse = asked.connection.call(FIND_COORDINATOR, &request).await?;
        asked.taken("finding the coordinator", answer.error_code, answer.error_message.as_deref())?;
        let unusable =
            || asked.connection.malformed(format!("a coordinator at {}:{}", answer.host, answer.port));
        let ip = answer.host.parse().map_err(|_| unusable())?;
        let port = u16::try_from(answer.port).map_err(|_| unusable())?;
        match SocketAddr::new(ip, port) {
            same if same == address => Ok(asked),
            other => Self::open(other).await,
        }
    }

    /// The group's committed offset for each of so many partitions; `None` where there is none.
    pub(in crate::demo) async fn committed(
        &mut self,
        group: &str,
        topic: &str,
        partitions: i32,
    ) -> Result<Vec<Option<i64>>, ClientError> {
        let asked =
            OffsetFetchRequestTopic { name: topic.into(), partition_indexes: (0..partitions).collect() };
        let request = OffsetFetchRequest {
            group_id: group.into(),
            topics: Some(vec![asked]),
            require_stable: true,
            ..Default::default()
        };
        let answer: OffsetFetchResponse = self.connection.call(OFFSET_FETCH, &request).await?;
        self.taken("telling the group's offsets", answer.error_code, None)?;
        let told: Vec<_> = answer.topics.into_iter().flat_map(|topic| topic.partitions).collect();
        let mut committed = Vec::new();
        for partition in 0..partitions {
            let found = told.iter().find(|told| told.partition_index == partition);
            let found = found
                .ok_or_else(|| self.connection.malformed(format!("no offset of partition {partition}")))?;
            self.taken("telling the group's offsets", found.error_code, None)?;
            committed.push((found.committed_offset >= 0).then_some(found.committed_offset));
        }
        Ok(committed)
    }

    pub(in crate::demo) async fn commit(
        &mut self,
        group: &str,
        topic: &str,
        positions: &[i64],
    ) -> Result<(), ClientError> {
        let partitions = by_partition(positions).map(|(partition_index, committed_offset)| {
            OffsetCommitRequestPartition { partition_index, committed_offset, ..Default::default() }
        });
        let partitions = partitions.collect();
        let request = OffsetCommitRequest {
            group_id: group.into(),
            topics: vec![OffsetCommitRequestTopic { name: topic.into(), partitions, ..Default::default() }],
            ..Default::default()
        };
        let answer: OffsetCommitResponse = self.connection.call(OFFSET_COMMIT, &request).await?;
        for partition in answer.topics.iter().flat_map(|topic| &topic.partitions) {
            self.taken("a commit", partition.error_code, None)?;
        }
        Ok(())
    }
}
