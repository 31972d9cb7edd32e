//! The handle that request handlers and the mirror hold.

use std::sync::Arc;

use protocol::{ErrorCode, GenerationId, GroupId, PartitionId, TopicName};
use tokio::sync::{broadcast, oneshot};

use super::{
    core::*,
    limits,
    partitions::Partitions,
    placement::partition_of,
    ports::{FreshIds, GroupsParts},
    registry::{Call, Registry},
};
use crate::settings::GroupSettings;

/// All groups of this node. Cheap to clone.
///
/// An `Err` is the error code for the whole request: the coordinator cannot serve it now, or never will.
#[derive(Clone)]
pub struct Groups(Arc<Parts>);

struct Parts {
    partitions: Partitions,
    registry: Arc<Registry>,
    fresh_ids: FreshIds,
}

/// A group, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub id: GroupId,
    pub description: Description,
}

/// Members' requests.
impl Groups {
    pub async fn join(&self, group: &GroupId, join: Join) -> Result<Joined, JoinRefused> {
        let member_id = join.who.member_id.clone();
        let refused = |error| JoinRefused { error, member_id: member_id.clone() };
        check_member_group(group).and_then(|()| self.check_gate(group)).map_err(refused)?;
        let rules = &self.0.registry.rules;
        if !(rules.session_timeout_min_ms..=rules.session_timeout_max_ms).contains(&join.session_timeout_ms) {
            return Err(refused(ErrorCode::INVALID_SESSION_TIMEOUT));
        }
        let fresh = (self.0.fresh_ids)();
        let answer = if join.who.member_id.as_str().is_empty() {
            self.ask(group, Request::Join(join, fresh)).await.map(Some)
        } else {
            self.ask_existing(group, Request::Join(join, fresh)).await
        };
        match answer.map_err(refused)? {
            Some(Answer::Join(joined)) => joined,
            Some(other) => Err(refused(misplaced(&other))),
            None => Err(refused(ErrorCode::UNKNOWN_MEMBER_ID)),
        }
    }

    pub async fn sync(&self, group: &GroupId, sync: Sync) -> Result<Synced, ErrorCode> {
        check_member_group(group)?;
        self.check_gate(group)?;
        match self.ask_existing(group, Request::Sync(sync)).await? {
            Some(Answer::Sync(synced)) => synced,
            Some(other) => Err(misplaced(&other)),
            None => Err(ErrorCode::UNKNOWN_MEMBER_ID),
        }
    }

    pub async fn heartbeat(&self, group: &GroupId, heartbeat: Heartbeat) -> Result<(), ErrorCode> {
        check_member_group(group)?;
        self.check_gate(group)?;
        match self.ask_existing(group, Request::Heartbeat(heartbeat)).await? {
            Some(Answer::Heartbeat(error)) => ok_unless(error),
            Some(other) => Err(misplaced(&other)),
            None => Err(ErrorCode::UNKNOWN_MEMBER_ID),
        }
    }

    /// One code for each leaver, in order.
    pub async fn leave(&self, group: &GroupId, leavers: Vec<Identity>) -> Result<Vec<ErrorCode>, ErrorCode> {
        check_member_group(group)?;
        self.check_gate(group)?;
        let strangers = vec![ErrorCode::UNKNOWN_MEMBER_ID; leavers.len()];
        match self.ask_existing(group, Request::Leave(leavers)).await? {
            Some(Answer::Leave(codes)) => codes,
            Some(other) => Err(misplaced(&other)),
            None => Ok(strangers),
        }
    }
}

/// Offsets.
impl Groups {
    /// One code for each offset, in order.
    pub async fn commit(&self, group: &GroupId, commit: Commit) -> Result<Vec<ErrorCode>, ErrorCode> {
        check_stored_group(group)?;
        if matches!(commit.author, Author::Client { .. }) {
            self.check_gate(group)?;
        }
        let missing = match &commit.author {
            Author::Client { generation, missing_group, .. } if *generation >= GenerationId(0) => {
                Some(*missing_group)
            }
            Author::Client { .. } | Author::Outside => None,
        };
        let request = Request::Commit(commit);
        let answer = match missing {
            Some(missing) => self.ask_existing(group, request).await?.ok_or(missing)?,
            None => self.ask(group, request).await?,
        };
        match answer {
            Answer::Commit(codes) => codes,
            other => Err(misplaced(&other)),
        }
    }

    /// Sets offsets of a group that is not active here, as a mirror does; `NON_EMPTY_GROUP` when it is.
    pub async fn commit_from_outside(
        &self,
        group: &GroupId,
        offsets: Vec<OffsetToCommit>,
    ) -> Result<(), ErrorCode> {
        let commit = Commit { author: Author::Outside, retention_ms: -1, offsets };
        let codes = self.commit(group, commit).await?;
        codes.into_iter().try_for_each(ok_unless)
    }

