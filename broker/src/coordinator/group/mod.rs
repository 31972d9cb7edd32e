//! Consumer groups: who belongs to which generation, and where each group goes on reading.
//!
//! ```text
//!     api/k08..k47 --> Groups --> the partition's log is replayed once (partitions, replay)
//!                        |
//!                        +------> one actor per group: inbox -> core::Group -> answers, records, events
//!                                                                               |
//!                                                    RecordLog of the group's partition of __consumer_offsets
//! ```
//!
//! Promises:
//! 1. A commit is answered, shown to readers and announced only when its records are on stable storage.
//! 2. A group's requests are decided one at a time, in the order in which its actor takes them from its inbox.
//! 3. After a restart a stable group is what it was: generation, members and assignments; sessions start anew.
//! 4. Every queue has a bound: inboxes, records waiting to be written, events ([`limits`]).
//! 5. Behind a shut gate no member's request has an effect, and no commit but the mirror's ([`Groups::commit_from_outside`]).
//!
//! Start with [`core`]: it decides everything; the rest carries its wishes out.

pub mod consumer_protocol;
pub mod core;
pub mod limits;
pub mod placement;
pub mod records;

mod actor;
mod groups;
mod partitions;
mod ports;
mod registry;
mod replay;
mod write_queue;

pub use self::{
    core::{
        Author, Client, Commit, CommittedOffset, Description, GroupEvent, GroupState, Heartbeat, Identity,
        InstanceId, Join, JoinRefused, Joined, JoinedMember, MemberDescription, OffsetCommitted,
        OffsetRemoved, OffsetToCommit, OffsetsByTopic, Protocol, Removal, Sync, Synced,
    },
    groups::{Groups, Listed},
    ports::{FreshIds, GroupsParts, OffsetsTopic, Opening, TopicDirectory},
};

#[cfg(test)]
mod tests;
