//! The node of a topology that this daemon is: what it runs, and what it shows to other datacenters.
//!
//! Its credentials are found, loaded and checked against what the topology calls it, before anything is started.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use certs::{CertsError, NodeCredentials, NodeIdentity, Validity, inspect};
use topology::NodePlan;

use crate::config::{Placement, Settings};

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) plan: NodePlan,
    /// Of the whole topology file.
    pub(crate) digest: String,
    /// There when a link touches the node.
    pub(crate) credentials: Option<NodeCredentials>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum NodeError {
    #[error(
        "there is no certificate of node {node} in {certs} nor in {certs}/nodes/{node}; make one with \
         `isthmus certs init --topology {topology} --dir {certs}` and \
         `isthmus certs issue --topology {topology} --dir {certs} --node {node}`, or set `certs` (--certs) to where it is"
    )]
    NoCertificate { node: String, certs: String, topology: String },
    #[error(
        "the certificate in {file} expired {days} days ago, or that of its CA, and no peer would accept it; issue it again with \
         `isthmus certs issue --topology {topology} --dir DIR --node {node} --replace`, and bring it here"
    )]
    Expired { file: String, days: i64, topology: String, node: String },
    #[error(transparent)]
    Certs(#[from] CertsError),
}

impl Node {
    /// `now` is what the validity of certificates is judged by.
    pub(crate) fn load(
        placement: Placement,
        settings: &Settings,
        now: SystemTime,
    ) -> Result<Self, NodeError> {
        let Placement { plan, digest, warnings } = placement;
        for problem in &warnings.problems {
            tracing::warn!(
                file = warnings.file,
                position = %problem.position,
                rule = problem.rule,
                fix = problem.fix,
                "{}",
                problem.message
            );
        }
        let has_links = plan.links().next().is_some();
        let credentials = if has_links { Some(credentials(&plan, settings, now)?) } else { None };
        Ok(Self { plan, digest, credentials })
    }
}

fn credentials(plan: &NodePlan, settings: &Settings, now: SystemTime) -> Result<NodeCredentials, NodeError> {
    let node = plan.node.as_str();
    let topology = || settings.topology.clone();
    let folder = folder(&settings.certs, node).ok_or_else(|| NodeError::NoCertificate {
        node: node.to_owned(),
        certs: settings.certs.display().to_string(),
        topology: topology(),
    })?;
    let identity = NodeIdentity::from_names(plan.topology.as_str(), plan.datacenter.as_str(), node)
        .map_err(CertsError::from)?;
    let credentials = NodeCredentials::load(&folder, &identity)?;
    let file = folder.join(CERTIFICATE);
    for certificate in inspect(&file, now)? {
        let days = certificate.days_left;
        match certificate.validity {
            Validity::Valid => {}
            Validity::ExpiringSoon => {
                tracing::warn!(file = %file.display(), days, "the certificate expires soon; issue it again");
            }
            // Peers judge by their own clocks, and this machine's may be the one that is wrong.
            Validity::NotYetValid => {
                tracing::warn!(file = %file.display(), "the certificate is not valid yet; check the clock");
            }
            Validity::Expired => {
                let (file, days) = (file.display().to_string(), days.saturating_neg());
                return Err(NodeError::Expired { file, days, topology: topology(), node: node.to_owned() });
            }
        }
    }
    Ok(credentials)
}

const CERTIFICATE: &str = "node.crt";

/// The node's own folder was brought here, or the one with everybody's is at hand.
fn folder(certs: &Path, node: &str) -> Option<PathBuf> {
    let folders = [certs.to_owned(), certs.join("nodes").join(node)];
    folders.into_iter().find(|folder| folder.join(CERTIFICATE).exists())
}
