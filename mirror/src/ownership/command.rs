//! What a unit's state machine wants done.

use protocol::ProducerId;

use super::{
    event::{Round, Ticket},
    members::Datacenter,
    message::Message,
    positions::{GroupPosition, PartitionEnd},
    report::{FailoverRefusal, FailoverReport},
    view::UnitView,
};

/// Carried out in order, each one finished before the next begins, except that those with a `round` that take long
/// (`Survey`, `Settle`, `Drain`, `ApplyGroups`, and the three of the barrier) may run on while later ones and later
/// events are served: their answers come as events.
///
/// **If `Persist` fails, nothing after it may be carried out**, now or for later events: close the unit's gates, drop the
/// state machine, and load it again from the record when the store works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Make this record the unit's, durably.
    Persist { record: String },
    /// Replace the view that gates and links are asked for, then have every partition and group obey it.
    Publish { round: Round, view: UnitView },
    /// To a member; dropped without notice when it is not connected.
    Send { to: Datacenter, message: Message },
    /// Gather the numbers.
    Survey { round: Round },
    /// With the gates closed: wait until all accepted writes and commits are durable, then say what there is: every
    /// partition of the unit, and every position of its groups in the unit's topics.
    Settle { round: Round },
    /// Watch the durable ends of these partitions; one that does not exist here yet counts as ending at 0.
    Drain { round: Round, until: Vec<PartitionEnd> },
    /// Commit these, translated and clamped to what is here; over whatever the group sync has applied.
    ApplyGroups { round: Round, positions: Vec<GroupPosition> },
    /// For every partition of the unit.
    ForgetProducers { round: Round },
    /// No producer id up to this one is given out here any more.
    AdvanceProducerIds { round: Round, beyond: ProducerId },
    /// The leader epochs of the unit's partitions here become larger than any that the old home is known to have used.
    RaiseEpochs { round: Round },
    /// Stop what was begun with this round or an earlier one, if it still runs.
    Cancel { round: Round },
    /// To the operator.
    Answer { ticket: Ticket, answer: Box<Result<FailoverReport, FailoverRefusal>> },
}
