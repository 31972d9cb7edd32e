//! A layout at one moment: where it is, how it is set, and what it has done.

use std::{fmt, net::Ipv4Addr};

use serde::{Deserialize, Serialize};

use super::{counters::Counters, impairments::Impairments, plan::Name};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub layout: Name,
    pub pid: u32,
    pub seed: u64,
    pub datacenters: Vec<DatacenterReport>,
    pub directions: Vec<DirectionReport>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatacenterReport {
    pub name: Name,
    pub address: Ipv4Addr,
    pub namespace: String,
}

/// One direction of a link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DirectionReport {
    pub from: Name,
    pub to: Name,
    /// The same at both ends.
    pub device: String,
    pub impairments: Impairments,
    /// None of a dead link, whose devices are gone.
    pub counters: Option<Counters>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "layout {}, process {}, seed {}", self.layout, self.pid, self.seed)?;
        for datacenter in &self.datacenters {
            writeln!(f, "  {}  {}  namespace {}", datacenter.name, datacenter.address, datacenter.namespace)?;
        }
        for direction in &self.directions {
            let DirectionReport { from, to, device, impairments, counters } = direction;
            writeln!(f, "{from} -> {to} ({device}): {impairments}")?;
            match counters {
                Some(counters) => writeln!(f, "  {counters}")?,
                None => writeln!(f, "  dead: a device is gone")?,
            }
        }
        Ok(())
    }
}
