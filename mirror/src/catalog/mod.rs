//! The target's side of a link's catalog: which topics follow, which partitions can be subscribed, and what is in the way.
//!
//! What it promises:
//! 1. A replica has the name and the id of its source. A topic of that name with another id stops that topic, typed, and
//!    nothing is deleted or written over.
//! 2. A partition is `Ready` only when its target exists; growth of the source creates the target's first.
//! 3. Leader epochs here are never below the source's; partitions are never removed.
//! 4. Internal topics never flow: they are listed by name, not guessed by a pattern.
//! 5. Wishes are reconciled with what there is, so a lost or repeated message changes nothing.

mod command;
mod event;
mod stop;

pub use command::{Command, Notice};
pub use event::{Event, LocalCatalog, LocalTopic, SourceTopic};
pub use stop::TopicStop;
