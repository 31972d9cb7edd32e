//! From a node's part of the topology to what the mirror is built over.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, Hasher, RandomState},
    num::NonZeroU64,
    path::{Path, PathBuf},
    sync::Arc,
};

use mirror::{
    driver::{LinkSpec, Peer, Random},
    link::block::CodecChoice,
    ownership::{self, Datacenter, Members},
};
use topology::{Codec, LinkPlan, Name, NodePlan, UnitPlan, WhenApart};

use super::rules::DeclaredRules;

/// The translation tables, below the data directory.
pub(crate) fn tables(data: &Path) -> PathBuf {
    data.join("translation")
}

pub(crate) fn here(plan: &NodePlan) -> Peer {
    Peer { datacenter: plan.datacenter.to_string(), node: plan.node.to_string() }
}

pub(crate) fn links(plan: &NodePlan) -> Vec<LinkSpec> {
    plan.links().map(link).collect()
}

fn link(link: &LinkPlan) -> LinkSpec {
    let (from, to) = link.name.split_once(':').expect("a link is named FROM:TO");
    let peer = |peer: &topology::Peer| {
        let names = Peer { datacenter: peer.datacenter.to_string(), node: peer.node.to_string() };
        (names, peer.endpoint.to_string())
    };
    LinkSpec {
        from: Datacenter::from(from),
        to: Datacenter::from(to),
        rules: Arc::new(DeclaredRules(link.clone())),
        peers: link.peers.iter().map(peer).collect::<BTreeMap<_, _>>(),
        compression: codec(link.codec),
        rate: link.rate.and_then(|rate| NonZeroU64::new(rate.bytes_per_second())),
    }
}

/// The failover units that this datacenter is a member of.
pub(crate) fn units(plan: &NodePlan) -> Vec<ownership::Settings> {
    plan.units.iter().map(|unit| self::unit(plan, unit)).collect()
}

fn unit(plan: &NodePlan, unit: &UnitPlan) -> ownership::Settings {
    let datacenter = |name: &Name| Datacenter::from(name.as_str());
    let members = Members::new(datacenter(&unit.home), unit.standby.iter().map(datacenter));
    let when_apart = match unit.when_apart {
        WhenApart::Wait => ownership::WhenApart::Wait,
        WhenApart::Quarantine => ownership::WhenApart::Quarantine,
    };
    ownership::Settings::new(unit.name.as_str(), datacenter(&plan.datacenter), members, when_apart)
}

fn codec(codec: Codec) -> CodecChoice {
    match codec {
        Codec::Auto => CodecChoice::Auto,
        Codec::Zstd => CodecChoice::Zstd,
        Codec::Lz4 => CodecChoice::Lz4,
        Codec::Off => CodecChoice::Off,
    }
}

/// Jitter for those who dial again. The standard library draws the keys of its hash maps from the system.
pub(crate) fn random() -> Random {
    Random::new(|| RandomState::new().build_hasher().finish())
}
