//! Three ports for each datacenter, known to be free before anything is started, so that a taken one is told as what it is.

use std::{
    io::ErrorKind,
    net::{IpAddr, SocketAddr, TcpListener, UdpSocket},
    process,
    str::FromStr,
};

use super::{
    error::DemoError,
    region::{Endpoints, Region},
};

/// Kafka, link, admin.
const PORTS: u16 = 3;
/// Where three free ports are looked for: below those that the system gives to outgoing connections.
const SEARCH_FROM: u16 = 15_000;
const SEARCH_TO: u16 = 32_000;

/// An IP address and a port, 0 for any. `localhost` is 127.0.0.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListenAddress(SocketAddr);

impl FromStr for ListenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.replacen("localhost:", "127.0.0.1:", 1);
        let address: SocketAddr =
            text.parse().map_err(|_| "write an IP address and a port, such as 127.0.0.1:19092".to_owned())?;
        if address.port() > u16::MAX - PORTS {
            return Err(format!("the {PORTS} ports from {} do not end below 65536", address.port()));
        }
        Ok(Self(address))
    }
}

/// The endpoints of both regions, all of them free.
pub(super) fn claim(east: ListenAddress, west: ListenAddress) -> Result<[Endpoints; 2], DemoError> {
    let east = claim_one(Region::East, east.0, None)?;
    let west = claim_one(Region::West, west.0, Some(&east))?;
    Ok([east, west])
}

fn claim_one(region: Region, at: SocketAddr, taken: Option<&Endpoints>) -> Result<Endpoints, DemoError> {
    if at.port() == 0 {
        return search(region, at.ip(), taken);
    }
    let endpoints = Endpoints::from_port(at.ip(), at.port());
    if let Some(address) = taken.and_then(|taken| endpoints.shared_with(taken)) {
        return Err(DemoError::Overlap { address });
    }
    check(region, &endpoints)?;
    Ok(endpoints)
}

fn search(region: Region, ip: IpAddr, taken: Option<&Endpoints>) -> Result<Endpoints, DemoError> {
    let places = u32::from((SEARCH_TO - SEARCH_FROM) / PORTS);
    // Processes that search at once start far apart.
    let start = process::id().wrapping_mul(7_919);
    let ports = (0..places).filter_map(|step| {
        let place = u16::try_from(start.wrapping_add(step) % places).ok()?;
        Some(SEARCH_FROM + place * PORTS)
    });
    ports
        .map(|port| Endpoints::from_port(ip, port))
        .filter(|endpoints| taken.is_none_or(|taken| endpoints.shared_with(taken).is_none()))
        .find(|endpoints| check(region, endpoints).is_ok())
        .ok_or(DemoError::NoPorts { from: SEARCH_FROM, to: SEARCH_TO, flag: region.flag() })
}

fn check(region: Region, endpoints: &Endpoints) -> Result<(), DemoError> {
    let bound = [
        ("Kafka clients", endpoints.kafka, TcpListener::bind(endpoints.kafka).err()),
        ("the link", endpoints.link, UdpSocket::bind(endpoints.link).err()),
        ("its admin page", endpoints.admin, TcpListener::bind(endpoints.admin).err()),
    ];
    for (what, address, error) in bound {
        let flag = region.flag();
        match error {
            None => {}
            Some(error) if error.kind() == ErrorKind::AddrInUse => {
                return Err(DemoError::PortTaken { region, what, address, flag });
            }
            Some(source) => return Err(DemoError::Port { region, what, address, flag, source }),
        }
    }
    Ok(())
}

impl Endpoints {
    fn from_port(ip: IpAddr, port: u16) -> Self {
        let at = |beside: u16| SocketAddr::new(ip, port + beside);
        Self { kafka: at(0), link: at(1), admin: at(2) }
    }

    fn shared_with(&self, other: &Self) -> Option<SocketAddr> {
        let all = [other.kafka, other.link, other.admin];
        [self.kafka, self.link, self.admin].into_iter().find(|address| all.contains(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any() -> ListenAddress {
        "127.0.0.1:0".parse().expect("an address")
    }

    #[test]
    fn port_0_finds_three_free_ports_for_each_region() {
        let [east, west] = claim(any(), any()).expect("there are free ports");
        assert_eq!(east.link.port(), east.kafka.port() + 1);
        assert_eq!(east.admin.port(), east.kafka.port() + 2);
        assert_eq!(east.shared_with(&west), None);
    }

    #[test]
    fn a_taken_port_is_named_with_its_use_and_the_flag() {
        let [_, west] = claim(any(), any()).expect("there are free ports");
        let _taken = TcpListener::bind(west.admin).expect("it was free");
        let refused = claim(any(), ListenAddress(west.kafka)).expect_err("it is taken").to_string();
        for word in [&west.admin.to_string(), "eu-west", "admin", "--west"] {
            assert!(refused.contains(word), "no {word} in: {refused}");
        }
    }

    #[test]
    fn regions_that_overlap_are_refused() {
        let [east, _] = claim(any(), any()).expect("there are free ports");
        let refused = claim(ListenAddress(east.kafka), ListenAddress(east.admin));
        assert!(matches!(refused, Err(DemoError::Overlap { address }) if address == east.admin));
    }

    #[test]
    fn addresses_are_read_with_localhost_and_without_overflow() {
        assert_eq!("localhost:19092".parse(), Ok(ListenAddress("127.0.0.1:19092".parse().expect("one"))));
        assert!("somewhere:19092".parse::<ListenAddress>().is_err());
        assert!("127.0.0.1:65534".parse::<ListenAddress>().is_err());
    }
}
