//! Sending again what was refused for a reason that passes.

use std::time::Duration;

use tokio::time::{self, Instant};

use super::client::ClientError;

const PAUSE: Duration = Duration::from_millis(20);

/// How long passing refusals are put up with.
#[derive(Debug)]
#[must_use]
pub(super) struct Patience {
    until: Instant,
}

impl Patience {
    pub(super) fn of(limit: Duration) -> Self {
        Self { until: Instant::now() + limit }
    }

    /// After a failed try: a moment later if another one makes sense, the error otherwise.
    pub(super) async fn after(&self, error: ClientError) -> Result<(), ClientError> {
        self.pause(error.is_passing(), error).await
    }

    /// The same where a refusal by policy may pass too.
    pub(super) async fn after_policy(&self, error: ClientError) -> Result<(), ClientError> {
        self.pause(error.is_passing() || error.is_policy(), error).await
    }

    async fn pause(&self, passes: bool, error: ClientError) -> Result<(), ClientError> {
        if !passes || Instant::now() >= self.until {
            return Err(error);
        }
        time::sleep(PAUSE).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use protocol::ErrorCode;

    use super::*;

    fn refusal(code: ErrorCode) -> ClientError {
        let address = (Ipv4Addr::LOCALHOST, 9).into();
        ClientError::Refused { address, what: "a test", code, text: String::new() }
    }

    #[tokio::test(start_paused = true)]
    async fn passing_refusals_are_put_up_with_until_the_time_is_over() {
        let patience = Patience::of(PAUSE * 3);
        let mut tries = 0;
        while patience.after(refusal(ErrorCode::NOT_COORDINATOR)).await.is_ok() {
            tries += 1;
        }
        assert_eq!(tries, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn other_refusals_are_final() {
        let patience = Patience::of(PAUSE * 3);
        let refused = patience.after(refusal(ErrorCode::POLICY_VIOLATION)).await;
        assert!(!refused.expect_err("final").is_passing());
        patience.after_policy(refusal(ErrorCode::POLICY_VIOLATION)).await.expect("unless it may pass");
        let refused = patience.after_policy(refusal(ErrorCode::TOPIC_ALREADY_EXISTS)).await;
        refused.expect_err("no policy");
    }
}
