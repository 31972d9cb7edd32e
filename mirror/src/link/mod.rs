//! The link: how one datacenter's records get into another, over one QUIC connection between two nodes.
//!
//! ```text
//!    source node                                                     target node
//!    sender core   -- blocks, each on a unidirectional stream -->    receiver core
//!        ^         -- control: catalog, watermarks, groups ----->        |
//!        +-------- <- control: subscriptions, acks, credit ------ <------+
//! ```
//!
//! [`wire`] is the language of the control stream, [`block`] the form of the data. [`sender`] and [`receiver`] decide;
//! both are plain synchronous code: events and the time in, commands out. Drivers do the rest: they read and write
//! streams and logs, pack and unpack blocks.
//!
//! Promises:
//! 1. The receiver decides where to resume, from its own log. The source checks that the two logs agree there.
//! 2. A partition's blocks are applied in chain order; nothing is applied twice, nothing is left out silently.
//! 3. Every batch's CRC is checked when the source read it and before the target applies it.
//! 4. Unapplied bytes never exceed the credit that the receiver gave, and every unit the sender begins fits into it: no
//!    stream ever waits for one that cannot come.
//! 5. Live records do not stand behind back-fill, and back-fill always gets a share.
//! 6. The same events in the same order give the same commands.

pub mod block;
pub mod limits;
pub mod receiver;
pub mod sender;
pub mod wire;

mod ids;

pub use ids::{ApplyId, BlockNumber, Handle, ReadId};
