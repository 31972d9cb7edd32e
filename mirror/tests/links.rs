//! Links over real QUIC on loopback, between two datacenters of plain logs.

mod support;

use std::{path::Path, sync::Arc};

use core_log::{clock::SystemClock, storage::MemoryStorage};
use mirror::{
    driver::{LinkSpec, Peer, Random},
    link::block::CodecChoice,
    mirror::{Mirror, MirrorParts, MirrorSettings},
};
use protocol::batch::Compression;

use support::{Authority, Everything, NoUnits, Site, batch, soon};

fn peer(datacenter: &str) -> Peer {
    Peer { datacenter: datacenter.to_owned(), node: format!("{datacenter}-1") }
}

fn site(seed: u64) -> Site {
    Site::new(Arc::new(MemoryStorage::new(seed)), Path::new("/logs"))
}

/// A link from `east` to `west`; the peer's address matters where it is dialled.
fn link(other: &str, address: String) -> LinkSpec {
    LinkSpec {
        from: "east".into(),
        to: "west".into(),
        rules: Arc::new(Everything),
        peers: [(peer(other), address)].into(),
        compression: CodecChoice::Auto,
    }
}

async fn start(authority: &Authority, here: &str, site: &Site, link: LinkSpec) -> Mirror {
    let parts = MirrorParts {
        units: Vec::new(),
        here: peer(here),
        topology: "digest".to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        links: vec![link],
        membership: Arc::new(NoUnits),
        credentials: authority.issue(&peer(here)),
        ports: site.ports(),
        clock: Arc::new(SystemClock::new()),
        random: Random::new(|| 4),
        storage: Arc::new(MemoryStorage::new(9)),
        tables: "/tables".into(),
    };
    Mirror::open(MirrorSettings::default(), parts).await.unwrap().start().await.unwrap()
}

fn values(from: usize, count: usize) -> Vec<bytes::BytesMut> {
    (from..from + count)
        .map(|number| {
            let value = format!("value {number} ").repeat(20);
            let compression = if number.is_multiple_of(3) { Compression::Lz4 } else { Compression::None };
            batch(compression, &[value.as_bytes(), b"second"])
        })
        .collect()
}

#[tokio::test]
async fn back_fill_and_live_records_arrive_byte_for_byte() {
    let authority = Authority::new();
    let (east, west) = (site(1), site(2));
    let topic = east.create_topic("orders", 7, 3);
    for partition in 0..3 {
        east.produce(topic, partition, values(0, 400)).await;
    }
    let source = start(&authority, "east", &east, link("west", String::new())).await;
    let target = start(&authority, "west", &west, link("east", source.address().to_string())).await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    eprintln!(
        "{:#?}\n{:#?} {:?} {:?}",
        target.status().await,
        source.status().await,
        source.metrics(),
        target.metrics()
    );
    for partition in 0..3 {
        soon("the back-fill", west.reaches(topic, partition, 800)).await;
    }
    for round in 0..20 {
        east.produce(topic, 1, values(1_000 + round, 1)).await;
        soon("a live record", west.reaches(topic, 1, 802 + 2 * round as i64)).await;
    }
    for partition in 0..3 {
        assert_eq!(west.bytes(topic, partition), east.bytes(topic, partition));
    }
    target.shutdown().await;
    source.shutdown().await;
}
