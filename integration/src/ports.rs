//! Ports for daemons.
//!
//! They lie below the range from which the system takes the ports of outgoing connections. Otherwise a client that
//! keeps dialling a daemon that was just killed could take its port, or connect to itself on it.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

const FIRST: u32 = 15_000;
const COUNT: u32 = 17_000;
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A loopback address that nobody listens on, not given out twice by this process.
pub(crate) fn free() -> SocketAddr {
    // Test processes that run at once start far apart.
    let start = process::id().wrapping_mul(7_919);
    for _ in 0..COUNT {
        let at = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let port = u16::try_from(FIRST + at).expect("the range ends below 65536");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no free port from {FIRST} to {}", FIRST + COUNT);
}
