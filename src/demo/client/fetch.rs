//! Fetching from all partitions of a topic at once, waiting at the broker for the next record; and where partitions end.

use protocol::{
    batch::Record,
    messages::{
        k01_fetch::{FetchRequest, FetchRequestPartition, FetchRequestTopic, FetchResponse},
        k02_list_offsets::{
            ListOffsetsRequest, ListOffsetsRequestPartition, ListOffsetsRequestTopic, ListOffsetsResponse,
        },
    },
};

use super::{Client, ClientError, by_partition, records};

const FETCH: i16 = 12;
const LIST_OFFSETS: i16 = 5;
/// As a timestamp: the end.
const LATEST: i64 = -1;
const WAIT_MS: i32 = 500;
const BYTES_MAX: i32 = 4 << 20;
const PARTITION_BYTES_MAX: i32 = 1 << 20;
/// Not a replica.
const CONSUMER: i32 = -1;

/// What was read of one partition, if anything.
#[derive(Debug)]
pub(in crate::demo) struct Fetched {
    pub(in crate::demo) partition: i32,
    pub(in crate::demo) records: Vec<Record>,
    /// The offset to fetch on from.
    pub(in crate::demo) next: i64,
}

impl Client {
    /// Whatever there is from these positions on; waits a moment for the first record.
    pub(in crate::demo) async fn fetch(
        &mut self,
        topic: &str,
        positions: &[i64],
    ) -> Result<Vec<Fetched>, ClientError> {
        let partitions = by_partition(positions).map(|(partition, fetch_offset)| FetchRequestPartition {
            partition,
            fetch_offset,
            partition_max_bytes: PARTITION_BYTES_MAX,
            ..Default::default()
        });
        let partitions = partitions.collect();
        let request = FetchRequest {
            max_wait_ms: WAIT_MS,
            min_bytes: 1,
            max_bytes: BYTES_MAX,
            topics: vec![FetchRequestTopic { topic: topic.into(), partitions, ..Default::default() }],
            ..Default::default()
        };
        let answer: FetchResponse = self.connection.call(FETCH, &request).await?;
        self.taken("a fetch", answer.error_code, None)?;
        let mut fetched = Vec::new();
        for partition in answer.responses.into_iter().flat_map(|topic| topic.partitions) {
            self.taken("a fetch", partition.error_code, None)?;
            let index = partition.partition_index;
            let from = by_partition(positions).find(|&(asked, _)| asked == index);
            let (_, from) = from
                .ok_or_else(|| self.connection.malformed(format!("partition {index} was not asked for")))?;
            let read = records::read(partition.records.unwrap_or_default(), from)
                .map_err(|error| self.connection.malformed(error.to_string()))?;
            fetched.push(Fetched { partition: index, records: read.records, next: read.next });
        }
        Ok(fetched)
    }

    /// The offset after the last record that consumers see, for each of so many partitions.
    pub(in crate::demo) async fn ends(
        &mut self,
        topic: &str,
        partitions: i32,
    ) -> Result<Vec<i64>, ClientError> {
        let asked = (0..partitions).map(|partition_index| ListOffsetsRequestPartition {
            partition_index,
            timestamp: LATEST,
            ..Default::default()
        });
        let topic = ListOffsetsRequestTopic { name: topic.into(), partitions: asked.collect() };
        let request = ListOffsetsRequest { replica_id: CONSUMER, topics: vec![topic], ..Default::default() };
        let answer: ListOffsetsResponse = self.connection.call(LIST_OFFSETS, &request).await?;
        let told: Vec<_> = answer.topics.into_iter().flat_map(|topic| topic.partitions).collect();
        let mut ends = Vec::new();
        for partition in 0..partitions {
            let end = told.iter().find(|told| told.partition_index == partition);
            let end =
                end.ok_or_else(|| self.connection.malformed(format!("no end of partition {partition}")))?;
            self.taken("telling a partition's end", end.error_code, None)?;
            ends.push(end.offset);
        }
        Ok(ends)
    }
}
