//! The two verifiers that the TLS library asks: the side that was dialled, and the side that dials. Both do the same: prove the
//! chain, then look the identity up in the list for the connection. Host names play no part: a node is who its certificate says.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};

use crate::chain::{PeerRole, verify};
use crate::identity::{Label, NodeIdentity};
use crate::refusal::{OnRefusal, Refusal};

/// Who is expected: exact identities. The list can be replaced while it is in use; the next handshake sees the new one.
#[derive(Debug, Default)]
pub struct AllowedPeers {
    listed: ArcSwap<BTreeSet<NodeIdentity>>,
}

impl AllowedPeers {
    pub fn new(peers: impl IntoIterator<Item = NodeIdentity>) -> Self {
        Self { listed: ArcSwap::from_pointee(peers.into_iter().collect()) }
    }

    pub fn replace(&self, peers: impl IntoIterator<Item = NodeIdentity>) {
        self.listed.store(Arc::new(peers.into_iter().collect()));
    }

    /// Whether a connection that was accepted earlier would be accepted now.
    pub fn contains(&self, peer: &NodeIdentity) -> bool {
        self.listed.load().contains(peer)
    }
}

/// One verifier for both sides.
pub(crate) struct PeerVerifier {
    pub(crate) anchor: TrustAnchor<'static>,
    pub(crate) trust_domain: Label,
    pub(crate) allowed: Arc<AllowedPeers>,
    pub(crate) on_refusal: OnRefusal,
    pub(crate) algorithms: WebPkiSupportedAlgorithms,
}

impl PeerVerifier {
    pub(crate) fn new(
        anchor: TrustAnchor<'static>,
        trust_domain: Label,
        allowed: Arc<AllowedPeers>,
        on_refusal: OnRefusal,
        provider: &CryptoProvider,
    ) -> Arc<Self> {
        let algorithms = provider.signature_verification_algorithms;
        Arc::new(Self { anchor, trust_domain, allowed, on_refusal, algorithms })
    }

    fn check(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        role: PeerRole,
        now: UnixTime,
    ) -> Result<(), Error> {
        self.judge(certificate, intermediates, role, now).map_err(|refusal| {
            (self.on_refusal)(&refusal);
            refusal.into()
        })
    }

    fn judge(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        role: PeerRole,
        now: UnixTime,
    ) -> Result<(), Refusal> {
        let identity = verify(certificate, intermediates, &self.anchor, role, now, None)?;
        if identity.trust_domain != self.trust_domain {
            return Err(Refusal::OtherTopology { identity, expected: self.trust_domain.to_string() });
        }
        if !self.allowed.contains(&identity) {
            return Err(Refusal::NotListed(identity));
        }
        Ok(())
    }
}

impl ServerCertVerifier for PeerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(end_entity, intermediates, PeerRole::Server, now).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for PeerVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // A node has one certificate: there is nothing to choose by a hint.
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(end_entity, intermediates, PeerRole::Client, now).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl fmt::Debug for PeerVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trust_domain, allowed, .. } = self;
        f.debug_struct("PeerVerifier")
            .field("trust_domain", trust_domain)
            .field("allowed", allowed)
            .finish_non_exhaustive()
    }
}
