//! TLS that knows its peers: a certificate for each node, signed by one authority of the test.

use std::{collections::HashMap, sync::Arc};

use mirror::driver::{Credentials, CredentialsError, Peer};
use parking_lot::Mutex;
use quinn::{
    Connection,
    crypto::{
        self,
        rustls::{QuicClientConfig, QuicServerConfig},
    },
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    server::WebPkiClientVerifier,
    version::TLS13,
};

const ALPN: &[u8] = b"isthmus-link/1";
const NAME: &str = "isthmus-link";

/// Signs every node of a test, and remembers whom it gave which certificate.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    issued: Arc<Mutex<HashMap<Vec<u8>, Peer>>>,
}

struct NodeCredentials {
    chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
    roots: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
    issued: Arc<Mutex<HashMap<Vec<u8>, Peer>>>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer, issued: Arc::default() }
    }

    pub(crate) fn issue(&self, peer: &Peer) -> Arc<dyn Credentials> {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let der = certificate.der().clone();
        self.issued.lock().insert(der.to_vec(), peer.clone());
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let mut provider = aws_lc_rs::default_provider();
        provider.cipher_suites = vec![aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256];
        Arc::new(NodeCredentials {
            chain: vec![der],
            key: key.serialize_der(),
            roots: Arc::new(roots),
            provider: Arc::new(provider),
            issued: Arc::clone(&self.issued),
        })
    }
}

impl NodeCredentials {
    fn key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.clone()).into()
    }
}

impl Credentials for NodeCredentials {
    fn accepting(&self) -> Result<Arc<dyn crypto::ServerConfig>, CredentialsError> {
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::clone(&self.roots), Arc::clone(&self.provider))
                .build()
                .unwrap();
        let mut tls = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(self.chain.clone(), self.key())
            .unwrap();
        tls.alpn_protocols = vec![ALPN.to_vec()];
        tls.send_tls13_tickets = 0;
        Ok(Arc::new(QuicServerConfig::try_from(tls).unwrap()))
    }

    fn dialling(&self, _peer: &Peer) -> Result<Arc<dyn crypto::ClientConfig>, CredentialsError> {
        let mut tls = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .with_root_certificates(Arc::clone(&self.roots))
            .with_client_auth_cert(self.chain.clone(), self.key())
            .unwrap();
        tls.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Arc::new(QuicClientConfig::try_from(tls).unwrap()))
    }

    fn server_name(&self) -> &str {
        NAME
    }

    fn identify(&self, connection: &Connection) -> Option<Peer> {
        let shown = connection.peer_identity()?.downcast::<Vec<CertificateDer<'static>>>().ok()?;
        self.issued.lock().get(shown.first()?.as_ref()).cloned()
    }
}
