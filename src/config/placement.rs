//! The node that this process is: its part of the topology file, and the settings that follow from it.
//!
//! The topology says where clients reach the node and which broker id it has, so both come from there and cannot be set otherwise.
//! Where it listens follows from the topology too, but a machine behind an address translation may have to listen elsewhere.

use std::fs;

use topology::{NodePlan, Report};

use super::{
    Given, Refusal, Refused, Settings,
    given::{Scalar, Spelling},
    refusal::Unloadable,
};

/// What the topology file gives one node to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placement {
    pub(crate) plan: NodePlan,
    /// Of the whole file.
    pub(crate) digest: String,
    /// What is worth a word about the file all the same.
    pub(crate) warnings: Report,
}

const BROKER_ID: &str = "broker.broker_id";
const ADVERTISE: &str = "broker.advertise";
const LISTEN: &str = "broker.listen";

/// Reads the topology file that is set, if one is, and finds the node in it. `origin` tells where a setting came from.
pub(crate) fn find(
    settings: &Settings,
    origin: impl Fn(&str) -> String,
) -> Result<Option<Placement>, Unloadable> {
    let refused = |setting: &str, problem: String, fix: String| {
        let refusal = Refusal { setting: setting.to_owned(), origin: origin(setting), problem, fix };
        Err(Unloadable::Settings(Refused(vec![refusal])))
    };
    let (file, node) = (settings.topology.as_str(), settings.node.as_str());
    if file.is_empty() {
        if node.is_empty() {
            return Ok(None);
        }
        let problem = format!("there is no topology to find the node {node:?} in");
        return refused("node", problem, "set topology to the file that has it, or remove this".to_owned());
    }
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => {
            let fix = "name a topology file that this user can read".to_owned();
            return refused("topology", format!("cannot read {file}: {error}"), fix);
        }
    };
    let loaded = topology::load(file, &text).map_err(|report| Unloadable::Topology(Box::new(report)))?;
    if node.is_empty() {
        let nodes = loaded.topology.datacenters.iter().flat_map(|datacenter| datacenter.nodes());
        let names: Vec<&str> = nodes.map(|node| node.name.as_str()).collect();
        let fix = format!("set node (--node) to the one to run: {}", names.join(", "));
        return refused("node", "a topology is set, and no node of it".to_owned(), fix);
    }
    match topology::plan(&loaded.topology, node) {
        Ok(plan) => {
            let digest = topology::digest(&loaded.topology);
            Ok(Some(Placement { plan, digest, warnings: loaded.report }))
        }
        Err(unknown) => refused("node", format!("{file} has no node {node:?}"), unknown.fix),
    }
}

impl Placement {
    /// The layer of settings that follow from the topology; right above the defaults.
    pub(super) fn layer(&self) -> Vec<Given> {
        let plan = &self.plan;
        let given = |(name, value): (&str, Scalar)| Given {
            name: name.to_owned(),
            value,
            origin: self.origin(),
            spelling: Spelling::Dotted,
        };
        [
            (BROKER_ID, Scalar::Whole(plan.broker_id.into())),
            (LISTEN, Scalar::Text(plan.kafka.listen_address().to_string())),
            (ADVERTISE, Scalar::Text(plan.kafka.to_string())),
        ]
        .map(given)
        .into()
    }

    /// Settings that say otherwise than the topology.
    pub(super) fn contradicted(&self, settings: &Settings, origin: impl Fn(&str) -> String) -> Vec<Refusal> {
        let declared = [
            (BROKER_ID, settings.broker.broker_id.to_string(), self.plan.broker_id.to_string()),
            (ADVERTISE, settings.broker.advertise.clone(), self.plan.kafka.to_string()),
        ];
        declared
            .into_iter()
            .filter(|(_, set, given)| set != given)
            .map(|(setting, set, given)| Refusal {
                setting: setting.to_owned(),
                origin: origin(setting),
                problem: format!("{set} is not {given}, which is what {} says", self.origin()),
                fix: "remove this, or change the topology file at every node".to_owned(),
            })
            .collect()
    }

    fn origin(&self) -> String {
        format!("{} (node {})", self.warnings.file, self.plan.node)
    }
}
