//! From a node's part of the topology to what the mirror is built over.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, Hasher, RandomState},
    path::{Path, PathBuf},
    sync::Arc,
};

use mirror::{
    driver::{LinkSpec, Peer, Random},
    link::block::CodecChoice,
    ownership::{Datacenter, Members, Settings as UnitSettings, WhenApart},
};
use topology::{Codec, LinkPlan, NodePlan, UnitPlan};

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
    }
}

/// The units that this datacenter is a member of.
pub(crate) fn units(plan: &NodePlan) -> Vec<UnitSettings> {
    let here = Datacenter::from(plan.datacenter.as_str());
    plan.units.iter().map(|unit| unit_settings(unit, &here)).collect()
}

fn unit_settings(unit: &UnitPlan, here: &Datacenter) -> UnitSettings {
    let standbys = unit.standby.iter().map(|standby| Datacenter::from(standby.as_str()));
    let members = Members::new(Datacenter::from(unit.home.as_str()), standbys);
    let when_apart = match unit.when_apart {
        topology::WhenApart::Wait => WhenApart::Wait,
        topology::WhenApart::Quarantine => WhenApart::Quarantine,
    };
    UnitSettings::new(unit.name.as_str(), here.clone(), members, when_apart)
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
