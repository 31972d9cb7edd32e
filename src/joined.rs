//! A node among others: what runs beside the broker so that its datacenter is joined to others.
//!
//! ```text
//!   broker opened -> homes loaded -> gate -> broker serves -> links start
//!   links end, peers are told -> broker drains
//! ```
//!
//! Who is home is known before the first client is served: nothing is promised too early.

use std::sync::Arc;

use prometheus_client::registry::Registry;

use broker::{Components, Gate, Handles, OpenGate};
use certs::CertsError;
use mirror::{
    driver::{NodeError, UnitsError},
    mirror::{Mirror, MirrorParts, MirrorSettings, OpenedMirror},
};
use topology::NodePlan;

use crate::{
    adapters::{self, CertifiedNode, NodeOperations, Units, WriteGate},
    config::Settings,
    node::Node,
    operations::Operations,
};

#[derive(Debug, thiserror::Error)]
pub(crate) enum JoinError {
    #[error(transparent)]
    Certs(#[from] CertsError),
    #[error("the links cannot start: {0}; see `link` of this node in the topology file")]
    Links(#[from] NodeError),
    #[error(transparent)]
    Units(#[from] UnitsError),
}

/// A node that knows who is home, and whose links do not run yet.
pub(crate) struct Joining {
    plan: Arc<NodePlan>,
    /// None where no link touches the node.
    mirror: Option<OpenedMirror>,
}

/// A node whose links run.
pub(crate) struct Joined {
    plan: Arc<NodePlan>,
    mirror: Option<Arc<Mirror>>,
}

impl Joining {
    /// Loads who is home, over a broker that is open and does not serve yet.
    pub(crate) async fn open(
        node: &Node,
        broker: &Handles,
        settings: &Settings,
        components: &Components,
        metrics: &mut Registry,
    ) -> Result<Self, JoinError> {
        let plan = Arc::new(node.plan.clone());
        let (Some(credentials), Some(link)) = (&node.credentials, &plan.link) else {
            return Ok(Self { plan, mirror: None });
        };
        let credentials = Arc::new(CertifiedNode::new(credentials, &plan, metrics)?);
        let parts = MirrorParts {
            here: adapters::here(&plan),
            topology: plan.topology.to_string(),
            digest: node.digest.clone(),
            listen: link.listen_address(),
            links: adapters::links(&plan),
            units: adapters::units(&plan),
            membership: Arc::new(Units(plan.clone())),
            credentials,
            ports: adapters::ports(broker),
            clock: components.clock.clone(),
            random: adapters::random(),
            reset_key: adapters::reset_key(&settings.data),
            storage: components.storage.clone(),
            tables: adapters::tables(&settings.data),
        };
        let mirror = Mirror::open(MirrorSettings { transport: settings.link.clone() }, parts).await?;
        Ok(Self { plan, mirror: Some(mirror) })
    }

    /// What the broker serves by, from its first client on.
    pub(crate) fn gate(&self) -> Arc<dyn Gate> {
        match &self.mirror {
            Some(mirror) => Arc::new(WriteGate::new(self.plan.clone(), mirror.units().clone())),
            None => Arc::new(OpenGate),
        }
    }

    /// Starts the links, over a broker that serves.
    pub(crate) async fn start(self, metrics: &mut Registry) -> Result<Joined, JoinError> {
        let Self { plan, mirror } = self;
        let Some(mirror) = mirror else { return Ok(Joined { plan, mirror: None }) };
        let mirror = mirror.start().await?;
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
