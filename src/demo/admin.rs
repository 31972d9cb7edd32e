//! Just enough HTTP for the daemons' admin pages: one request a connection, a bounded answer.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time,
};

use mirror::ownership::{FailoverReport, Outcome};

use super::{
    error::DemoError,
    region::Region,
    world::{UNIT, World},
};
use crate::operations::{FailoverRequest, ProblemAnswer};

const ANSWER_BYTES_MAX: u64 = 4 << 20;
const READY_WITHIN: Duration = Duration::from_secs(2);
/// A failover drains what is on its way.
const FAILED_OVER_WITHIN: Duration = Duration::from_secs(60);

struct Answer {
    status: u16,
    body: String,
}

pub(super) async fn is_ready(address: SocketAddr) -> bool {
    let answer = time::timeout(READY_WITHIN, exchange(address, "GET", "/readyz", "")).await;
    matches!(answer, Ok(Ok(Answer { status: 200, .. })))
}

/// Moves the unit's home, as planned; what the new home says of it.
pub(super) async fn fail_over(world: &World, to: Region) -> Result<FailoverReport, DemoError> {
    let address = world.endpoints(to).admin;
    let request =
        FailoverRequest { unit: UNIT.to_owned(), to: to.name().to_owned(), dry_run: false, unplanned: false };
    let failed = |what: String| DemoError::Admin { region: to, what };
    let request = serde_json::to_string(&request).map_err(|error| failed(error.to_string()))?;
    let answer = time::timeout(FAILED_OVER_WITHIN, exchange(address, "POST", "/v1/failover", &request)).await;
    let answer = answer
        .map_err(|_| DemoError::Late { step: "the failover", within: FAILED_OVER_WITHIN })?
        .map_err(|error| failed(error.to_string()))?;
    if answer.status != 200 {
        return Err(DemoError::FailoverRefused(refusal(&answer)));
    }
    let report: FailoverReport =
        serde_json::from_str(&answer.body).map_err(|error| failed(format!("not a report: {error}")))?;
    match report.outcome {
        Outcome::Moved => Ok(report),
        Outcome::Stopped { reason } => Err(DemoError::FailoverRefused(reason.to_string())),
        Outcome::Planned | Outcome::AlreadyHome => {
            Err(DemoError::FailoverRefused(format!("nothing was moved: {:?}", report.outcome)))
        }
    }
}

fn refusal(answer: &Answer) -> String {
    let problem = serde_json::from_str::<ProblemAnswer>(&answer.body);
    let said = problem.map_or_else(|_| answer.body.trim().to_owned(), |problem| problem.error.message);
    format!("{said} (status {})", answer.status)
}

async fn exchange(address: SocketAddr, method: &str, path: &str, body: &str) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(address).await?;
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut bytes).await?;
    parse(&String::from_utf8_lossy(&bytes))
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not an HTTP answer"))
}

/// The admin pages are short and come with their length, never in chunks.
fn parse(answer: &str) -> Option<Answer> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    Some(Answer { status, body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_body_are_taken_apart() {
        let answer = parse("HTTP/1.1 409 Conflict\r\ncontent-length: 3\r\n\r\nno\n").expect("an answer");
        assert_eq!((answer.status, answer.body.as_str()), (409, "no\n"));
        assert!(parse("HTTP/1.1 200 OK").is_none());
        assert!(parse("SSH-2.0\r\n\r\n").is_none());
    }
}
