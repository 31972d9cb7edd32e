//! Two datacenters, us-east and eu-west: certificates, a topology file and a daemon in each, made by the commands that
//! operators use.

use std::{
    fmt::Write as _,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Output,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{Daemon, DaemonBuilder, Relay, binary, eventually, ports};

pub const EAST: &str = "us-east";
pub const WEST: &str = "eu-west";

/// A node of the test's world.
#[derive(Clone, Copy)]
struct Site {
    datacenter: &'static str,
    node: &'static str,
    id: u32,
    kafka: SocketAddr,
    link: SocketAddr,
}

/// What the two datacenters are started with.
pub struct DatacentersBuilder {
    east: DaemonBuilder,
    west: DaemonBuilder,
    flows: String,
    relayed: bool,
    certificates: Certificates,
    west_believes: Box<dyn FnOnce(String) -> String>,
}

/// Makes the certificates of both nodes in a directory, for the topology files of east and west.
type Certificates = Box<dyn FnOnce(&Path, &Path, &Path)>;

/// Two datacenters, running. `east` is where things begin; `west` is what they are mirrored to.
pub struct Datacenters {
    pub east: Daemon,
    pub west: Daemon,
    /// On the way to the link listeners of east and west, when the world was built with a network that can be cut.
    relays: Vec<Relay>,
    folder: TempDir,
}

impl DatacentersBuilder {
    /// The `links` and `failover` parts of the topology file.
    pub fn flows(mut self, yaml: &str) -> Self {
        yaml.clone_into(&mut self.flows);
        self
    }

    pub fn east(mut self, change: impl FnOnce(DaemonBuilder) -> DaemonBuilder) -> Self {
        self.east = change(self.east);
        self
    }

    pub fn west(mut self, change: impl FnOnce(DaemonBuilder) -> DaemonBuilder) -> Self {
        self.west = change(self.west);
        self
    }

    /// The datacenters talk through relays that can be cut.
    pub fn relayed(mut self) -> Self {
        self.relayed = true;
        self
    }

    /// Makes the certificates in another way.
    pub fn certificates(mut self, make: impl FnOnce(&Path, &Path, &Path) + 'static) -> Self {
        self.certificates = Box::new(make);
        self
    }

    /// West gets a topology file that says something else.
    pub fn west_believes(mut self, change: impl FnOnce(String) -> String + 'static) -> Self {
        self.west_believes = Box::new(change);
        self
    }

    /// Makes the files and starts both daemons.
    #[track_caller]
    pub fn start(self) -> Datacenters {
        let folder = tempfile::Builder::new().prefix("isthmus-world-").tempdir().expect("a temporary folder");
        let site =
            |datacenter, node, id| Site { datacenter, node, id, kafka: ports::free(), link: ports::free() };
        let (east, west) = (site(EAST, "east-1", 1), site(WEST, "west-1", 2));
        let relays: Vec<Relay> =
            if self.relayed { [east, west].map(|site| Relay::to(site.link)).into() } else { Vec::new() };
        let seen = |site: Site, at: usize| {
            relays.get(at).map_or(site, |relay| Site { link: relay.address(), ..site })
        };
        // A node listens where its own file says, and dials where that file says the other one is.
        let write = |site: Site, file: String| {
            fs::write(topology(folder.path(), site.node), file).expect("the topology can be written");
        };
        write(east, file(&[east, seen(west, 1)], &self.flows));
        write(west, (self.west_believes)(file(&[seen(east, 0), west], &self.flows)));
        let certs = folder.path().join("certs");
        (self.certificates)(&certs, &topology(folder.path(), "east-1"), &topology(folder.path(), "west-1"));
        let start = |builder: DaemonBuilder, site: Site| {
            builder
                .listen(site.kafka)
                .flag("--topology", topology(folder.path(), site.node).display())
                .flag("--node", site.node)
                .flag("--certs", certs.join("nodes").join(site.node).display())
                .start()
        };
        Datacenters { east: start(self.east, east), west: start(self.west, west), relays, folder }
    }
}

impl Datacenters {
    pub fn builder() -> DatacentersBuilder {
        DatacentersBuilder {
            east: Daemon::builder(),
            west: Daemon::builder(),
            flows: String::new(),
            relayed: false,
            certificates: Box::new(|certs, east, _| issue(certs, east, &["east-1", "west-1"])),
            west_believes: Box::new(|file| file),
        }
    }

    /// Every topic of east that starts with `m.` is a replica in west, with all groups.
    pub fn mirror() -> DatacentersBuilder {
        Self::builder().flows(&link(EAST, WEST, "{ match: \"m.*\", mode: replica }"))
    }

    /// A failover unit `orders` of topics `orders.*` and groups `checkout*`, at home in east, with links both ways.
    pub fn unit(when_apart: &str) -> DatacentersBuilder {
        let rule = "{ match: \"orders.*\", mode: replica }";
        let links = link(EAST, WEST, rule) + link(WEST, EAST, rule).trim_start_matches("links:\n");
        let unit = format!(
            "failover:\n  - {{ name: orders, topics: [\"orders.*\"], groups: [\"checkout*\"], home: {EAST}, standby: [{WEST}], \
             when_apart: {when_apart} }}\n"
        );
        Self::builder().flows(&(links + &unit))
    }

    #[track_caller]
    pub fn cut(&self) {
        assert!(!self.relays.is_empty(), "this world's network cannot be cut");
        self.relays.iter().for_each(Relay::cut);
    }

    pub fn restore(&self) {
        self.relays.iter().for_each(Relay::restore);
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Waits until west has everything that east has of a topic, at the same offsets.
    #[track_caller]
    pub fn await_mirrored(&self, topic: &str, partitions: i32) {
        for partition in 0..partitions {
            eventually(&format!("{topic}-{partition} to be mirrored"), || {
                let end = crate::produce::log_end(self.east.address(), topic, partition)?;
                (crate::produce::log_end(self.west.address(), topic, partition)? == end).then_some(())
            });
        }
    }

    /// Waits until the two logs of every partition of a topic are the same bytes.
    #[track_caller]
    pub fn assert_identical(&self, topic: &str, partitions: i32) {
        self.await_mirrored(topic, partitions);
        for partition in 0..partitions {
            let east = crate::produce::raw_log(self.east.address(), topic, partition);
            let west = crate::produce::raw_log(self.west.address(), topic, partition);
            assert!(
                east == west,
                "{topic}-{partition}: {} bytes in east, {} in west, or others",
                east.len(),
                west.len()
            );
        }
    }
}

/// A `links` section with one link that carries what a topic rule says, and all groups.
pub fn link(from: &str, to: &str, rule: &str) -> String {
    format!(
        "links:\n  - from: {from}\n    to: {to}\n    topics:\n      - {rule}\n    groups: {{ match: \"*\" }}\n"
    )
}

/// Runs an operator's command against a daemon; its JSON, and whether it was done.
#[track_caller]
pub fn ask(daemon: &Daemon, arguments: &[&str]) -> (bool, Value) {
    let output = command(daemon, arguments);
    let said = String::from_utf8_lossy(&output.stdout);
    let json = serde_json::from_str(&said).unwrap_or(Value::Null);
    if json.is_null() && output.status.success() {
        panic!("{arguments:?} printed no JSON: {said}\n{}", String::from_utf8_lossy(&output.stderr));
    }
    (output.status.success(), json)
}

/// Runs an operator's command against a daemon, with `--json`.
#[track_caller]
pub fn command(daemon: &Daemon, arguments: &[&str]) -> Output {
    let mut command = binary::command();
    command.args(arguments).args(["--json", "--admin", &daemon.admin_address().to_string()]);
    command.output().expect("the binary starts")
}

/// Makes the authority of a topology and the certificates of its nodes.
#[track_caller]
pub fn issue(certs: &Path, topology: &Path, nodes: &[&str]) {
    let run = |arguments: &[&str]| {
        let mut command = binary::command();
        command.arg("certs").args(arguments).arg("--topology").arg(topology).arg("--dir").arg(certs);
        let output = command.output().expect("the binary starts");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    run(&["init"]);
    for node in nodes {
        run(&["issue", "--node", node]);
    }
}

fn topology(folder: &Path, node: &str) -> PathBuf {
    folder.join(format!("{node}.yaml"))
}

fn file(sites: &[Site], flows: &str) -> String {
    let mut file = "version: 1\nname: shop\ndatacenters:\n".to_owned();
    for Site { datacenter, node, id, kafka, link } in sites {
        write!(
            file,
            "  {datacenter}:\n    id: {id}\n    nodes:\n      - {{ name: {node}, kafka: \"{kafka}\", link: \"{link}\" }}\n"
        )
        .expect("a string can be written");
    }
    file + flows
}
