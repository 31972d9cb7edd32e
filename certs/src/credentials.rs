//! A node's own certificate, key and root, loaded and checked against each other.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::error::CertsError;
use crate::files::read_key;
use crate::identity::NodeIdentity;
use crate::inspect::{parse, read_chain};
use crate::issue::NodeFiles;
use crate::tls::provider;

const FIX: &str = "run `isthmus certs issue` for this node, and bring its folder here";

/// What a node shows and whom it trusts.
#[derive(Clone, Debug)]
pub struct NodeCredentials {
    pub(crate) identity: NodeIdentity,
    pub(crate) key: Arc<CertifiedKey>,
    pub(crate) root: CertificateDer<'static>,
    not_after: SystemTime,
}

impl NodeCredentials {
    /// Reads `node.crt`, `node.key` and `ca.crt` of a node's folder (`DIRECTORY/nodes/NAME`) and checks that they are the ones of
    /// `expected`. An expired certificate loads: peers refuse it, and its owner must be able to say so.
    pub fn load(folder: &Path, expected: &NodeIdentity) -> Result<Self, CertsError> {
        let files = NodeFiles::of(folder);
        let chain = read_chain(&files.chain, FIX)?;
        let root = read_chain(&files.root, FIX)?;
        let unreadable = |path: &Path, expected, why: &str| CertsError::Unreadable {
            path: path.to_owned(),
            expected,
            why: why.to_owned(),
        };
        let (Some(own), [root]) = (chain.first(), root.as_slice()) else {
            return Err(unreadable(
                &files.root,
                "certificate",
                "it must hold exactly one certificate, the root",
            ));
        };
        let info = parse(&files.chain, own)?.info;
        let identity = match info.identities.as_slice() {
            [one] => one
                .parse::<NodeIdentity>()
                .map_err(|error| unreadable(&files.chain, "node certificate", &error.to_string()))?,
            _ => {
                return Err(unreadable(
                    &files.chain,
                    "node certificate",
                    "it must have exactly one identity",
                ));
            }
        };
        if identity != *expected {
            return Err(CertsError::OtherNode {
                path: files.chain,
                expected: expected.to_string(),
                found: identity.to_string(),
            });
        }
        let key = load_key(&files.key, &provider())?;
        let key = CertifiedKey::new(chain, key);
        key.keys_match().map_err(|_| CertsError::KeyMismatch { path: files.key.clone() })?;
        Ok(Self {
            identity,
            key: Arc::new(key),
            root: root.clone(),
            not_after: SystemTime::from(info.not_after),
        })
    }

    pub fn identity(&self) -> &NodeIdentity {
        &self.identity
    }

    /// When peers stop accepting it. No connection should be older than the certificate it began with.
    pub fn not_after(&self) -> SystemTime {
        self.not_after
    }
}

fn load_key(path: &Path, provider: &CryptoProvider) -> Result<Arc<dyn rustls::sign::SigningKey>, CertsError> {
    let unreadable =
        |why: String| CertsError::Unreadable { path: path.to_owned(), expected: "private key", why };
    let bytes = read_key(path, FIX)?;
    let key = PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| unreadable(error.to_string()))?;
    provider.key_provider.load_private_key(key).map_err(|error| unreadable(error.to_string()))
}
