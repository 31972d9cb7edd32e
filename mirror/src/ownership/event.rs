//! What a unit's state machine is told.

use protocol::{Offset, PartitionId, ProducerId, TopicName};

use super::{
    members::Datacenter,
    message::Message,
    positions::{GroupPosition, PartitionEnd},
    report::{GroupReport, PartitionReport},
};

/// Ties an answer to the command that asked; answers of earlier rounds are ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Round(pub u64);

/// An operator's open question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// `isthmus failover UNIT --to DC`. Answered by [`super::Command::Answer`], perhaps much later.
    Failover(Failover),
    /// A connection with this member stands, in either direction: messages can be sent.
    PeerConnected(Datacenter),
    /// None stands any more.
    PeerLost(Datacenter),
    Received {
        from: Datacenter,
        message: Message,
    },
    /// Answers [`super::Command::Survey`].
    Surveyed {
        round: Round,
        survey: Survey,
    },
    /// Answers [`super::Command::Publish`]: every partition and group obeys the view.
    Published {
        round: Round,
    },
    /// Answers [`super::Command::Settle`].
    Settled {
        round: Round,
        ends: Vec<PartitionEnd>,
        groups: Vec<GroupPosition>,
    },
    /// While [`super::Command::Drain`] runs: the durable ends here, at once and whenever they moved.
    Progress {
        round: Round,
        ends: Vec<PartitionEnd>,
    },
    /// Answers [`super::Command::ApplyGroups`]: these are durable.
    GroupsApplied {
        round: Round,
        groups: Vec<GroupReport>,
    },
    /// Answers [`super::Command::ForgetProducers`]: durable; the largest producer id that any of the logs had seen.
    ProducersForgotten {
        round: Round,
        largest: Option<ProducerId>,
    },
    /// Answers [`super::Command::AdvanceProducerIds`].
    ProducerIdsAdvanced {
        round: Round,
    },
    /// Answers [`super::Command::RaiseEpochs`].
    EpochsRaised {
        round: Round,
    },
    /// A command of this round could not be carried out.
    Failed {
        round: Round,
        what: String,
    },
    /// The link found that this log and the home's went apart: records `[common, end)` are only here.
    TailFound {
        topic: TopicName,
        partition: PartitionId,
        common: Offset,
        end: Offset,
    },
    /// `Unit::next_deadline` has passed.
    DeadlinePassed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failover {
    pub ticket: Ticket,
    pub to: Datacenter,
    pub dry_run: bool,
    pub unplanned: bool,
}

/// The unit as this datacenter sees it now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Every partition of the unit's topics that exists here or was heard of; source ends as last heard from the home.
    pub partitions: Vec<PartitionReport>,
    /// Every position of the unit's groups that was heard of, with what stands here.
    pub groups: Vec<GroupReport>,
}
