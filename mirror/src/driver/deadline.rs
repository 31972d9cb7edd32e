//! Waiting for a core's deadline.

use std::time::Duration;

use core_log::Clock;

/// Returns when `deadline` has come, by the clock that the core's times are of; never without one.
pub(crate) async fn passed(clock: &dyn Clock, deadline: Option<Duration>) {
    match deadline {
        None => std::future::pending().await,
        Some(at) => tokio::time::sleep(at.saturating_sub(clock.monotonic())).await,
    }
}
