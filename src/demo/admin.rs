//! Just enough HTTP for the daemons' admin pages: one request a connection, a bounded answer.

use std::{io, net::SocketAddr, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time,
};

use super::{
    error::DemoError,
    region::Region,
    world::{UNIT, World},
};

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

/// Moves the unit's home, as planned, and answers with the daemon's report.
pub(super) async fn fail_over(world: &World, to: Region) -> Result<Value, DemoError> {
    let address = world.endpoints(to).admin;
    let wish = json!({ "unit": UNIT, "to": to.name(), "dry_run": false, "unplanned": false }).to_string();
    let failed = |what: String| DemoError::Admin { region: to, what };
    let answer = time::timeout(FAILED_OVER_WITHIN, exchange(address, "POST", "/v1/failover", &wish)).await;
    let answer = answer
        .map_err(|_| DemoError::Late { step: "the failover", within: FAILED_OVER_WITHIN })?
        .map_err(|error| failed(error.to_string()))?;
    if answer.status != 200 {
        let why = format!("status {}: {}", answer.status, answer.body.trim());
        return Err(DemoError::FailoverRefused(why));
    }
    serde_json::from_str(&answer.body).map_err(|error| failed(format!("not a report: {error}")))
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
