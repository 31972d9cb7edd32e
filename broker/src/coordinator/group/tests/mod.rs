//! The coordinator as handlers see it, over logs in memory.

mod failures;
mod gates;
mod life;
mod members;
mod offsets;
mod restart;
mod virtual_time;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use core_log::Clock;
use parking_lot::Mutex;
use protocol::{
    ErrorCode, Offset, PartitionId, TopicId, TopicName, Uuid,
    messages::{k08_offset_commit::*, k09_offset_fetch::*, k11_join_group::*, k14_sync_group::*},
};
use tokio::{sync::Semaphore, time::Instant};

use self::virtual_time::pass;
use super::*;
use crate::{
    api::{self, RequestContext},
    gate::{Gate, OpenGate},
    record_log::{Appending, KeyValue, RecordLog, RecordLogError},
    settings::GroupSettings,
};

/// The machine's time is tokio's, which tests pause and which runs ahead when everybody waits.
pub(super) struct TokioClock(pub(super) Instant);

impl Clock for TokioClock {
    fn wall_ms(&self) -> i64 {
        1_700_000_000_000 + i64::try_from(self.0.elapsed().as_millis()).unwrap()
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A log that can be made to fail, or to wait before every append.
pub(super) struct MemoryLog {
    pub(super) records: Mutex<Vec<KeyValue>>,
    pub(super) appends: AtomicUsize,
    pub(super) broken: AtomicBool,
    gate: Semaphore,
}

impl MemoryLog {
    fn new(records: Vec<KeyValue>) -> Self {
        Self {
            records: Mutex::new(records),
            appends: AtomicUsize::new(0),
            broken: AtomicBool::new(false),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        }
    }

    /// From here on every append waits for [`MemoryLog::let_pass`].
    pub(super) fn hold(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub(super) fn let_pass(&self, appends: usize) {
        self.gate.add_permits(appends);
    }
}

impl RecordLog for MemoryLog {
    fn append(&self, records: Vec<KeyValue>) -> Appending<'_> {
        Box::pin(async move {
            self.gate.acquire().await.unwrap().forget();
            self.appends.fetch_add(1, Ordering::SeqCst);
            if self.broken.load(Ordering::SeqCst) {
                return Err(RecordLogError::Unavailable("the disk is gone".into()));
            }
            let mut stored = self.records.lock();
            let base = Offset(i64::try_from(stored.len()).unwrap());
            stored.extend(records);
            Ok(base)
        })
    }

    fn replay(&self, each: &mut dyn FnMut(Offset, i64, KeyValue)) -> Result<(), RecordLogError> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(RecordLogError::Corrupt("nonsense".into()));
        }
        for (at, record) in self.records.lock().clone().into_iter().enumerate() {
            each(Offset(i64::try_from(at).unwrap()), 0, record);
        }
        Ok(())
    }
}

/// `__consumer_offsets` with few partitions; what is in it outlives the coordinator.
pub(super) struct MemoryTopic {
    pub(super) logs: Vec<Arc<MemoryLog>>,
    pub(super) opened: AtomicUsize,
    pub(super) closed: AtomicBool,
}

impl MemoryTopic {
    pub(super) fn new(partitions: usize) -> Arc<Self> {
        let logs = (0..partitions).map(|_| Arc::new(MemoryLog::new(Vec::new()))).collect();
        Arc::new(Self { logs, opened: AtomicUsize::new(0), closed: AtomicBool::new(false) })
    }
}

impl OffsetsTopic for MemoryTopic {
    fn partition_count(&self) -> i32 {
        i32::try_from(self.logs.len()).unwrap()
    }

    fn exists(&self) -> bool {
        true
    }

    fn open(&self, partition: PartitionId) -> Opening<'_> {
        self.opened.fetch_add(1, Ordering::SeqCst);
        let log = self.logs[usize::try_from(partition.0).unwrap()].clone();
        let closed = self.closed.load(Ordering::SeqCst);
        Box::pin(async move {
            if closed {
                Err(RecordLogError::Unavailable("closed".into()))
            } else {
                Ok(log as Arc<dyn RecordLog>)
            }
        })
    }
}

/// Topics `t` and `u` with three partitions each; the id is the name's first letter.
pub(super) struct Topics;

pub(super) fn topic_id(name: &str) -> Uuid {
    Uuid::from_u128(u128::from(name.as_bytes()[0]))
}

impl TopicDirectory for Topics {
    fn partitions(&self, name: &str) -> Option<i32> {
        ["t", "u"].contains(&name).then_some(3)
    }

    fn name_of(&self, id: TopicId) -> Option<TopicName> {
        ["t", "u"].into_iter().find(|name| topic_id(name) == id.0).map(TopicName::from)
    }

    fn id_of(&self, name: &str) -> Option<TopicId> {
        ["t", "u"].contains(&name).then(|| TopicId(topic_id(name)))
    }
}

pub(super) fn rules() -> core::Rules {
    groups::rules(&GroupSettings::default())
}

