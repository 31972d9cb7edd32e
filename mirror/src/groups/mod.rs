//! Group sync at the target of a link: the source's committed positions, translated, clamped, applied.
//!
//! ```text
//!   commit heard -> newest per (group, topic, partition) -> translated -> clamped -> one batch per group -> applied
//!                        ^                                    |
//!                        +--- kept, and tried again when data arrives, the group falls empty, the topic appears
//! ```
//!
//! What it promises:
//! 1. With an identity translation and nothing to clamp, the target's position is the source's.
//! 2. A position is never outside of [log start, durable end] of the target, and never newer than the newest one heard.
//! 3. A position ahead of the mirror keeps its true source offset, and moves on as data arrives.
//! 4. A group that is active at the target is never written over.
//! 5. Once the home moved, nothing of the old home is applied.
//! 6. Memory: one entry per (group, topic, partition) of the source; at most one batch in flight per group.

mod command;
mod event;
mod translate;

pub use command::{Command, TargetCommit};
pub use event::{Event, Refusal, Round, SourceCommit};
pub use translate::{Located, Translate, Translation};
