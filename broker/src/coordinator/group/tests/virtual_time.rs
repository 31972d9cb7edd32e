//! Lets virtual time pass: a test that waits for a deadline takes no time of its own.

use std::time::Duration;

/// Runs everything that falls due within `time`. For tests with a paused clock; in any other it panics.
pub(super) async fn pass(time: Duration) {
    // Only a paused clock can be advanced.
    tokio::time::advance(Duration::ZERO).await;
    tokio::time::sleep(time).await;
}
