//! Why a peer was refused: the sentence for the log, and the error for the TLS library, which tells the peer the kind of it.

use std::sync::Arc;

use rustls::{CertificateError, OtherError};

use crate::identity::NodeIdentity;

/// Called once for every peer that is refused, before the handshake fails. It must not block.
pub type OnRefusal = Arc<dyn Fn(&Refusal) + Send + Sync>;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the peer's certificate was issued by another CA")]
    OtherAuthority,
    #[error("the certificate of {0} has expired, or that of its CA; issue it again")]
    Expired(String),
    #[error("the certificate of {0} is not valid yet; compare the clocks of the two machines")]
    NotYetValid(String),
    #[error("the peer's certificate may not be used for this: {0}")]
    OtherPurpose(String),
    #[error("the peer's certificate chain is malformed: {0}")]
    Malformed(String),
    #[error(
        "the peer's certificate has no identity of the form spiffe://TOPOLOGY/dc/DATACENTER/node/NAME, or more than one: {0}"
    )]
    NoIdentity(String),
    #[error("{identity} is not of our topology `{expected}`")]
    OtherTopology { identity: NodeIdentity, expected: String },
    #[error("{identity} was not issued by its own datacenter's CA but by that of `{issuer}`")]
    OtherIssuer { identity: NodeIdentity, issuer: String },
    #[error("{0} is not expected on this connection; compare the topology files of the two nodes")]
    NotListed(NodeIdentity),
}

impl Refusal {
    /// A word for metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::OtherAuthority => "other_authority",
            Self::Expired(_) => "expired",
            Self::NotYetValid(_) => "not_yet_valid",
            Self::OtherPurpose(_) => "other_purpose",
            Self::Malformed(_) => "malformed",
            Self::NoIdentity(_) => "no_identity",
            Self::OtherTopology { .. } => "other_topology",
            Self::OtherIssuer { .. } => "other_issuer",
            Self::NotListed(_) => "not_listed",
        }
    }
}

/// The alert that the peer gets follows from the kind of error; the reason in full stays on this side.
impl From<Refusal> for rustls::Error {
    fn from(refusal: Refusal) -> Self {
        let error = match refusal {
            Refusal::OtherAuthority => CertificateError::UnknownIssuer,
            Refusal::Expired(_) => CertificateError::Expired,
            Refusal::NotYetValid(_) => CertificateError::NotValidYet,
            Refusal::OtherPurpose(_) => CertificateError::InvalidPurpose,
            Refusal::Malformed(_) => CertificateError::BadEncoding,
            Refusal::NoIdentity(_) => CertificateError::Other(OtherError(Arc::new(refusal))),
            Refusal::OtherTopology { .. } | Refusal::OtherIssuer { .. } | Refusal::NotListed(_) => {
                CertificateError::ApplicationVerificationFailure
            }
        };
        Self::InvalidCertificate(error)
    }
}
