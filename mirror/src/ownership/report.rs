//! What the operator gets to see of a failover.

use serde::{Deserialize, Serialize};

use super::{generation::HomeGeneration, members::Datacenter, message::FenceRefusal};

/// The plan of a dry run, or what a failover did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailoverReport {
    pub unit: String,
    pub from: Datacenter,
    pub to: Datacenter,
    /// The generation after the move; at a dry run, the one that it would be.
    pub generation: HomeGeneration,
    pub planned: bool,
    pub dry_run: bool,
    pub outcome: Outcome,
    pub partitions: Vec<PartitionReport>,
    pub groups: Vec<GroupReport>,
    /// Also where the single rows are gone, because the new home restarted in between.
    pub group_totals: GroupTotals,
    /// Records of the old home that the new one does not have.
    pub rpo_records: u64,
    /// Whether every partition's source end is known; if not, more than `rpo_records` may be missing.
    pub rpo_complete: bool,
    /// From the fence, or from the start of an unplanned failover, to the open gate. 0 at a dry run.
    pub rto_ms: u64,
    pub steps: Vec<StepReport>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// Nothing was done: these are the numbers as they stand.
    Planned,
    /// The unit is writable at `to`.
    Moved,
    /// It was already: the verb was repeated.
    AlreadyHome,
    /// Nothing moved.
    Stopped { reason: StopReason },
}

/// Why a planned failover stopped before its point of no return.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum StopReason {
    #[error(
        "{home} did not answer; it reopens when it hears of it. Repeat the command, or add --unplanned if it is lost"
    )]
    OldHomeSilent { home: Datacenter },
    #[error("{home} does not fence itself: {refusal}")]
    OldHomeRefused { home: Datacenter, refusal: FenceRefusal },
    #[error(
        "{records_missing} records did not arrive and none came for a while; the old home reopens. See the partitions listed"
    )]
    DrainStalled { records_missing: u64 },
    #[error("{home} became the home at generation {generation} in the meantime")]
    Overtaken { home: Datacenter, generation: HomeGeneration },
    #[error("a step failed here: {what}; the old home reopens")]
    StepFailed { what: String },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionReport {
    pub topic: String,
    pub partition: i32,
    /// The old home's durable end: what it answered, or the last one it was heard to have. `None`: never heard of.
    pub source_end: Option<i64>,
    pub target_end: i64,
    /// Records in between.
    pub lost: u64,
}

impl PartitionReport {
    pub fn new(topic: &str, partition: i32, source_end: Option<i64>, target_end: i64) -> Self {
        let missing = source_end.map_or(0, |end| end.saturating_sub(target_end));
        let lost = u64::try_from(missing).unwrap_or(0);
        Self { topic: topic.to_owned(), partition, source_end, target_end, lost }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupReport {
    pub group: String,
    pub topic: String,
    pub partition: i32,
    pub committed_source: i64,
    pub committed_target: Option<i64>,
    /// Whether the position was outside of what the target has.
    pub clamped: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupTotals {
    pub positions: u64,
    pub clamped: u64,
}

impl GroupTotals {
    pub fn of(groups: &[GroupReport]) -> Self {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let clamped = groups.iter().filter(|group| group.clamped).count();
        Self { positions: count(groups.len()), clamped: count(clamped) }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepReport {
    pub step: Step,
    pub duration_ms: u64,
}

/// The stages of a failover, in this order; an unplanned one leaves out the first three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Survey,
    Fence,
    Drain,
    Groups,
    /// The mirror's own writes end here.
    Close,
    Barrier,
    Open,
}

/// A verb that was not begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "refusal")]
pub enum FailoverRefusal {
    #[error("this is {here}; send the command to a node of {to}")]
    OtherDatacenter { here: Datacenter, to: Datacenter },
    #[error(
        "{to} is neither the home nor a standby of the unit; name one of its members, or add it to the topology"
    )]
    NotAMember { to: Datacenter },
    #[error(
        "{here} holds {records} records that the home {home} never got; they have to be set aside before it can be the home"
    )]
    Diverged { here: Datacenter, home: Datacenter, records: u64 },
    #[error("{here} is being restored; wait until it is a standby")]
    Restoring { here: Datacenter },
    #[error(
        "{here} is fenced for {to} at generation {generation}; wait for it, or take the unit back with --unplanned"
    )]
    FencedFor { here: Datacenter, to: Datacenter, generation: HomeGeneration },
    #[error(
        "{here} has heard that {home} is the home at generation {generation}, but not yet where that one started; connect it, or add --unplanned"
    )]
    Overruled { here: Datacenter, home: Datacenter, generation: HomeGeneration },
    #[error(
        "{here} has not heard from a standby since it started, so it does not know whether it is still the home; connect one, or open it with --unplanned"
    )]
    NotHeardYet { here: Datacenter },
    #[error("{home} is not connected, so it cannot be fenced; connect it, or add --unplanned if it is lost")]
    OldHomeUnreachable { home: Datacenter },
    #[error("generations are used up")]
    OutOfGenerations,
    #[error("the numbers could not be gathered: {what}")]
    SurveyFailed { what: String },
}
