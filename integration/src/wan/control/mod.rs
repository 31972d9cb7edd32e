//! The control socket: one connection, one request, one answer, each a line of JSON.

mod client;
mod server;

use std::io::{self, BufRead, BufReader, Read};

use serde::{Deserialize, Serialize};

use super::{
    impairments::{Change, Impairments},
    report::Report,
};

pub use client::Client;
pub(super) use server::Server;

/// More is no request of ours. A report of the largest layout is longer: 32 datacenters have 992 directions.
const REQUEST_BYTES_MAX: u64 = 64 << 10;
const ANSWER_BYTES_MAX: u64 = 4 << 20;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Request {
    Set { from: String, to: String, change: Box<Change> },
    Show,
    Stop,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    Set(Impairments),
    Report(Report),
    Stopping,
    Refused(String),
}

/// A whole line, or an error: an end without one, or too long a one.
fn read_line(stream: impl Read, bytes_max: u64) -> io::Result<String> {
    let mut line = String::new();
    BufReader::new(stream.take(bytes_max)).read_line(&mut line)?;
    if line.ends_with('\n') {
        return Ok(line);
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, format!("no line within {bytes_max} bytes")))
}

fn to_line(message: &impl Serialize) -> String {
    let mut line = serde_json::to_string(message).expect("our messages have no keys but text");
    line.push('\n');
    line
}

#[test]
fn a_line_is_whole_and_bounded() {
    assert_eq!(read_line(&b"one\ntwo\n"[..], 100).unwrap(), "one\n");
    assert!(read_line(&b"one"[..], 100).is_err());
    assert!(read_line(&b"longer\n"[..], 3).is_err());
    assert!(read_line(&b"\xff\n"[..], 100).is_err());
}

#[test]
fn requests_read_back_as_they_were_written() {
    let change = Box::new(Change { loss: Some(0.5), ..Change::default() });
    let request = Request::Set { from: "a".to_owned(), to: "b".to_owned(), change };
    let line = to_line(&request);
    assert_eq!(line, "{\"set\":{\"from\":\"a\",\"to\":\"b\",\"change\":{\"loss\":0.5}}}\n");
    assert_eq!(serde_json::from_str::<Request>(&line).unwrap(), request);
    assert!(
        serde_json::from_str::<Request>("{\"set\":{\"from\":\"a\",\"to\":\"b\",\"change\":{\"l\":0}}}")
            .is_err()
    );
}
