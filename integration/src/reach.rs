//! Connections to processes in network namespaces of this machine: a socket belongs to the namespace that it was made in,
//! so a thread that enters for a moment brings one back, and no route leads from here to there.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr, TcpStream},
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use crate::wan::within;

static NAMESPACES: Mutex<BTreeMap<IpAddr, String>> = Mutex::new(BTreeMap::new());

/// An address is reached from within a namespace as long as this is held.
pub(crate) struct Via(IpAddr);

impl Via {
    /// No two of an address at once.
    #[track_caller]
    pub(crate) fn namespace(address: IpAddr, namespace: &str) -> Self {
        let before = namespaces().insert(address, namespace.to_owned());
        assert_eq!(before, None, "{address} is reached through a namespace already");
        Self(address)
    }
}

impl Drop for Via {
    fn drop(&mut self) {
        namespaces().remove(&self.0);
    }
}

pub(crate) fn connect(address: SocketAddr, limit: Duration) -> io::Result<TcpStream> {
    let namespace = namespaces().get(&address.ip()).cloned();
    match namespace {
        None => TcpStream::connect_timeout(&address, limit),
        Some(namespace) => {
            within(&namespace, || TcpStream::connect_timeout(&address, limit)).map_err(io::Error::other)
        }
    }
}

fn namespaces() -> MutexGuard<'static, BTreeMap<IpAddr, String>> {
    NAMESPACES.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
