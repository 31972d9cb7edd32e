//! `isthmus certs init | issue | show`: the certificate authority of a topology, its nodes' certificates, and their state.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use clap::Subcommand;

use certs::{
    CertsError, Created, Existing, HostName, InitRequest, Inventory, IssueRequest,
    limits::{NODE_LIFETIME, NODE_LIFETIME_MAX},
};
use topology::{Endpoint, Site, Topology};

use super::{Answer, topology_file};
use crate::exit;

const DAY_SECONDS: u64 = 24 * 60 * 60;

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub(crate) enum CertsCommand {
    /// Make the root and a CA for every datacenter of the topology; keeps what is there.
    Init {
        /// The topology file.
        #[arg(long, value_name = "FILE")]
        topology: PathBuf,
        /// The directory that gets `ca/`.
        #[arg(long, value_name = "DIR", default_value = "certs")]
        dir: PathBuf,
    },
    /// Issue the certificate of a node, signed by its datacenter's CA.
    Issue {
        /// The topology file.
        #[arg(long, value_name = "FILE")]
        topology: PathBuf,
        /// The directory with `ca/`, which gets `nodes/NAME/`.
        #[arg(long, value_name = "DIR", default_value = "certs")]
        dir: PathBuf,
        /// The node, as the topology names it.
        #[arg(long, value_name = "NAME")]
        node: String,
        /// How long it lives.
        #[arg(long, value_name = "DAYS", default_value_t = NODE_LIFETIME.as_secs() / DAY_SECONDS,
            value_parser = clap::value_parser!(u64).range(1..=NODE_LIFETIME_MAX.as_secs() / DAY_SECONDS))]
        days: u64,
        /// Put it in the place of the one that is there.
        #[arg(long)]
        replace: bool,
    },
    /// Show every certificate; exits with 1 if one has expired, is not valid yet, or has little of its life left.
    Show {
        /// The directory with `ca/` and `nodes/`.
        #[arg(long, value_name = "DIR", default_value = "certs")]
        dir: PathBuf,
        /// As one JSON object.
        #[arg(long)]
        json: bool,
    },
}

/// `now` is when certificates begin, and what their validity is judged by.
pub(crate) fn answer(command: &CertsCommand, now: SystemTime) -> Answer {
    let answered = match command {
        CertsCommand::Init { topology, dir } => {
            topology_file::load(topology).map(|loaded| init(&loaded.topology, dir, now))
        }
        CertsCommand::Issue { topology, dir, node, days, replace } => {
            let lifetime = Duration::from_secs(days * DAY_SECONDS);
            let existing = if *replace { Existing::Replace } else { Existing::Keep };
            topology_file::load(topology)
                .map(|loaded| issue(&loaded.topology, &Wish { dir, node, lifetime, existing }, now))
        }
        CertsCommand::Show { dir, json } => Ok(show(certs::inventory(dir, now), *json)),
    };
    answered.unwrap_or_else(|refused| refused)
}

fn init(topology: &Topology, directory: &Path, now: SystemTime) -> Answer {
    let own = |site: &Site| matches!(site, Site::Isthmus { .. });
    let datacenters: Vec<&str> = topology
        .datacenters
        .iter()
        .filter(|datacenter| own(&datacenter.site))
        .map(|datacenter| datacenter.name.as_str())
        .collect();
    created(certs::init(&InitRequest {
        directory,
        topology: topology.name.as_str(),
        datacenters: &datacenters,
        now,
        existing: Existing::Keep,
    }))
}

/// The certificate that is wanted.
struct Wish<'a> {
    dir: &'a Path,
    node: &'a str,
    lifetime: Duration,
    existing: Existing,
}

fn issue(topology: &Topology, wish: &Wish<'_>, now: SystemTime) -> Answer {
    let plan = match topology::plan(topology, wish.node) {
        Ok(plan) => plan,
        Err(unknown) => return Answer::refused(unknown),
    };
    let hosts = match hosts([Some(&plan.kafka), plan.link.as_ref()]) {
        Ok(hosts) => hosts,
        Err(error) => return Answer::failed(error),
    };
    created(certs::issue(&IssueRequest {
        directory: wish.dir,
        topology: plan.topology.as_str(),
        datacenter: plan.datacenter.as_str(),
        node: plan.node.as_str(),
        hosts: &hosts,
        lifetime: wish.lifetime,
        now,
        existing: wish.existing,
    }))
}

/// Each host of the node's endpoints once.
fn hosts(endpoints: [Option<&Endpoint>; 2]) -> Result<Vec<HostName>, CertsError> {
    let mut hosts: Vec<HostName> = Vec::new();
    for endpoint in endpoints.into_iter().flatten() {
        let host = endpoint.host().parse()?;
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    Ok(hosts)
}

fn created(made: Result<Created, CertsError>) -> Answer {
    match made {
        Ok(Created { written, kept }) => {
            let written = written.iter().map(|path| format!("wrote {}\n", path.display()));
            let kept = kept.iter().map(|path| format!("kept  {}\n", path.display()));
            Answer::done(written.chain(kept).collect::<String>())
        }
        Err(CertsError::Exists { path }) => Answer::failed(format!(
            "{} is there already; nothing was overwritten. To put a new certificate in its place, add --replace",
            path.display()
        )),
        Err(error) => Answer::failed(error),
    }
}

fn show(inventory: Result<Inventory, CertsError>, json: bool) -> Answer {
    match inventory {
        Ok(inventory) => {
            let code = if inventory.needs_attention() { exit::FAILED } else { exit::DONE };
            let answer =
                if json { Answer::json(&inventory.to_json()) } else { Answer::done(inventory.to_string()) };
            answer.with_code(code)
        }
        Err(error) => Answer::failed(error),
    }
}
