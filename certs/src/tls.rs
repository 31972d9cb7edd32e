//! TLS configurations for links: TLS 1.3 only, both sides authenticated, nothing resumed, nothing sent early.
//!
//! Resumption is off because a resumed session is not verified again: an expired or unlisted peer would come back in by its ticket.
//! Early data is off because it can be replayed, and nothing that a link says may be said twice.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls::version::TLS13;
use rustls::{ClientConfig, ServerConfig, SignatureScheme};
use rustls_pki_types::CertificateDer;

use crate::chain;
use crate::credentials::NodeCredentials;
use crate::error::CertsError;
use crate::identity::NodeIdentity;
use crate::refusal::{OnRefusal, Refusal};
use crate::verify::{AllowedPeers, PeerVerifier};

pub const ALPN: &[u8] = b"isthmus-link/1";

/// What to call the server when the transport wants a name: it is neither sent nor checked.
pub const SERVER_NAME: &str = "isthmus-link";

/// Makes the configurations of one node.
#[derive(Clone)]
pub struct LinkTls {
    identity: NodeIdentity,
    key: Arc<CurrentKey>,
    anchor: rustls_pki_types::TrustAnchor<'static>,
    time: Arc<dyn TimeProvider>,
    on_refusal: OnRefusal,
    provider: Arc<CryptoProvider>,
}

/// The certificate that a node shows.
#[derive(Debug)]
struct CurrentKey {
    current: ArcSwap<Shown>,
}

#[derive(Debug)]
struct Shown {
    key: Arc<CertifiedKey>,
    not_after: SystemTime,
}

impl LinkTls {
    /// `time` is what certificates are judged by; `on_refusal` hears of every peer that is refused.
    pub fn new(
        credentials: &NodeCredentials,
        time: Arc<dyn TimeProvider>,
        on_refusal: OnRefusal,
    ) -> Result<Self, CertsError> {
        let anchor = webpki::anchor_from_trusted_cert(&credentials.root)
            .map_err(|error| CertsError::Tls(format!("the root is not usable: {error}")))?
            .to_owned();
        Ok(Self {
            identity: credentials.identity.clone(),
            key: Arc::new(CurrentKey { current: ArcSwap::from_pointee(Shown::of(credentials)) }),
            anchor,
            time,
            on_refusal,
            provider: Arc::new(provider()),
        })
    }

    pub fn identity(&self) -> &NodeIdentity {
        &self.identity
    }

    /// When peers stop accepting the certificate that is shown now.
    pub fn not_after(&self) -> SystemTime {
        self.key.current.load().not_after
    }

    /// Shows another certificate of the same node from now on: open connections stay, the next handshake shows the new one.
    pub fn replace(&self, credentials: &NodeCredentials) -> Result<(), CertsError> {
        if credentials.identity != self.identity {
            return Err(CertsError::OtherIdentity {
                expected: self.identity.to_string(),
                found: credentials.identity.to_string(),
            });
        }
        self.key.current.store(Arc::new(Shown::of(credentials)));
        Ok(())
    }

    /// For the listening side: whoever is on the list may connect.
    pub fn server_config(&self, allowed: Arc<AllowedPeers>) -> Result<Arc<ServerConfig>, CertsError> {
        let mut config = ServerConfig::builder_with_details(self.provider.clone(), self.time.clone())
            .with_protocol_versions(&[&TLS13])
            .map_err(|error| CertsError::Tls(error.to_string()))?
            .with_client_cert_verifier(self.verifier(allowed))
            .with_cert_resolver(self.key.clone());
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.max_early_data_size = 0;
        Ok(Arc::new(config))
    }

    /// For the dialling side: the server must be one of the list, which for one connection is the one node that is dialled.
    pub fn client_config(&self, allowed: Arc<AllowedPeers>) -> Result<Arc<ClientConfig>, CertsError> {
        let mut config = ClientConfig::builder_with_details(self.provider.clone(), self.time.clone())
            .with_protocol_versions(&[&TLS13])
            .map_err(|error| CertsError::Tls(error.to_string()))?
            .dangerous() // The library's word for a verifier of one's own.
            .with_custom_certificate_verifier(self.verifier(allowed))
            .with_client_cert_resolver(self.key.clone());
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.resumption = Resumption::disabled();
        config.enable_early_data = false;
        config.enable_sni = false;
        Ok(Arc::new(config))
    }

    fn verifier(&self, allowed: Arc<AllowedPeers>) -> Arc<PeerVerifier> {
        let trust_domain = self.identity.trust_domain.clone();
        PeerVerifier::new(self.anchor.clone(), trust_domain, allowed, self.on_refusal.clone(), &self.provider)
    }
}

/// Who is at the other end of an established connection, from the certificates that it showed. They were verified during the
/// handshake; this only reads the name.
pub fn peer_identity(certificates: &[CertificateDer<'_>]) -> Result<NodeIdentity, Refusal> {
    match certificates.first() {
        Some(certificate) => chain::identity(certificate),
        None => Err(Refusal::NoIdentity("no certificate".to_owned())),
    }
}

impl CurrentKey {
    fn key(&self) -> Arc<CertifiedKey> {
        self.current.load().key.clone()
    }
}

impl Shown {
    fn of(credentials: &NodeCredentials) -> Self {
        Self { key: credentials.key.clone(), not_after: credentials.not_after() }
    }
}

impl ResolvesServerCert for CurrentKey {
    fn resolve(&self, _client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.key())
    }
}

impl ResolvesClientCert for CurrentKey {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.key())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// The library's provider with AES-128-GCM in front: a link encrypts gigabytes, and the shorter key is cheaper, and enough.
pub(crate) fn provider() -> CryptoProvider {
    use aws_lc_rs::cipher_suite::{
        TLS13_AES_128_GCM_SHA256, TLS13_AES_256_GCM_SHA384, TLS13_CHACHA20_POLY1305_SHA256,
    };
    CryptoProvider {
        cipher_suites: vec![
            TLS13_AES_128_GCM_SHA256,
            TLS13_AES_256_GCM_SHA384,
            TLS13_CHACHA20_POLY1305_SHA256,
        ],
        ..aws_lc_rs::default_provider()
    }
}

impl fmt::Debug for LinkTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkTls").field("identity", &self.identity).finish_non_exhaustive()
    }
}
