//! What this host knows of the way to a peer.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
};

use rustix::net::sockopt;

/// How large packets towards `peer` may be: what its first hop takes, or less if a router has said so. `None` if the system does not
/// tell. Nothing is sent.
pub(super) fn mtu(peer: SocketAddr) -> Option<u32> {
    ask(SocketAddr::new(peer.ip().to_canonical(), peer.port())).ok()
}

fn ask(peer: SocketAddr) -> io::Result<u32> {
    let any = match peer {
        SocketAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::from(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(peer)?;
    let mtu = if peer.is_ipv4() { sockopt::ip_mtu(&socket) } else { sockopt::ipv6_mtu(&socket) };
    Ok(mtu?)
}

#[test]
fn loopback_takes_large_packets_by_either_way_of_writing_it() {
    for peer in ["127.0.0.1:7443", "[::ffff:127.0.0.1]:7443"] {
        assert!(mtu(peer.parse().unwrap()).is_some_and(|mtu| mtu > 9_000), "{peer}");
    }
}
