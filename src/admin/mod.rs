//! The admin port: metrics and health for whoever watches the daemon, and what an operator can ask of it.
//!
//! ```text
//!   /metrics        OpenMetrics text, once the broker has registered what it counts
//!   /healthz        200 as long as the process answers
//!   /readyz         200 while clients are served; 503 with the reason while starting, draining or failed
//!   /v1/status      GET: the node, its links and its units, in JSON
//!   /v1/failover    POST: moves a unit's home here
//!   /v1/translate   GET: an offset at the other end of a link
//! ```
//!
//! Promises:
//! 1. It costs the brokers' clients nothing: connections are few, each serves one request and has a deadline,
//!    unless a verb is at work that the operator waits for.
//! 2. It is up before the broker starts and down after the broker has drained, so that every phase can be seen.
//!
//! It has neither TLS nor passwords, and whoever reaches it can move homes: keep it on an address that only the operator reaches.

pub(crate) mod process;

mod mirroring;
mod patience;
mod routes;
mod serve;
mod status;
#[cfg(test)]
mod testing;
mod v1;

pub(crate) use serve::Admin;
pub(crate) use status::{Phase, Status};
