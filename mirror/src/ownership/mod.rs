//! Who is home: the only code that may open a mirrored topic for writes.
//!
//! ```text
//!             Fence, generation + 1                    durable ends reached, groups applied
//!   Standby ------------------------> Draining -----------------------------------------> Promoting ---> Home
//!   Home ---> Fencing (promised) ---> closed, settled: Fenced                                            |
//!                  |                                                                                     |
//!                  +--- Unfence: the other one gave that generation up, durably ---> Home                |
//!                  +--- Promoted <--------------------------------------------------------------------- +
//!                          |--- nothing left behind ---> Standby
//!                          +--- an orphaned tail ------> Diverged ---> Restoring (a later verb) ---> Standby
//! ```
//!
//! One `Unit` per failover unit and datacenter: events and a clock reading in, commands out. What it promises:
//! 1. A generation has one home. Generations are owned from the start ([`Members::next_generation`]).
//! 2. A promise is durable before it is spoken, and a gate opens only after the record that allows it is durable.
//! 3. A fenced home reopens only when the one that it is fenced for has durably given that generation up, or when an
//!    operator takes the unit back at a new generation.
//! 4. A generation below the highest one heard, promised or given up is refused, also after restarts.
//! 5. Any verb can be repeated at any time: it joins what runs, resumes what was cut off, or says what stands.
//!
//! What it is not: a vote. Two datacenters cannot agree on anything while apart; an unplanned failover is the operator's
//! word that the old home shall lose, and what that costs is counted.

mod command;
mod event;
mod generation;
mod members;
mod message;
#[cfg(test)]
mod model_test;
mod positions;
mod record;
mod report;
mod serial;
mod settings;
#[cfg(test)]
mod tests;
mod unit;
mod view;

pub use command::Command;
pub use event::{Event, Failover, Round, Survey, Ticket};
pub use generation::HomeGeneration;
pub use members::{Datacenter, Members};
pub use message::{FenceRefusal, Message, RequestId};
pub use positions::{GroupPosition, PartitionEnd};
pub use record::{
    Attempt, Divergence, Fencing, OrphanedTail, Promotion, RecordError, State, StateName, UnitRecord,
};
pub use report::{
    FailoverRefusal, FailoverReport, GroupReport, GroupTotals, Outcome, PartitionReport, Step, StepReport,
    StopReason,
};
pub use settings::{Settings, WhenApart};
pub use unit::{Unit, UnitStatus};
pub use view::{Gate, Membership, UnitView, Views, flows, gate_of_group, gate_of_topic};
