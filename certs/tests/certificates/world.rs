//! A directory of certificates for tests, and clocks that stand still.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use certs::{
    AllowedPeers, Existing, InitRequest, IssueRequest, LinkTls, NodeCredentials, NodeIdentity, Refusal,
};
use rustls::time_provider::TimeProvider;
use rustls_pki_types::UnixTime;
use tempfile::TempDir;

pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Noon of some day.
pub(crate) fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + DAY * 20_000 + DAY / 2
}

pub(crate) fn id(topology: &str, datacenter: &str, node: &str) -> NodeIdentity {
    NodeIdentity::from_names(topology, datacenter, node).expect("three labels")
}

/// One topology's CA.
pub(crate) struct World {
    pub(crate) topology: &'static str,
    pub(crate) folder: TempDir,
}

impl World {
    pub(crate) fn new(topology: &'static str, datacenters: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let request = InitRequest {
            directory: folder.path(),
            topology,
            datacenters,
            now: noon(),
            existing: Existing::Keep,
        };
        let _ = certs::init(&request).expect("a CA");
        Self { topology, folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn node_folder(&self, node: &str) -> PathBuf {
        self.path().join("nodes").join(node)
    }

    pub(crate) fn request<'a>(&'a self, datacenter: &'a str, node: &'a str) -> IssueRequest<'a> {
        IssueRequest {
            directory: self.path(),
            topology: self.topology,
            datacenter,
            node,
            hosts: &[],
            lifetime: certs::limits::NODE_LIFETIME,
            now: noon(),
            existing: Existing::Replace,
        }
    }

    /// Issues a certificate and loads it.
    pub(crate) fn node(&self, datacenter: &str, node: &str) -> NodeCredentials {
        let _ = certs::issue(&self.request(datacenter, node)).expect("a certificate");
        self.load(datacenter, node)
    }

    pub(crate) fn load(&self, datacenter: &str, node: &str) -> NodeCredentials {
        NodeCredentials::load(&self.node_folder(node), &id(self.topology, datacenter, node))
            .expect("credentials")
    }
}

/// One end of a connection: configurations, and what it refused.
pub(crate) struct End {
    pub(crate) tls: LinkTls,
    pub(crate) allowed: Arc<AllowedPeers>,
    pub(crate) refused: Arc<Mutex<Vec<Refusal>>>,
}

impl End {
    pub(crate) fn new(credentials: &NodeCredentials, allowed: &[NodeIdentity], now: SystemTime) -> Self {
        let refused = Arc::new(Mutex::new(Vec::new()));
        let heard = refused.clone();
        let on_refusal =
            Arc::new(move |refusal: &Refusal| heard.lock().expect("no panic").push(refusal.clone()));
        let tls = LinkTls::new(credentials, Arc::new(Stopped(now)), on_refusal).expect("configurations");
        Self { tls, allowed: Arc::new(AllowedPeers::new(allowed.iter().cloned())), refused }
    }

    pub(crate) fn refused(&self) -> Vec<Refusal> {
        self.refused.lock().expect("no panic").clone()
    }
}

#[derive(Debug)]
pub(crate) struct Stopped(SystemTime);

impl TimeProvider for Stopped {
    fn current_time(&self) -> Option<UnixTime> {
        let since = self.0.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        Some(UnixTime::since_unix_epoch(since))
    }
}
