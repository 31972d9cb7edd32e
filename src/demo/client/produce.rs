//! Producing with `acks=all`, several requests in flight on one connection.

use bytes::Bytes;

use protocol::{
    ErrorCode,
    messages::k00_produce::{
        ProduceRequest, ProduceRequestPartitionData, ProduceRequestTopicData, ProduceResponse,
    },
};

use super::{Client, ClientError, TIMEOUT_MS, error};

const PRODUCE: i16 = 9;
const ALL: i16 = -1;

/// A record batch for a partition.
#[derive(Debug, Clone)]
pub(in crate::demo) struct Batch {
    pub(in crate::demo) partition: i32,
    pub(in crate::demo) records: Bytes,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::demo) struct Produced {
    pub(in crate::demo) partition: i32,
    /// The offset of its first record; `None`: refused and not appended, and may be sent again.
    pub(in crate::demo) base_offset: Option<i64>,
}

impl Client {
    pub(in crate::demo) async fn send_batches(
        &mut self,
        topic: &str,
        batches: impl IntoIterator<Item = Batch>,
    ) -> Result<(), ClientError> {
        let partition_data = batches
            .into_iter()
            .map(|batch| ProduceRequestPartitionData { index: batch.partition, records: Some(batch.records) })
            .collect();
        let topic_data =
            vec![ProduceRequestTopicData { name: topic.into(), partition_data, ..Default::default() }];
        let request = ProduceRequest { acks: ALL, timeout_ms: TIMEOUT_MS, topic_data, ..Default::default() };
        self.connection.send(PRODUCE, &request).await
    }

    /// The answer to the oldest request in flight, in whatever order of partitions. May be dropped and called again.
    pub(in crate::demo) async fn receive_produced(&mut self) -> Result<Vec<Produced>, ClientError> {
        let answer: ProduceResponse = self.connection.receive(PRODUCE).await?;
        let partitions = answer.responses.iter().flat_map(|topic| &topic.partition_responses);
        partitions
            .map(|partition| {
                let code = partition.error_code;
                if !error::passes(code) {
                    self.taken("records", code, partition.error_message.as_deref())?;
                }
                let base_offset = (code == ErrorCode::NONE).then_some(partition.base_offset);
                Ok(Produced { partition: partition.index, base_offset })
            })
            .collect()
    }
}