pub(super) fn groups_over(topic: &Arc<MemoryTopic>) -> Groups {
    gated_groups(topic, Arc::new(OpenGate))
}

pub(super) fn gated_groups(topic: &Arc<MemoryTopic>, gate: Arc<dyn Gate>) -> Groups {
    let ids = AtomicU64::new(1);
    Groups::new(GroupsParts {
        settings: GroupSettings { initial_rebalance_delay_ms: 100, ..GroupSettings::default() },
        topic: topic.clone(),
        clock: Arc::new(TokioClock(Instant::now())),
        gate,
        fresh_ids: Arc::new(move || Uuid::from_u128(ids.fetch_add(1, Ordering::SeqCst).into())),
    })
}

pub(super) fn cx(version: i16) -> RequestContext {
    RequestContext { version, client_id: Some("app".into()), peer: SocketAddr::from(([10, 0, 0, 9], 5_000)) }
}

pub(super) fn join_request(group: &str, member: &str) -> JoinGroupRequest {
    JoinGroupRequest {
        group_id: group.into(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 60_000,
        member_id: member.into(),
        protocol_type: "consumer".into(),
        protocols: vec![JoinGroupRequestProtocol {
            name: "range".into(),
            metadata: Bytes::from_static(b"\0\0\0\0\0\x01\0\x01t\xff\xff\xff\xff"),
        }],
        ..Default::default()
    }
}

/// Joins as a modern client does, coming back with the id it is given.
pub(super) async fn join(groups: &Groups, group: &str) -> JoinGroupResponse {
    let first = api::k11_join_group::handle(groups, &cx(9), join_request(group, "")).await;
    assert_eq!(first.error_code, ErrorCode::MEMBER_ID_REQUIRED);
    api::k11_join_group::handle(groups, &cx(9), join_request(group, &first.member_id)).await
}

pub(super) async fn sync(
    groups: &Groups,
    group: &str,
    joined: &JoinGroupResponse,
    assignment: &str,
) -> SyncGroupResponse {
    let given = joined.members.iter().map(|member| SyncGroupRequestAssignment {
        member_id: member.member_id.clone(),
        assignment: Bytes::copy_from_slice(assignment.as_bytes()),
    });
    let request = SyncGroupRequest {
        group_id: group.into(),
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        protocol_type: joined.protocol_type.clone(),
        protocol_name: joined.protocol_name.clone(),
        assignments: given.collect(),
        ..Default::default()
    };
    api::k14_sync_group::handle(groups, &cx(5), request).await
}

pub(super) async fn stable(groups: &Groups, group: &str) -> JoinGroupResponse {
    let joined = join(groups, group).await;
    assert_eq!(joined.error_code, ErrorCode::NONE);
    let synced = sync(groups, group, &joined, "all").await;
    assert_eq!((synced.error_code, &synced.assignment[..]), (ErrorCode::NONE, &b"all"[..]));
    joined
}

pub(super) fn commit_request(group: &str, offsets: &[(&str, i32, i64)]) -> OffsetCommitRequest {
    let mut topics: BTreeMap<&str, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
    for (topic, partition, offset) in offsets {
        topics.entry(topic).or_default().push(OffsetCommitRequestPartition {
            partition_index: *partition,
            committed_offset: *offset,
            committed_leader_epoch: 4,
            committed_metadata: Some("note".into()),
        });
    }
    let topics = topics.into_iter().map(|(name, partitions)| OffsetCommitRequestTopic {
        name: name.into(),
        topic_id: topic_id(name),
        partitions,
    });
    OffsetCommitRequest { group_id: group.into(), topics: topics.collect(), ..Default::default() }
}

pub(super) async fn commit(
    groups: &Groups,
    version: i16,
    request: OffsetCommitRequest,
) -> Vec<(i32, ErrorCode)> {
    let answer = api::k08_offset_commit::handle(groups, &Topics, &cx(version), request).await;
    let partitions = answer.topics.into_iter().flat_map(|topic| topic.partitions);
    partitions.map(|partition| (partition.partition_index, partition.error_code)).collect()
}

/// Everything the group has committed, as a client of version 8 sees it.
pub(super) async fn fetch_all(groups: &Groups, group: &str) -> Vec<(String, i32, i64)> {
    let request = OffsetFetchRequest {
        groups: vec![OffsetFetchRequestGroup { group_id: group.into(), topics: None, ..Default::default() }],
        ..Default::default()
    };
    let mut answer = api::k09_offset_fetch::handle(groups, &Topics, &cx(8), request).await;
    let group = answer.groups.pop().unwrap();
    assert_eq!(group.error_code, ErrorCode::NONE);
    let of = |topic: OffsetFetchResponseGroupTopic| {
        let name = topic.name.to_string();
        topic.partitions.into_iter().map(move |at| (name.clone(), at.partition_index, at.committed_offset))
    };
    group.topics.into_iter().flat_map(of).collect()
}
