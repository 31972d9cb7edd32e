//! The demo's world, as it lies on disk before anything runs: a folder, a topology file, certificates.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use certs::{Existing, HostName, InitRequest, IssueRequest};

use super::{
    error::DemoError,
    folder::RunFolder,
    options::DemoOptions,
    ports,
    region::{Endpoints, Region},
};

pub(super) const TOPOLOGY_NAME: &str = "demo";
pub(super) const UNIT: &str = "orders";
pub(super) const TOPIC: &str = "orders.events";
pub(super) const GROUP: &str = "checkout";
pub(super) const PARTITIONS: i32 = 4;
const CERTIFICATE_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Debug)]
pub(super) struct World {
    pub(super) folder: RunFolder,
    east: Endpoints,
    west: Endpoints,
}

impl World {
    /// Finds ports, makes the folder, and writes topology and certificates into it. `now` is when certificates begin.
    pub(super) fn prepare(options: &DemoOptions, now: SystemTime) -> Result<Self, DemoError> {
        let [east, west] = ports::claim(options.east, options.west)?;
        let world = Self { folder: RunFolder::make(options.dir.as_deref())?, east, west };
        let path = world.topology_file();
        fs::write(&path, world.topology()).map_err(|source| DemoError::Folder { path, source })?;
        world.certify(now)?;
        Ok(world)
    }

    pub(super) fn endpoints(&self, region: Region) -> &Endpoints {
        match region {
            Region::East => &self.east,
            Region::West => &self.west,
        }
    }

    pub(super) fn topology_file(&self) -> PathBuf {
        self.folder.path().join("topology.yaml")
    }

    pub(super) fn certificates(&self) -> PathBuf {
        self.folder.path().join("certs")
    }

    pub(super) fn data(&self, region: Region) -> PathBuf {
        self.folder.path().join(region.name())
    }

    pub(super) fn log(&self, region: Region) -> PathBuf {
        self.folder.path().join(format!("{region}.log"))
    }

    fn topology(&self) -> String {
        let datacenter = |region: Region, id: u32| {
            let Endpoints { kafka, link, .. } = self.endpoints(region);
            let node = region.node();
            format!(
                "  {region}:\n    id: {id}\n    nodes: [{{ name: {node}, kafka: \"{kafka}\", link: \"{link}\" }}]\n"
            )
        };
        let link = |from: Region, to: Region| {
            format!(
                "  - from: {from}\n    to: {to}\n    topics: [{{ match: \"orders.*\", mode: replica }}]\n    groups: {{ match: \"checkout*\" }}\n"
            )
        };
        let [east, west] = Region::BOTH;
        [
            format!("version: 1\nname: {TOPOLOGY_NAME}\ndatacenters:\n"),
            datacenter(east, 1),
            datacenter(west, 2),
            "links:\n".to_owned(),
            link(east, west),
            link(west, east),
            format!("failover:\n  - name: {UNIT}\n    topics: [\"orders.*\"]\n    groups: [\"checkout*\"]\n"),
            format!("    home: {east}\n    standby: [{west}]\n"),
        ]
        .concat()
    }

    fn certify(&self, now: SystemTime) -> Result<(), DemoError> {
        let directory = self.certificates();
        let datacenters = Region::BOTH.map(Region::name);
        certs::init(&InitRequest {
            directory: &directory,
            topology: TOPOLOGY_NAME,
            datacenters: &datacenters,
            now,
            existing: Existing::Keep,
        })?;
        for region in Region::BOTH {
            certs::issue(&IssueRequest {
                directory: &directory,
                topology: TOPOLOGY_NAME,
                datacenter: region.name(),
                node: region.node(),
                hosts: &[HostName::Ip(self.endpoints(region).link.ip())],
                lifetime: CERTIFICATE_LIFETIME,
                now,
                existing: Existing::Keep,
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: DemoOptions,
    }

    #[test]
    fn the_topology_is_valid_and_the_unit_has_a_way_back() {
        let line = Line::parse_from(["demo", "--east", "127.0.0.1:0", "--west", "127.0.0.1:0"]);
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let world = World::prepare(&line.options, now).expect("prepared");
        let text = fs::read_to_string(world.topology_file()).expect("written");
        let loaded = topology::load("topology.yaml", &text).expect("valid");
        assert_eq!(loaded.report.to_string(), "", "not even a warning");
        for region in Region::BOTH {
            let plan = topology::plan(&loaded.topology, region.node()).expect("it is in there");
            assert_eq!(plan.datacenter.as_str(), region.name());
            assert!(world.certificates().join("nodes").join(region.node()).join("node.key").is_file());
        }
    }
}
