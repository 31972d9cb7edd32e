//! Isthmus: daemons of the binary that this workspace builds, with certificates and a topology made by its own commands.

use std::{fs, net::SocketAddr, path::Path, sync::Arc};

use tempfile::TempDir;

use super::{
    node::Node,
    place::{Place, Places},
    process::Role,
    side::{Acks, Lone, Purpose, Side, World},
};
use crate::{
    Metrics, binary,
    datacenters::{EAST, WEST, issue},
    http,
    load::topic,
};

const EAST_NODE: &str = "east-1";
const WEST_NODE: &str = "west-1";
const UNIT: &str = "moved";

pub(crate) struct Isthmus;

impl Side for Isthmus {
    fn name(&self) -> &'static str {
        "Isthmus"
    }

    fn configs(&self, acks: Acks) -> &'static topic::Configs {
        match acks {
            Acks::PageCache => &[("write.caching", "true")],
            Acks::Synced => &[],
        }
    }

    fn broker(&self, place: &Arc<dyn Place>) -> Lone {
        let folder = folder();
        let node = daemon(Role::Broker, place, place.free(), folder.path(), "alone", &[]);
        Lone { node, _folder: folder }
    }

    fn world(&self, places: &Places, purpose: Purpose) -> World {
        let folder = folder();
        let (source, target) = (Addresses::at(&places.source), Addresses::at(&places.target));
        let file = folder.path().join("topology.yaml");
        fs::write(&file, topology(&source, &target, purpose)).expect("the topology can be written");
        let certs = folder.path().join("certs");
        issue(&certs, &file, &[EAST_NODE, WEST_NODE]);
        let node = |role, place: &Arc<dyn Place>, addresses: &Addresses, name: &str| {
            let certs = certs.join("nodes").join(name);
            let more = [
                "--topology",
                &file.display().to_string(),
                "--node",
                name,
                "--certs",
                &certs.display().to_string(),
            ]
            .map(str::to_owned);
            let mut node = daemon(role, place, addresses.kafka, folder.path(), name, &more);
            node.start();
            node
        };
        let source = node(Role::Source, &places.source, &source, EAST_NODE);
        let target = node(Role::Target, &places.target, &target, WEST_NODE);
        World { source, target, mirror: None, _folder: folder }
    }

    fn fail_over(&self, world: &World) {
        let admin = world.target.admin.expect("a daemon has an admin listener").to_string();
        let mut command = binary::command();
        command.args(["failover", UNIT, "--to", WEST, "--unplanned", "--admin", &admin]);
        let output = command.output().expect("the binary starts");
        assert!(output.status.success(), "the failover: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn wire_bytes(&self, world: &World) -> Option<f64> {
        let (_, text) = http::get(world.target.admin?, "/metrics").ok()?;
        Some(Metrics::parse(&text).sum(&["isthmus_mirror_link_received_bytes_total"]))
    }
}

/// Of a node.
struct Addresses {
    kafka: SocketAddr,
    link: SocketAddr,
}

impl Addresses {
    fn at(place: &Arc<dyn Place>) -> Self {
        Self { kafka: place.free(), link: place.free() }
    }
}

/// The defaults of `isthmus run`, but for what makes two daemons run side by side, and groups form at once.
fn daemon(
    role: Role,
    place: &Arc<dyn Place>,
    kafka: SocketAddr,
    folder: &Path,
    name: &str,
    more: &[String],
) -> Node {
    let admin = place.free();
    let settings = folder.join(format!("{name}.toml"));
    fs::write(&settings, "broker.groups.initial_rebalance_delay_ms = 0\n").expect("settings can be written");
    let data = folder.join(format!("{name}.data"));
    let arguments: Vec<String> = [
        ["run".to_owned(), "--data".to_owned(), data.display().to_string()].as_slice(),
        &["--listen".to_owned(), kafka.to_string(), "--admin".to_owned(), admin.to_string()],
        &["--config".to_owned(), settings.display().to_string()],
        more,
    ]
    .concat();
    let place = Arc::clone(place);
    let command = move || {
        let mut command = binary::without_settings(place.command(binary::path()));
        command.args(&arguments);
        command
    };
    Node::new(role, kafka, Some(admin), folder.join(format!("{name}.log")), command)
}

fn folder() -> TempDir {
    tempfile::Builder::new().prefix("isthmus-bench-").tempdir().expect("a temporary folder")
}

fn topology(source: &Addresses, target: &Addresses, purpose: Purpose) -> String {
    let link = |from: &str, to: &str| {
        format!(
            "  - from: {from}\n    to: {to}\n    topics:\n      - {{ match: \"m.*\", mode: replica }}\n    groups: {{ match: \"*\" }}\n"
        )
    };
    let flows = match purpose {
        Purpose::Mirror | Purpose::Faults => format!("links:\n{}", link(EAST, WEST)),
        Purpose::Failover => format!(
            "links:\n{}{}failover:\n  - {{ name: {UNIT}, topics: [\"m.*\"], groups: [\"*\"], home: {EAST}, standby: [{WEST}] }}\n",
            link(EAST, WEST),
            link(WEST, EAST)
        ),
    };
    let datacenter = |name: &str, id: u32, node: &str, at: &Addresses| {
        format!(
            "  {name}:\n    id: {id}\n    nodes:\n      - {{ name: {node}, kafka: \"{}\", link: \"{}\" }}\n",
            at.kafka, at.link
        )
    };
    format!(
        "version: 1\nname: bench\ndatacenters:\n{}{}{flows}",
        datacenter(EAST, 1, EAST_NODE, source),
        datacenter(WEST, 2, WEST_NODE, target)
    )
}
