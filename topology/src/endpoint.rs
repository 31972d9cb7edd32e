//! `host:port`.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::fmt;

use serde::{Serialize, Serializer};

use crate::limits::{HOST_MAX, LABEL_MAX};
use crate::name::shown;
use crate::value::{Refusal, Value};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    Ip(IpAddr),
    /// A DNS name, in lower case.
    Name(String),
}

/// Where a listener is reached: what others are told to connect to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    pub host: Host,
    pub port: u16,
}

impl Endpoint {
    /// The address to listen on: the declared one if it is an address, loopback for `localhost`, and every address of the
    /// machine if it is any other name, because what a name resolves to may be the outside of an address translation.
    pub fn listen_address(&self) -> SocketAddr {
        let ip = match &self.host {
            Host::Ip(ip) => *ip,
            Host::Name(name) if name == "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Host::Name(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        };
        SocketAddr::new(ip, self.port)
    }

    /// The host alone, as a certificate or an `advertised.listeners` wants it.
    pub fn host(&self) -> String {
        match &self.host {
            Host::Ip(ip) => ip.to_string(),
            Host::Name(name) => name.clone(),
        }
    }
}

impl Value for Endpoint {
    const EXPECTED: &'static str = "host:port";

    fn parse(text: &str) -> Result<Self, Refusal> {
        let refuse = |why: &str, fix: &str| Err(Refusal::new(format!("`{}` {why}", shown(text)), fix));
        if text.contains("://") {
            return refuse("is a URL, not host:port", "leave the scheme and the slashes out");
        }
        let Some((host, port)) = text.rsplit_once(':') else {
            return refuse("has no port", "write host:port, such as `10.1.0.11:9092`");
        };
        let Some(port) = parse_port(port) else {
            return refuse("has no valid port", "write a port from 1 to 65535 after the colon");
        };
        match parse_host(host) {
            Some(host) => Ok(Self { host, port }),
            None => refuse(
                "has no valid host",
                "write an IPv4 address, an IPv6 address in [brackets], or a DNS name before the colon",
            ),
        }
    }
}

fn parse_port(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0)
}

fn parse_host(text: &str) -> Option<Host> {
    if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return inner.parse::<Ipv6Addr>().ok().map(|ip| Host::Ip(IpAddr::V6(ip)));
    }
    if let Ok(ip) = text.parse::<Ipv4Addr>() {
        return Some(Host::Ip(IpAddr::V4(ip)));
    }
    let labels_good = text.split('.').all(|label| {
        !label.is_empty()
            && label.len() <= LABEL_MAX
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    });
    // A last label of digits only is a mistyped address, not a name.
    let numeric = text.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    (labels_good && !numeric && text.len() <= HOST_MAX).then(|| Host::Name(text.to_ascii_lowercase()))
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]:{}", self.port),
            Host::Ip(ip) => write!(f, "{ip}:{}", self.port),
            Host::Name(name) => write!(f, "{name}:{}", self.port),
        }
    }
}

impl Serialize for Endpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_what_was_read() {
        for good in ["10.1.0.11:9092", "east-1.example:7443", "[::1]:1", "[fe80::1]:65535", "localhost:19092"]
        {
            assert_eq!(Endpoint::parse(good).unwrap().to_string(), good);
        }
        assert_eq!(Endpoint::parse("East.Example:1").unwrap().to_string(), "east.example:1");
    }

    #[test]
    fn anything_else_is_refused() {
        let bad = [
            "",
            ":1",
            "a",
            "a:",
            "a:0",
            "a:65536",
            "a:+1",
            "a:-1",
            "::1:9092",
            "[::1",
            "[::1]",
            "10.1.0.256:1",
            "1.2.3:4",
            "a b:1",
            "-a:1",
            "a..b:1",
            "http://a:1",
            "a:1/",
            "[10.0.0.1]:1",
        ];
        for bad in bad {
            assert!(Endpoint::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_listens_on_every_address_and_localhost_on_loopback() {
        let address = |text| Endpoint::parse(text).unwrap().listen_address().to_string();
        assert_eq!(address("east.example:7443"), "0.0.0.0:7443");
        assert_eq!(address("localhost:7443"), "127.0.0.1:7443");
        assert_eq!(address("10.1.0.11:7443"), "10.1.0.11:7443");
    }
}
