//! Asks a running node on its admin port: one request, one answer, over plain HTTP.

use std::{
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    time::Duration,
};

use clap::Args;
use serde::{Serialize, de::DeserializeOwned};

use super::{Answer, Flags};
use crate::operations::{Kind, Problem, ProblemAnswer};

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// For questions; a verb is waited for as long as the node works on it.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// More than the status of a node with a hundred thousand partitions.
const ANSWER_BYTES_MAX: u64 = 256 << 20;

/// Which node to ask.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Asked {
    /// The admin port of the node (setting `admin`).
    #[arg(long, value_name = "HOST:PORT")]
    admin: Option<String>,
    /// The node's settings file, to find its admin port by; also named by the variable ISTHMUS_CONFIG.
    #[arg(long, value_name = "FILE")]
    config: Option<std::path::PathBuf>,
}

pub(super) enum Wait {
    ForAnswer,
    ForVerb,
}

impl Asked {
    /// The answer of `GET path`.
    pub(super) fn get<T: DeserializeOwned>(self, path: &str) -> Result<T, Answer> {
        self.ask(&format!("GET {path} HTTP/1.1"), "", &Wait::ForAnswer)
    }

    /// The answer of `POST path` with `body`, once the verb has ended.
    pub(super) fn post<T: DeserializeOwned>(self, path: &str, body: &impl Serialize) -> Result<T, Answer> {
        let body = serde_json::to_string(body).expect("plain structs serialise");
        self.ask(&format!("POST {path} HTTP/1.1"), &body, &Wait::ForVerb)
    }

    fn ask<T: DeserializeOwned>(self, line: &str, body: &str, wait: &Wait) -> Result<T, Answer> {
        let effective = Flags::only(self.admin, self.config).load().map_err(Answer::refused)?;
        let admin = effective.settings.admin;
        let (code, text) = exchange(&admin, line, body, wait).map_err(|error| {
            Answer::failed(format!(
                "no answer from {admin}: {error}; is the node running, and is that its admin port (--admin)?"
            ))
        })?;
        if code == 200 {
            return serde_json::from_slice(&text).map_err(|error| {
                Answer::failed(format!(
                    "{admin} gave an answer that is not understood: {error}; compare the versions"
                ))
            });
        }
        let problem = serde_json::from_slice(&text).map(|ProblemAnswer { error }| error);
        Err(refused(problem.unwrap_or_else(|_| {
            let message = format!("{admin} answered {code}; is it the admin port of a node of this version?");
            Problem::new(Kind::Unavailable, "not-a-node", message)
        })))
    }
}

/// Exit code 2 for what was asked wrongly, 1 for what cannot be done.
fn refused(problem: Problem) -> Answer {
    match problem.kind {
        Kind::Invalid | Kind::NotFound => Answer::refused(problem),
        Kind::Refused | Kind::Unavailable => Answer::failed(problem),
    }
}

fn exchange(admin: &str, line: &str, body: &str, wait: &Wait) -> io::Result<(u16, Vec<u8>)> {
    let mut stream = connect(admin)?;
    stream.set_write_timeout(Some(ANSWER_WITHIN))?;
    stream.set_read_timeout(match wait {
        Wait::ForAnswer => Some(ANSWER_WITHIN),
        Wait::ForVerb => None,
    })?;
    let length = body.len();
    let request = format!(
        "{line}\r\nHost: {admin}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
    parse(&answer).ok_or_else(|| io::Error::other("the answer is not whole HTTP"))
}

fn connect(admin: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::other("the name has no address");
    for address in admin.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_WITHIN) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Status code and body of an answer that says how long its body is, as the admin port's do.
fn parse(answer: &[u8]) -> Option<(u16, Vec<u8>)> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(answer.get(..end)?).ok()?;
    let code = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    })?;
    let body = answer.get(end.checked_add(4)?..)?;
    (body.len() == length).then(|| (code, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_apart() {
        let answer = b"HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(parse(answer), Some((409, b"{}".to_vec())));
    }

    #[test]
    fn half_an_answer_is_none() {
        let whole = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".as_slice();
        assert!(parse(whole).is_some());
        for length in 0..whole.len() {
            assert_eq!(parse(&whole[..length]), None, "{length}");
        }
        assert_eq!(parse(b"HTTP/1.1 200 OK\r\n\r\n{}"), None);
    }
}
