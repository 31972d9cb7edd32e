//! From the certificates that a peer shows to its identity: the signatures and dates first, then the names.

use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, Error, KeyUsage, RevocationOptions};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::identity::{NodeIdentity, shown};
use crate::inspect::{names, unit};
use crate::limits::CHAIN_MAX;
use crate::refusal::Refusal;

/// What the peer does on this connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PeerRole {
    Client,
    Server,
}

/// The identity of a peer whose chain ends at `anchor` and holds at `now`; not yet whether it is wanted here. `revocation` is where
/// lists of revoked certificates come in.
pub(crate) fn verify(
    certificate: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    anchor: &TrustAnchor<'_>,
    role: PeerRole,
    now: UnixTime,
    revocation: Option<RevocationOptions<'_>>,
) -> Result<NodeIdentity, Refusal> {
    if intermediates.len() > CHAIN_MAX {
        return Err(Refusal::Malformed(format!("it has more than {CHAIN_MAX} certificates")));
    }
    let who =
        || identity(certificate).map_or_else(|_| "the peer".to_owned(), |identity| identity.to_string());
    let refuse = |error: Error| refusal(error, who());
    let leaf = EndEntityCert::try_from(certificate).map_err(refuse)?;
    let usage = match role {
        PeerRole::Client => KeyUsage::client_auth(),
        PeerRole::Server => KeyUsage::server_auth(),
    };
    let algorithms = webpki::ALL_VERIFICATION_ALGS;
    let anchors = std::slice::from_ref(anchor);
    let path = leaf
        .verify_for_usage(algorithms, anchors, intermediates, now, usage, revocation, None)
        .map_err(refuse)?;
    let identity = identity(certificate)?;
    // A datacenter's CA speaks for its own nodes only: the others need not trust it further than that.
    let mut issuers = path.intermediate_certificates();
    let issuer = match (issuers.next(), issuers.next()) {
        (Some(issuer), None) => datacenter(&issuer.der()),
        _ => None,
    };
    match issuer {
        Some(issuer) if issuer == identity.datacenter.as_str() => Ok(identity),
        issuer => Err(Refusal::OtherIssuer {
            identity,
            issuer: shown(&issuer.unwrap_or_else(|| "nobody".to_owned())),
        }),
    }
}

/// The one identity in a certificate, whoever signed it.
pub(crate) fn identity(certificate: &CertificateDer<'_>) -> Result<NodeIdentity, Refusal> {
    let malformed = || Refusal::Malformed("it cannot be parsed".to_owned());
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|_| malformed())?;
    let names = names(&parsed).ok_or_else(malformed)?;
    match names.uris.as_slice() {
        [one] => one.parse().map_err(|_| Refusal::NoIdentity(shown(one))),
        [] => Err(Refusal::NoIdentity("none".to_owned())),
        many => Err(Refusal::NoIdentity(shown(&many.join(", ")))),
    }
}

/// The datacenter that a CA speaks for.
fn datacenter(certificate: &CertificateDer<'_>) -> Option<String> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    unit(parsed.subject())
}

fn refusal(error: Error, who: String) -> Refusal {
    match error {
        Error::UnknownIssuer | Error::InvalidSignatureForPublicKey => Refusal::OtherAuthority,
        Error::CertExpired { .. } => Refusal::Expired(who),
        Error::CertNotValidYet { .. } => Refusal::NotYetValid(who),
        Error::RequiredEkuNotFoundContext(_)
        | Error::PathLenConstraintViolated
        | Error::CaUsedAsEndEntity
        | Error::EndEntityUsedAsCa => Refusal::OtherPurpose(error.to_string()),
        other => Refusal::Malformed(other.to_string()),
    }
}