    /// What the group has committed durably; empty when there is no such group.
    pub async fn committed_offsets(&self, group: &GroupId) -> Result<Arc<OffsetsByTopic>, ErrorCode> {
        check_stored_group(group)?;
        match self.ask_existing(group, Request::Offsets).await? {
            Some(Answer::Offsets(offsets)) => Ok(offsets),
            Some(other) => Err(misplaced(&other)),
            None => Ok(Arc::default()),
        }
    }

    /// What every group has committed durably: the snapshot for a follower of [`Groups::subscribe`] that starts or lagged.
    pub async fn all_committed_offsets(&self) -> Result<Vec<(GroupId, Arc<OffsetsByTopic>)>, ErrorCode> {
        self.load_all().await?;
        let mut all = Vec::new();
        for group in self.0.registry.ids() {
            let offsets = self.committed_offsets(&group).await?;
            if !offsets.is_empty() {
                all.push((group, offsets));
            }
        }
        Ok(all)
    }

    /// As [`Groups::committed_offsets`], once every commit that was accepted before has become durable, or failed. Behind a shut
    /// gate nothing is accepted any more, so these are the group's last offsets.
    pub async fn settled_offsets(&self, group: &GroupId) -> Result<Arc<OffsetsByTopic>, ErrorCode> {
        check_stored_group(group)?;
        match self.ask_existing(group, Request::SettledOffsets).await? {
            Some(Answer::Offsets(offsets)) => Ok(offsets),
            Some(other) => Err(misplaced(&other)),
            None => Ok(Arc::default()),
        }
    }

    /// Every commit and removal from now on, after it became durable. A subscriber that is told it lagged reads
    /// [`Groups::all_committed_offsets`].
    pub fn subscribe(&self) -> broadcast::Receiver<GroupEvent> {
        self.0.registry.events.subscribe()
    }

    /// One code for each partition, in order.
    pub async fn delete_offsets(
        &self,
        group: &GroupId,
        partitions: Vec<(TopicName, PartitionId)>,
    ) -> Result<Vec<ErrorCode>, ErrorCode> {
        check_member_group(group)?;
        self.check_gate(group)?;
        match self.ask_existing(group, Request::DeleteOffsets(partitions)).await? {
            Some(Answer::DeleteOffsets(codes)) => codes,
            Some(other) => Err(misplaced(&other)),
            None => Err(ErrorCode::GROUP_ID_NOT_FOUND),
        }
    }

    /// Deletes offsets whose retention has passed, and groups of which nothing is left; answers how many offsets went.
    /// Only groups that are loaded are looked at: the broker calls this on a timer, after [`Groups::load_all`].
    pub async fn expire(&self) -> usize {
        self.sweep(|| Request::Expire).await
    }

    /// Deletes every group's offsets of a topic that is gone.
    pub async fn forget_topic(&self, topic: &TopicName) -> Result<usize, ErrorCode> {
        self.load_all().await?;
        Ok(self.sweep(|| Request::ForgetTopic(topic.clone())).await)
    }

    async fn sweep(&self, request: impl Fn() -> Request) -> usize {
        let mut swept = 0;
        for group in self.0.registry.ids() {
            if let Ok(Some(Answer::Swept(count))) = self.ask_existing(&group, request()).await {
                swept += count;
            }
        }
        swept
    }
}

/// Whole groups.
impl Groups {
    /// `None`: there is no such group.
    pub async fn describe(&self, group: &GroupId) -> Result<Option<Description>, ErrorCode> {
        check_stored_group(group)?;
        match self.ask_existing(group, Request::Describe).await? {
            Some(Answer::Description(description)) => Ok(description),
            Some(other) => Err(misplaced(&other)),
            None => Ok(None),
        }
    }

    /// Whether the group has members here, or is about to.
    pub async fn is_active(&self, group: &GroupId) -> Result<bool, ErrorCode> {
        Ok(self.describe(group).await?.is_some_and(|description| description.state != GroupState::Empty))
    }

    pub async fn list(&self) -> Result<Vec<Listed>, ErrorCode> {
        self.load_all().await?;
        let mut listed = Vec::new();
        for id in self.0.registry.ids() {
            if let Some(description) = self.describe(&id).await? {
                listed.push(Listed { id, description });
            }
        }
        Ok(listed)
    }

    pub async fn delete(&self, group: &GroupId) -> Result<(), ErrorCode> {
        check_stored_group(group)?;
        self.check_gate(group)?;
        match self.ask_existing(group, Request::DeleteGroup).await? {
            Some(Answer::DeleteGroup(error)) => ok_unless(error),
            Some(other) => Err(misplaced(&other)),
            None => Err(ErrorCode::GROUP_ID_NOT_FOUND),
        }
    }
}

