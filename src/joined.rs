//! A node among others: what runs beside the broker so that its datacenter is joined to others.
//!
//! ```text
//!   broker opened -> gate (every unit fenced) -> broker serves -> mirror starts: homes loaded, gates as they say, links dial
//!   links end, peers are told -> broker drains
//! ```
//!
//! Until the mirror has said who is home, clients of a unit's topics are told to try again: nothing is promised too early.

use std::sync::Arc;

use prometheus_client::registry::Registry;

use broker::{Components, Gate, Handles};
use certs::CertsError;
use core_log::ChangeError;
use mirror::{
    driver::{NodeError, UnitsError},
    mirror::{Mirror, MirrorParts, MirrorSettings},
};
use topology::NodePlan;

use crate::{
    adapters::{self, CertifiedNode, LateUnits, NodeOperations, Units, WriteGate},
    config::Settings,
    node::Node,
    operations::Operations,
};

#[derive(Debug, thiserror::Error)]
pub(crate) enum JoinError {
    #[error(transparent)]
    Certs(#[from] CertsError),
    #[error(transparent)]
    Units(#[from] UnitsError),
    #[error("the links cannot start: {0}; see `link` of this node in the topology file")]
    Links(#[from] NodeError),
    #[error("the logs do not take the gate's word: {0}")]
    Gate(#[from] ChangeError),
}

/// A node whose links do not run yet.
pub(crate) struct Joining {
    node: Node,
    plan: Arc<NodePlan>,
    units: Arc<LateUnits>,
}

/// A node whose links run.
pub(crate) struct Joined {
    plan: Arc<NodePlan>,
    /// None where no link touches the node.
    mirror: Option<Arc<Mirror>>,
}

impl Joining {
    pub(crate) fn new(node: Node) -> Self {
        let plan = Arc::new(node.plan.clone());
        let units = Arc::new(LateUnits::new(plan.clone()));
        Self { node, plan, units }
    }

    /// What the broker serves by, from its first client on.
    pub(crate) fn gate(&self) -> Arc<dyn Gate> {
        Arc::new(WriteGate::new(self.plan.clone(), self.units.clone()))
    }

    /// Starts the links over a broker that serves.
    pub(crate) async fn start(
        self,
        broker: &Handles,
        settings: &Settings,
        components: &Components,
        metrics: &mut Registry,
    ) -> Result<Joined, JoinError> {
        let Self { node, plan, units } = self;
        let (Some(credentials), Some(link)) = (&node.credentials, &plan.link) else {
            return Ok(Joined { plan, mirror: None });
        };
        let credentials = Arc::new(CertifiedNode::new(credentials, &plan, metrics)?);
        let parts = MirrorParts {
            here: adapters::here(&plan),
            topology: plan.topology.to_string(),
            listen: link.listen_address(),
            links: adapters::links(&plan),
            units: adapters::units(&plan),
            membership: Arc::new(Units(plan.clone())),
            credentials,
            ports: adapters::ports(broker),
            clock: components.clock.clone(),
            random: adapters::random(),
            storage: components.storage.clone(),
            tables: adapters::tables(&settings.data),
        };
        let opened = Mirror::open(MirrorSettings { transport: settings.link.clone() }, parts).await?;
        units.hear(opened.units().clone());
        broker.gates_changed().await?;
        let mirror = opened.start().await?;
        adapters::register_counters(metrics, mirror.metrics().clone());
        tracing::info!(address = %mirror.address(), links = plan.links().count(), "links run");
        Ok(Joined { plan, mirror: Some(Arc::new(mirror)) })
    }
}

impl Joined {
    pub(crate) fn operations(&self) -> Arc<dyn Operations> {
        Arc::new(NodeOperations::new(self.plan.clone(), self.mirror.clone()))
    }

    pub(crate) fn node(&self) -> &str {
        self.plan.node.as_str()
    }

    /// Ends the links and tells the peers. The broker still serves.
    pub(crate) async fn leave(&self) {
        if let Some(mirror) = &self.mirror {
            mirror.shutdown().await;
        }
    }
}
