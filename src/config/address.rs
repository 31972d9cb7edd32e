//! `HOST:PORT` as it stands in a setting: checked for form here, resolved only where it is bound.

use std::net::IpAddr;

/// A host (name, IPv4 address, or IPv6 address in brackets) and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostPort {
    /// Without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl HostPort {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let host = match host.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']').filter(|inner| is_ipv6(inner))?,
            None => Some(host).filter(|host| is_name(host))?,
        };
        // `u16::from_str` takes a sign, a port does not.
        let port = Some(port).filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()))?;
        Some(Self { host: host.to_owned(), port: port.parse().ok()? })
    }

    /// Whether it means 'every address of this machine', which nobody can connect to from elsewhere.
    pub(crate) fn is_wildcard(&self) -> bool {
        self.host.parse::<IpAddr>().is_ok_and(|address| address.is_unspecified())
    }
}

fn is_ipv6(text: &str) -> bool {
    matches!(text.parse(), Ok(IpAddr::V6(_)))
}

fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !text.is_empty() && text.len() <= 253 && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_taken() {
        for text in ["localhost:9092", "127.0.0.1:0", "[::1]:9092", "kafka-1.example:65535", "0.0.0.0:1"] {
            assert!(HostPort::parse(text).is_some(), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "localhost",
            ":9092",
            "localhost:",
            "localhost:65536",
            "localhost:+1",
            "::1:9092",
            "[::1]",
            "[localhost]:1",
            "http://a:1",
            "a b:1",
        ] {
            assert_eq!(HostPort::parse(text), None, "{text}");
        }
    }

    #[test]
    fn wildcards_are_told_apart() {
        let wildcard = |text| HostPort::parse(text).expect("an address").is_wildcard();
        assert!(wildcard("0.0.0.0:1"));
        assert!(wildcard("[::]:1"));
        assert!(!wildcard("127.0.0.1:1"));
        assert!(!wildcard("localhost:1"));
    }
}
