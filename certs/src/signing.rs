//! What making a root, a datacenter CA and a node certificate have in common.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    Certificate, CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, SerialNumber,
};
use rustls::crypto::aws_lc_rs;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::error::CertsError;
use crate::identity::Label;
use crate::limits::BACKDATING;

/// From a moment before `now` until `lifetime` after it.
pub(crate) fn params(now: SystemTime, lifetime: Duration) -> Result<CertificateParams, CertsError> {
    let clock = || CertsError::Clock(format!("{now:?}"));
    let whole = |moment: SystemTime| {
        let since = moment.duration_since(SystemTime::UNIX_EPOCH).map_err(|_| clock())?;
        let seconds = i64::try_from(since.as_secs()).map_err(|_| clock())?;
        OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| clock())
    };
    let mut params = CertificateParams::default();
    params.not_before = whole(now.checked_sub(BACKDATING).ok_or_else(clock)?)?;
    params.not_after = whole(now.checked_add(lifetime).ok_or_else(clock)?)?;
    params.serial_number = Some(serial()?);
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// `O` is the topology, `OU` the datacenter: what `inspect` and `chain` read back.
pub(crate) fn subject(topology: &Label, datacenter: Option<&Label>, name: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::OrganizationName, topology.as_str());
    if let Some(datacenter) = datacenter {
        subject.push(DnType::OrganizationalUnitName, datacenter.as_str());
    }
    subject.push(DnType::CommonName, name);
    subject
}

/// A new key, erased when dropped.
pub(crate) fn new_key() -> Result<Zeroizing<KeyPair>, CertsError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(signing)?;
    Ok(Zeroizing::new(key))
}

pub(crate) fn key_pem(key: &KeyPair) -> Zeroizing<String> {
    pem("PRIVATE KEY", key.serialized_der())
}

pub(crate) fn certificate_pem(certificate: &Certificate) -> String {
    pem("CERTIFICATE", certificate.der()).to_string()
}

pub(crate) fn signing(error: rcgen::Error) -> CertsError {
    CertsError::Signing(error.to_string())
}

/// RFC 7468, in buffers that are erased when dropped and never grow.
fn pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    const LINE: usize = 64;
    let body = Zeroizing::new(STANDARD.encode(der));
    let mut text = Zeroizing::new(String::with_capacity(2 * body.len() + 4 * LINE));
    let mut rest = body.as_str();
    text.push_str(&format!("-----BEGIN {label}-----\n"));
    while !rest.is_empty() {
        // Base64 is ASCII: every place is a boundary.
        let (line, after) = rest.split_at_checked(LINE).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

/// 127 random bits: positive, and never the same twice.
fn serial() -> Result<SerialNumber, CertsError> {
    let mut bytes = [0; 16];
    let filled = aws_lc_rs::default_provider().secure_random.fill(&mut bytes);
    filled.map_err(|_| CertsError::Signing("the system gives no random numbers".to_owned()))?;
    if let Some(first) = bytes.first_mut() {
        *first = (*first & 0x7f) | 0x40;
    }
    Ok(SerialNumber::from_slice(&bytes))
}
