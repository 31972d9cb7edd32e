//! A WAN on one machine: user-space links between network namespaces.
//!
//! ```text
//!   plan (a file, or a mesh)  ->  layout: namespaces, a TUN device at each end of each link
//!                                   |
//!        +--------------------------+---------------------------+
//!   namespace wan.L.east                                   namespace wan.L.west
//!   198.18.0.1, device wan0   -- pump: reads, waits, writes -->   device wan0, 198.18.0.2
//!                             <-- one thread a direction ------
//!                                   |
//!                                 pipe: which packets arrive, and when. Pure: no I/O, no clock
//! ```
//!
//! Promises:
//! 1. Delay, jitter, loss, rate, queue, reordering, duplication, corruption, MTU and blackhole are set for each direction
//!    and changed while it runs, by the owner ([`Layout`]) or over a control socket ([`Client`]).
//! 2. One seed decides every chance: see [`pipe`].
//! 3. Nothing outlives its [`Layout`] but by a `kill -9`, and [`down`] takes away what is left then. Only namespaces whose
//!    names begin with `wan.` and that a layout noted as its own are ever touched.
//!
//! Rates and sizes are those of IP packets. Super-packets (64 KiB handed over at once) pass whole where that makes no
//! difference; that is what makes a gigabit and more possible.

mod control;
mod counters;
mod error;
mod host;
mod impairments;
mod layout;
mod links;
mod pipe;
mod plan;
mod pump;
mod report;
mod stop;

pub use control::Client;
pub use counters::Counters;
pub use error::{HostError, LayoutError};
pub(crate) use host::namespace::within;
pub use host::state::STATE_ROOT;
pub use impairments::{BadValue, Change, Impairments};
pub use layout::{Layout, command_in, down};
pub use plan::{BOTH, DEFAULT_NAME, Name, NotAName, Plan, PlanError};
pub use report::{DatacenterReport, DirectionReport, Report};
