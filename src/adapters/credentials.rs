//! The TLS of the links: this node's certificate, and exactly the peers that the topology gives it.

use std::sync::Arc;

use certs::{AllowedPeers, CertsError, LinkTls, NodeCredentials, NodeIdentity, SERVER_NAME, peer_identity};
use mirror::driver::{Credentials, CredentialsError, Peer};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use quinn::{
    Connection,
    crypto::{
        self,
        rustls::{QuicClientConfig, QuicServerConfig},
    },
};
use rustls::{pki_types::CertificateDer, time_provider::DefaultTimeProvider};
use topology::NodePlan;

pub(crate) struct CertifiedNode {
    tls: LinkTls,
    accepted: Arc<AllowedPeers>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Why {
    reason: &'static str,
}

impl CertifiedNode {
    /// Refused peers are logged here, and counted in `metrics`.
    pub(crate) fn new(
        credentials: &NodeCredentials,
        plan: &NodePlan,
        metrics: &mut Registry,
    ) -> Result<Self, CertsError> {
        let refused = Family::<Why, Counter>::default();
        let what = "Peers that did not prove to be who they should, by reason";
        metrics.register("isthmus_mirror_peers_refused", what, refused.clone());
        let on_refusal = Arc::new(move |refusal: &certs::Refusal| {
            let reason = refusal.kind();
            refused.get_or_create(&Why { reason }).inc();
            tracing::warn!(reason, "a peer was refused: {refusal}");
        });
        let tls = LinkTls::new(credentials, Arc::new(DefaultTimeProvider), on_refusal)?;
        let own = credentials.identity();
        let identity = |peer: &topology::Peer| {
            NodeIdentity::from_names(own.trust_domain.as_str(), peer.datacenter.as_str(), peer.node.as_str())
        };
        let accepted: Vec<_> = plan.peers_to_accept().into_iter().map(identity).collect::<Result<_, _>>()?;
        Ok(Self { tls, accepted: Arc::new(AllowedPeers::new(accepted)) })
    }
}

impl Credentials for CertifiedNode {
    fn accepting(&self) -> Result<Arc<dyn crypto::ServerConfig>, CredentialsError> {
        let config = self.tls.server_config(self.accepted.clone()).map_err(failed)?;
        Ok(Arc::new(QuicServerConfig::try_from(config).map_err(failed)?))
    }

    fn dialling(&self, peer: &Peer) -> Result<Arc<dyn crypto::ClientConfig>, CredentialsError> {
        let topology = self.tls.identity().trust_domain.as_str();
        let identity = NodeIdentity::from_names(topology, &peer.datacenter, &peer.node).map_err(failed)?;
        let config = self.tls.client_config(Arc::new(AllowedPeers::new([identity]))).map_err(failed)?;
        Ok(Arc::new(QuicClientConfig::try_from(config).map_err(failed)?))
    }

    fn server_name(&self) -> &str {
        SERVER_NAME
    }

    fn identify(&self, connection: &Connection) -> Option<Peer> {
        let shown = connection.peer_identity()?.downcast::<Vec<CertificateDer<'static>>>().ok()?;
        let NodeIdentity { datacenter, node, .. } = peer_identity(&shown).ok()?;
        Some(Peer { datacenter: datacenter.to_string(), node: node.to_string() })
    }
}

fn failed(error: impl std::fmt::Display) -> CredentialsError {
    CredentialsError(error.to_string())
}
