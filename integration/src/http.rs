//! Just enough HTTP to ask a daemon how it is.

use std::{
    io::{self, Read, Write},
    net::SocketAddr,
    time::Duration,
};

use crate::reach;

const TIMEOUT: Duration = Duration::from_secs(5);

/// Status and body of a GET.
pub(crate) fn get(address: SocketAddr, path: &str) -> io::Result<(u16, String)> {
    let mut stream = reach::connect(address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let malformed =
        || io::Error::new(io::ErrorKind::InvalidData, format!("not an HTTP answer: {answer:.80}"));
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(malformed)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(malformed)?;
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    Ok((status, if chunked { unchunk(body) } else { body.to_owned() }))
}

fn unchunk(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        if size == 0 || size > rest.len() {
            break;
        }
        whole.push_str(&rest[..size]);
        body = rest[size..].trim_start_matches("\r\n");
    }
    whole
}

#[test]
fn chunks_are_joined() {
    assert_eq!(unchunk("3\r\nabc\r\na\r\n0123456789\r\n0\r\n\r\n"), "abc0123456789");
}
