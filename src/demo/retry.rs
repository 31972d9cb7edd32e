//! Sending again what was refused for a reason that passes.

use std::time::Duration;

use tokio::time::{self, Instant};

use super::client::ClientError;

const PAUSE: Duration = Duration::from_millis(20);

/// Tries until it is taken, refused for good, or refused for so long.
pub(super) async fn until_taken<T>(
    within: Duration,
    mut attempt: impl AsyncFnMut() -> Result<T, ClientError>,
) -> Result<T, ClientError> {
    let deadline = Instant::now() + within;
    loop {
        match attempt().await {
            Err(error) if error.is_passing() && Instant::now() < deadline => time::sleep(PAUSE).await,
            ended => return ended,
        }
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
    async fn passing_refusals_are_tried_again_until_the_time_is_over() {
        let mut left = 3;
        let taken = until_taken(Duration::from_secs(1), async || {
            left -= 1;
            if left == 0 { Ok("taken") } else { Err(refusal(ErrorCode::NOT_COORDINATOR)) }
        });
        assert_eq!(taken.await.expect("the third time"), "taken");
        let refused = until_taken(Duration::from_secs(1), async || {
            Err::<(), _>(refusal(ErrorCode::NOT_LEADER_OR_FOLLOWER))
        });
        assert!(refused.await.expect_err("never").is_passing());
    }

    #[tokio::test(start_paused = true)]
    async fn other_refusals_are_final() {
        let mut tries = 0;
        let refused = until_taken(Duration::from_secs(1), async || {
            tries += 1;
            Err::<(), _>(refusal(ErrorCode::POLICY_VIOLATION))
        });
        assert!(!refused.await.expect_err("refused").is_passing());
        assert_eq!(tries, 1);
    }
}
