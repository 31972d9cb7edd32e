//! The view from outside: real daemons as processes, watched by real clients.
//!
//! ```text
//! tests/*.rs  an index of behaviour, one file each      clients/  the client matrix, in each client's language
//!     |                                                  bin/load, bin/side-by-side  measure whole brokers
//!     v
//! Daemon (spawn, await /readyz, kill -9, SIGTERM, restart)   Wire (raw frames)   Metrics (/metrics)   wait
//!     ^
//! Datacenters (two daemons with a topology between them)     Relay (a network that can be cut)
//! ```
//!
//! Promises:
//! 1. A daemon under test is the binary that this workspace builds, in a process of its own, on ports and a data
//!    directory of its own; it is gone when its [`Daemon`] is dropped, and what it logged is shown if the test failed.
//! 2. Nothing sleeps for luck: every wait is for a condition, with a deadline that fails the test ([`wait`]).
//!
//! The tests can be pointed at another broker that takes the daemon's arguments: `TEST_DAEMON_BINARY` names it.

mod binary;
pub mod client;
mod daemon;
pub mod datacenters;
mod http;
pub mod load;
mod metrics;
mod pace;
mod ports;
pub mod produce;
mod reach;
mod relay;
pub mod side_by_side;
mod wait;
pub mod wan;
mod wire;

pub use binary::command as daemon_command;
pub use daemon::{Daemon, DaemonBuilder};
pub use datacenters::Datacenters;
pub use metrics::Metrics;
pub use pace::pause_until;
pub use relay::Relay;
pub use wait::{DEADLINE, eventually, eventually_within};
pub use wire::Wire;
