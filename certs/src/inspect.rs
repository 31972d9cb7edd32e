//! What a certificate says.

use std::path::Path;
use std::time::SystemTime;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde::Serialize;
use time::OffsetDateTime;
use time::macros::format_description;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate, X509Name};

use crate::error::CertsError;
use crate::files::read_certificate;
use crate::limits::{CHAIN_MAX, EXPIRING_PART};

/// A certificate as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CertificateInfo {
    pub role: Role,
    pub subject: String,
    pub issuer: String,
    /// URI names: a node's identity, or the trust domain of a CA.
    pub identities: Vec<String>,
    /// DNS names and IP addresses.
    pub hosts: Vec<String>,
    pub serial: String,
    #[serde(serialize_with = "as_text")]
    pub not_before: OffsetDateTime,
    #[serde(serialize_with = "as_text")]
    pub not_after: OffsetDateTime,
    pub validity: Validity,
    /// Whole days until the end; negative after it.
    pub days_left: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Authority,
    Node,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Validity {
    NotYetValid,
    Valid,
    /// Less than a third of the lifetime is left.
    ExpiringSoon,
    Expired,
}

/// Every certificate of a PEM file, the first one first; `now` decides what `validity` says.
pub fn inspect(path: &Path, now: SystemTime) -> Result<Vec<CertificateInfo>, CertsError> {
    let chain = read_chain(path, "give the path of a certificate")?;
    chain.iter().map(|certificate| Ok(parse(path, certificate)?.judged(now))).collect()
}

/// A certificate of our own as the rest of the room needs it.
pub(crate) struct Parsed {
    pub(crate) info: CertificateInfo,
    /// `O` of the subject.
    pub(crate) topology: Option<String>,
    /// `OU` of the subject.
    pub(crate) datacenter: Option<String>,
    pub(crate) public_key: Vec<u8>,
}

impl Parsed {
    fn judged(self, now: SystemTime) -> CertificateInfo {
        let Parsed { mut info, .. } = self;
        let now = OffsetDateTime::from(now);
        let left = info.not_after - now;
        info.days_left = left.whole_days();
        info.validity = match () {
            () if now < info.not_before => Validity::NotYetValid,
            () if left.is_negative() => Validity::Expired,
            () if left * EXPIRING_PART < info.not_after - info.not_before => Validity::ExpiringSoon,
            () => Validity::Valid,
        };
        info
    }
}

pub(crate) fn read_chain(path: &Path, fix: &'static str) -> Result<Vec<CertificateDer<'static>>, CertsError> {
    let unreadable =
        |why: String| CertsError::Unreadable { path: path.to_owned(), expected: "certificate", why };
    let pem = read_certificate(path, fix)?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .take(CHAIN_MAX + 2)
        .collect::<Result<_, _>>()
        .map_err(|error| unreadable(error.to_string()))?;
    match chain.len() {
        0 => Err(unreadable("it holds no PEM block of a certificate".to_owned())),
        n if n > CHAIN_MAX + 1 => {
            Err(unreadable("it holds more certificates than a chain of ours".to_owned()))
        }
        _ => Ok(chain),
    }
}

/// The first certificate of a file.
pub(crate) fn read_one(path: &Path) -> Result<Parsed, CertsError> {
    let chain = read_chain(path, "run `isthmus certs init`")?;
    match chain.first() {
        Some(certificate) => parse(path, certificate),
        None => Err(CertsError::Unreadable {
            path: path.to_owned(),
            expected: "certificate",
            why: "it is empty".to_owned(),
        }),
    }
}

pub(crate) fn parse(path: &Path, der: &CertificateDer<'_>) -> Result<Parsed, CertsError> {
    let unreadable =
        |why: String| CertsError::Unreadable { path: path.to_owned(), expected: "certificate", why };
    let (_, certificate) = X509Certificate::from_der(der).map_err(|error| unreadable(error.to_string()))?;
    let names = names(&certificate).ok_or_else(|| unreadable("its names cannot be read".to_owned()))?;
    let validity = certificate.validity();
    let info = CertificateInfo {
        role: if certificate.is_ca() { Role::Authority } else { Role::Node },
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        identities: names.uris,
        hosts: names.hosts,
        serial: certificate.raw_serial_as_string(),
        not_before: validity.not_before.to_datetime(),
        not_after: validity.not_after.to_datetime(),
        validity: Validity::Valid,
        days_left: 0,
    };
    Ok(Parsed {
        info,
        topology: organization(certificate.subject()),
        datacenter: unit(certificate.subject()),
        public_key: certificate.public_key().subject_public_key.data.to_vec(),
    })
}

/// The names of a certificate; `None` when the extension is malformed, or there twice.
pub(crate) struct Names {
    pub(crate) uris: Vec<String>,
    pub(crate) hosts: Vec<String>,
}

pub(crate) fn names(certificate: &X509Certificate<'_>) -> Option<Names> {
    let mut names = Names { uris: Vec::new(), hosts: Vec::new() };
    let Some(extension) = certificate.subject_alternative_name().ok()? else { return Some(names) };
    for name in &extension.value.general_names {
        match name {
            GeneralName::URI(uri) => names.uris.push((*uri).to_owned()),
            GeneralName::DNSName(name) => names.hosts.push((*name).to_owned()),
            GeneralName::IPAddress(bytes) => names.hosts.push(address(bytes)?),
            // A name that we never write, and that the parser could not make sense of: not ours.
            GeneralName::Invalid(..) => return None,
            _ => {}
        }
    }
    Some(names)
}

fn address(bytes: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(bytes).map(std::net::IpAddr::from);
    let v6 = <[u8; 16]>::try_from(bytes).map(std::net::IpAddr::from);
    Some(v4.or(v6).ok()?.to_string())
}

/// The one `O` of a name.
pub(crate) fn organization(name: &X509Name<'_>) -> Option<String> {
    only(name.iter_organization().map(|value| value.as_str().ok()))
}

/// The one `OU` of a name.
pub(crate) fn unit(name: &X509Name<'_>) -> Option<String> {
    only(name.iter_organizational_unit().map(|value| value.as_str().ok()))
}

fn only<'a>(mut values: impl Iterator<Item = Option<&'a str>>) -> Option<String> {
    let first = values.next()??;
    values.next().is_none().then(|| first.to_owned())
}

/// RFC 3339, to the second.
pub(crate) fn moment(moment: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    moment.format(format).unwrap_or_else(|_| moment.unix_timestamp().to_string())
}

fn as_text<S: serde::Serializer>(value: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&moment(*value))
}
