//! Two datacenters with a link from `east` to `west`.

use std::{net::SocketAddr, path::Path, sync::Arc};

use core_log::{LogConfig, Storage, clock::SystemClock, storage::MemoryStorage};
use mirror::{
    driver::{LinkRules, LinkSpec, Peer, Random, ResetKey, TransportSettings},
    link::block::CodecChoice,
    mirror::{Mirror, MirrorParts, MirrorSettings},
    ownership::{Members, Membership, Settings, WhenApart},
    ports::{Assignment, BatchSink, Ports},
};
use tokio::sync::watch;

use super::{AllIn, Authority, Everything, NoUnits, Site, site::valve};

pub(crate) struct World {
    pub(crate) authority: Authority,
    pub(crate) east: Site,
    pub(crate) west: Site,
    pub(crate) transport: TransportSettings,
    pub(crate) rules: Arc<dyn LinkRules>,
    pub(crate) compression: CodecChoice,
    /// While true, nothing is appended in the west.
    pub(crate) west_valve: watch::Sender<bool>,
    /// Of the source; the same over its restarts.
    pub(crate) east_key: ResetKey,
    /// Everything is in this failover unit, at home in the east.
    pub(crate) unit: Option<&'static str>,
    /// Of the topology file that the east runs.
    pub(crate) east_digest: &'static str,
    /// The disk of the translation tables.
    pub(crate) tables: MemoryStorage,
}

pub(crate) fn peer(datacenter: &str) -> Peer {
    Peer { datacenter: datacenter.to_owned(), node: format!("{datacenter}-1") }
}

pub(crate) fn reset_key(byte: u8) -> ResetKey {
    ResetKey::new([byte; ResetKey::LENGTH])
}

impl World {
    pub(crate) fn new() -> Self {
        let storage = |seed| Arc::new(MemoryStorage::new(seed)) as Arc<dyn Storage>;
        Self::over((storage(1), Path::new("/logs")), (storage(2), Path::new("/logs")))
    }

    pub(crate) fn over(east: (Arc<dyn Storage>, &Path), west: (Arc<dyn Storage>, &Path)) -> Self {
        let (west_valve, closed) = valve();
        Self {
            authority: Authority::new(),
            east: Site::new(east.0, east.1),
            west: Site::with(west.0, west.1, LogConfig::default(), closed),
            transport: TransportSettings::default(),
            rules: Arc::new(Everything),
            compression: CodecChoice::Auto,
            west_valve,
            east_key: reset_key(1),
            unit: None,
            east_digest: "77",
            tables: MemoryStorage::new(3),
        }
    }

    /// The source, at this address or any.
    pub(crate) async fn source(&self, listen: Option<SocketAddr>) -> Mirror {
        let listen = listen.unwrap_or_else(|| "127.0.0.1:0".parse().unwrap());
        self.start("east", self.east.ports(), ("west", String::new()), listen).await
    }

    /// The target, which dials `source`.
    pub(crate) async fn target(&self, source: SocketAddr) -> Mirror {
        let listen = "127.0.0.1:0".parse().unwrap();
        self.start("west", self.west.ports(), ("east", source.to_string()), listen).await
    }

    /// A target that carries what it is assigned.
    pub(crate) async fn target_of(&self, source: SocketAddr, assignment: Arc<dyn Assignment>) -> Mirror {
        let listen = "127.0.0.1:0".parse().unwrap();
        let ports = Ports { assignment, ..self.west.ports() };
        self.start("west", ports, ("east", source.to_string()), listen).await
    }

    /// A target whose records go there.
    pub(crate) async fn target_into(&self, source: SocketAddr, sink: Arc<dyn BatchSink>) -> Mirror {
        let listen = "127.0.0.1:0".parse().unwrap();
        let ports = Ports { sink, ..self.west.ports() };
        self.start("west", ports, ("east", source.to_string()), listen).await
    }

    fn units(&self, here: &str) -> Vec<Settings> {
        let members = || Members::new("east".into(), ["west".into()]);
        let unit = |unit| Settings::new(unit, here.into(), members(), WhenApart::Wait);
        self.unit.into_iter().map(unit).collect()
    }

    async fn start(&self, here: &str, ports: Ports, other: (&str, String), listen: SocketAddr) -> Mirror {
        let link = LinkSpec {
            from: "east".into(),
            to: "west".into(),
            rules: Arc::clone(&self.rules),
            peers: [(peer(other.0), other.1)].into(),
            compression: self.compression,
            rate: None,
        };
        let none = || Arc::new(NoUnits) as Arc<dyn Membership + Send + Sync>;
        let parts = MirrorParts {
            units: self.units(here),
            here: peer(here),
            topology: "shop".to_owned(),
            digest: if here == "east" { self.east_digest } else { "77" }.to_owned(),
            listen,
            links: vec![link],
            membership: self.unit.map_or_else(none, |unit| Arc::new(AllIn(unit))),
            credentials: self.authority.issue(&peer(here)),
            ports,
            clock: Arc::new(SystemClock::new()),
            random: Random::new(|| 4),
            reset_key: if here == "east" { self.east_key.clone() } else { reset_key(2) },
            storage: Arc::new(self.tables.clone()),
            tables: "/tables".into(),
        };
        let settings = MirrorSettings { transport: self.transport.clone() };
        Mirror::open(settings, parts).await.unwrap().start().await.unwrap()
    }
}
