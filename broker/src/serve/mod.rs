//! Sockets: who may connect, how requests come in, how answers leave.
//!
//! ```text
//! listener -> admission (caps) -> connection: frame_reader -> router -> answers, in the order of the requests
//!                                               budget (bytes in memory)
//! ```
//!
//! Promises:
//! 1. Requests of one connection take effect in the order they came, and are answered in that order.
//! 2. Bytes held for requests stay under one budget over all connections; no address holds more than half of it.
//! 3. A peer that stops in the middle of a frame, or stops reading answers, is let go after a time and costs nobody
//!    else anything.
//! 4. On [`drain::Drain`] no further request is read; those that were read are answered.

mod admission;
mod answer;
mod budget;
mod connection;
pub(crate) mod drain;
mod frame_reader;
mod listener;
mod writer;

pub(crate) use admission::{Admission, Refused};
pub(crate) use answer::{Answer, CloseReason, Outcome};
pub(crate) use budget::Charge;
pub(crate) use frame_reader::Frame;
pub(crate) use listener::Listener;
