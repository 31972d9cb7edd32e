//! The admin port: metrics and health for whoever watches the daemon.
//!
//! ```text
//!   /metrics   OpenMetrics text, once the broker has registered what it counts
//!   /healthz   200 as long as the process answers
//!   /readyz    200 while clients are served; 503 with the reason while starting, draining or failed
//! ```
//!
//! Promises:
//! 1. It costs the brokers' clients nothing: connections are few, each serves one request and has a deadline.
//! 2. It is up before the broker starts and down after the broker has drained, so that every phase can be seen.
//!
//! It has neither TLS nor passwords: keep it on an address that only the operator reaches.

pub(crate) mod process;

mod routes;
mod serve;
mod status;

pub(crate) use serve::Admin;
pub(crate) use status::{Phase, Status};