/// Life.
impl Groups {
    /// Must be used inside a tokio runtime: groups are tasks.
    pub fn new(parts: GroupsParts) -> Self {
        let registry = Arc::new(Registry::new(parts.clock, Arc::new(rules(&parts.settings)), parts.gate));
        let partitions = Partitions::new(parts.topic, registry.clone());
        Self(Arc::new(Parts { partitions, registry, fresh_ids: parts.fresh_ids }))
    }

    /// Loads every partition there is: at start-up, so that sessions and retention of idle groups go on.
    pub async fn load_all(&self) -> Result<(), ErrorCode> {
        if !self.0.partitions.topic.exists() {
            return Ok(());
        }
        for partition in 0..self.0.partitions.topic.partition_count() {
            self.0.partitions.loaded(PartitionId(partition)).await?;
        }
        Ok(())
    }

    /// Ends every group's actor after its writes have ended. Requests that wait, and later ones, get
    /// `COORDINATOR_NOT_AVAILABLE`. Call it before the logs are closed.
    pub async fn close(&self) {
        self.0.registry.close().await;
    }

    /// Early, so that a fenced group that is not known here is refused as well. The group's actor asks again when it decides.
    fn check_gate(&self, group: &GroupId) -> Result<(), ErrorCode> {
        self.0.registry.refusal(group).map_or(Ok(()), Err)
    }

    async fn ask(&self, group: &GroupId, request: Request) -> Result<Answer, ErrorCode> {
        let partition = partition_of(group, self.0.partitions.topic.partition_count());
        let log = self.0.partitions.loaded(partition).await?;
        if self.0.registry.is_closing() {
            return Err(ErrorCode::COORDINATOR_NOT_AVAILABLE);
        }
        let (answer, answered) = oneshot::channel();
        if self.0.registry.send(group, &log, Call { request, answer }).await.is_err() {
            self.0.partitions.load_again(partition);
            return Err(ErrorCode::COORDINATOR_NOT_AVAILABLE);
        }
        // An actor that ends without answering is closing.
        answered.await.map_err(|_| ErrorCode::COORDINATOR_NOT_AVAILABLE)
    }

    /// Does not make an actor for a group that nobody has heard of.
    async fn ask_existing(&self, group: &GroupId, request: Request) -> Result<Option<Answer>, ErrorCode> {
        let partition = partition_of(group, self.0.partitions.topic.partition_count());
        self.0.partitions.loaded(partition).await?;
        if !self.0.registry.contains(group) && !self.0.registry.is_closing() {
            return Ok(None);
        }
        self.ask(group, request).await.map(Some)
    }
}

/// Members need a group with a name.
fn check_member_group(group: &GroupId) -> Result<(), ErrorCode> {
    if group.as_str().is_empty() { Err(ErrorCode::INVALID_GROUP_ID) } else { check_stored_group(group) }
}

/// Offsets may be kept under the empty name, as old consumers do.
fn check_stored_group(group: &GroupId) -> Result<(), ErrorCode> {
    let fits = group.as_str().len() <= limits::GROUP_ID_BYTES_MAX;
    if fits { Ok(()) } else { Err(ErrorCode::INVALID_GROUP_ID) }
}

fn ok_unless(error: ErrorCode) -> Result<(), ErrorCode> {
    if error.is_error() { Err(error) } else { Ok(()) }
}

/// A fault of ours: the core answered another question.
fn misplaced(answer: &Answer) -> ErrorCode {
    tracing::error!(?answer, "a group answered another question than it was asked");
    ErrorCode::UNKNOWN_SERVER_ERROR
}

pub(super) fn rules(settings: &GroupSettings) -> Rules {
    let retention = settings.offsets_retention_minutes.saturating_mul(60_000);
    Rules {
        initial_rebalance_delay_ms: i32::try_from(settings.initial_rebalance_delay_ms).unwrap_or(i32::MAX),
        session_timeout_min_ms: settings.session_timeout_min_ms,
        session_timeout_max_ms: settings.session_timeout_max_ms,
        new_member_timeout_ms: limits::NEW_MEMBER_TIMEOUT_MS,
        members_max: settings.members_max,
        offset_metadata_bytes_max: settings.offset_metadata_bytes_max,
        offsets_retention_ms: i64::try_from(retention).unwrap_or(i64::MAX),
    }
}

#[cfg(test)]
impl Groups {
    pub(super) fn actor_count(&self) -> usize {
        self.0.registry.ids().len()
    }

    /// As if the group's actor had panicked: its inbox is closed, its address still there.
    pub(super) fn crash(&self, group: &GroupId) {
        self.0.registry.crash(group);
    }
}
