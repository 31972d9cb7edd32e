//! ListOffsets (key 2), versions 1-10.
//!
//! A timestamp asks for the first record at or after it, exact per record; special ones ask for the log's ends: -1
//! latest (high watermark, or last stable offset under read_committed), -2 earliest, -3 the record with the largest
//! timestamp (version 7), -4 earliest on local disk (8), -5 latest in remote storage (9; there is none). No match is
//! offset -1 without an error.

use std::{collections::HashSet, sync::Arc};

use core_log::{Log, ReadError, TimestampOffset};
use protocol::{
    ErrorCode, LeaderEpoch, Offset, PartitionId,
    messages::k02_list_offsets::{
        ListOffsetsRequest, ListOffsetsRequestPartition, ListOffsetsResponse, ListOffsetsResponsePartition,
        ListOffsetsResponseTopic,
    },
};

use crate::{
    api::{RequestContext, error_code, leader_epochs},
    metadata::{Image, Topic},
    partition::{FindError, Partitions, leader_epoch},
};

const READ_COMMITTED: i8 = 1;

/// What a request's timestamp field asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Latest,
    Earliest,
    MaxTimestamp,
    LatestTiered,
    AtOrAfter(i64),
}

impl Wanted {
    fn of(timestamp: i64, version: i16) -> Result<Self, ErrorCode> {
        match timestamp {
            -1 => Ok(Self::Latest),
            -2 => Ok(Self::Earliest),
            -3 if version >= 7 => Ok(Self::MaxTimestamp),
            -4 if version >= 8 => Ok(Self::Earliest),
            -5 if version >= 9 => Ok(Self::LatestTiered),
            0.. => Ok(Self::AtOrAfter(timestamp)),
            _ => Err(ErrorCode::UNSUPPORTED_VERSION),
        }
    }
}

pub(crate) async fn handle(
    partitions: &Partitions,
    image: &Image,
    cx: &RequestContext,
    request: ListOffsetsRequest,
) -> ListOffsetsResponse {
    let committed_only = request.isolation_level == READ_COMMITTED;
    let mut seen = HashSet::new();
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let mut answers = Vec::with_capacity(topic.partitions.len());
        for asked in topic.partitions {
            let answer = if seen.insert((topic.name.clone(), asked.partition_index)) {
                look_up(partitions, image.topic(&topic.name), &asked, cx.version, committed_only).await
            } else {
                Err(ErrorCode::INVALID_REQUEST)
            };
            let (found, error_code) = match answer {
                Ok(found) => (found, ErrorCode::NONE),
                Err(error_code) => (None, error_code),
            };
            answers.push(ListOffsetsResponsePartition {
                partition_index: asked.partition_index,
                error_code,
                timestamp: found.map_or(-1, |found| found.timestamp),
                offset: found.map_or(-1, |found| found.offset.0),
                // Versions that cannot carry it refuse to.
                leader_epoch: found.filter(|_| cx.version >= 4).map_or(-1, |found| found.leader_epoch.0),
            });
        }
        topics.push(ListOffsetsResponseTopic { name: topic.name, partitions: answers });
    }
    ListOffsetsResponse { topics, ..Default::default() }
}

async fn look_up(
    partitions: &Partitions,
    topic: Option<&Arc<Topic>>,
    asked: &ListOffsetsRequestPartition,
    version: i16,
    committed_only: bool,
) -> Result<Option<TimestampOffset>, ErrorCode> {
    let unknown = || error_code::of_find(&FindError::Unknown);
    let topic = topic.ok_or_else(unknown)?;
    let index = PartitionId(asked.partition_index);
    let current = leader_epoch(topic, index).ok_or_else(unknown)?;
    leader_epochs::check(current, LeaderEpoch(asked.current_leader_epoch))?;
    let wanted = Wanted::of(asked.timestamp, version)?;
    let partition = partitions.find(topic, index).await.map_err(|error| error_code::of_find(&error))?;
    let log = &partition.log;
    if log.offline().is_some() {
        return Err(ErrorCode::KAFKA_STORAGE_ERROR);
    }
    let ends = log.ends();
    let until = if committed_only { ends.last_stable } else { ends.high_watermark };
    let end_of_log = |offset| TimestampOffset { timestamp: -1, offset, leader_epoch: epoch_at(log, offset) };
    match wanted {
        Wanted::Latest => Ok(Some(end_of_log(until))),
        Wanted::Earliest => Ok(Some(end_of_log(ends.log_start))),
        Wanted::LatestTiered => Ok(None),
        Wanted::MaxTimestamp => search(log, until, Log::max_timestamp).await,
        Wanted::AtOrAfter(timestamp) => search(log, until, move |log| log.find_by_timestamp(timestamp)).await,
    }
}

/// The epoch a consumer should name when it fetches from `offset`: that of the record there, or of the last one.
fn epoch_at(log: &Log, offset: Offset) -> LeaderEpoch {
    log.epoch_at(offset).unwrap_or(LeaderEpoch::NONE)
}

/// Searches read from the disk, so they run where they may block. What is not yet visible is not found.
async fn search(
    log: &Arc<Log>,
    until: Offset,
    search: impl FnOnce(&Log) -> Result<Option<TimestampOffset>, ReadError> + Send + 'static,
) -> Result<Option<TimestampOffset>, ErrorCode> {
    let log = log.clone();
    let found = tokio::task::spawn_blocking(move || search(&log)).await;
    match found {
        Ok(Ok(found)) => Ok(found.filter(|found| found.offset < until)),
        Ok(Err(error)) => Err(error_code::of_read(&error)),
        Err(_) => Err(ErrorCode::UNKNOWN_SERVER_ERROR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_timestamps_are_known_from_their_version_on() {
        assert_eq!(Wanted::of(-3, 6), Err(ErrorCode::UNSUPPORTED_VERSION));
        assert_eq!(Wanted::of(-3, 7), Ok(Wanted::MaxTimestamp));
        assert_eq!(Wanted::of(-4, 8), Ok(Wanted::Earliest));
        assert_eq!(Wanted::of(-5, 8), Err(ErrorCode::UNSUPPORTED_VERSION));
        assert_eq!(Wanted::of(-6, 10), Err(ErrorCode::UNSUPPORTED_VERSION));
        assert_eq!(Wanted::of(0, 1), Ok(Wanted::AtOrAfter(0)));
    }
}
