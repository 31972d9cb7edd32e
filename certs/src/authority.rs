//! `init`: the root and one CA per datacenter.
//!
//! ```text
//! ca/root.crt  ca/root.key     signs datacenter CAs; take the key offline afterwards
//! ca/DC.crt    ca/DC.key       signs the nodes of DC and nothing else (path length 0)
//! ```

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::error::CertsError;
use crate::files::{Existing, make_directory, read_key, write_certificate, write_key};
use crate::identity::Label;
use crate::inspect::{read_chain, read_one};
use crate::limits::{DATACENTER_LIFETIME, ROOT_LIFETIME};
use crate::signing::{certificate_pem, key_pem, new_key, params, signing, subject};

/// What to make, and where.
#[derive(Clone, Debug)]
pub struct InitRequest<'a> {
    /// The directory that gets `ca/`.
    pub directory: &'a Path,
    pub topology: &'a str,
    pub datacenters: &'a [&'a str],
    pub now: SystemTime,
    /// With `Replace` everything is made anew: every certificate issued before stops working.
    pub existing: Existing,
}

/// What there is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Created {
    /// Files that were written.
    pub written: Vec<PathBuf>,
    /// Files that were there and stay.
    pub kept: Vec<PathBuf>,
}

/// Makes what is missing: run again with one more datacenter it adds that one. Says which files it wrote and which it kept.
pub fn init(request: &InitRequest<'_>) -> Result<Created, CertsError> {
    let topology: Label = request.topology.parse()?;
    let datacenters =
        request.datacenters.iter().map(|name| datacenter_label(name)).collect::<Result<Vec<_>, _>>()?;
    let folder = request.directory.join("ca");
    make_directory(&folder)?;
    let mut created = Created { written: Vec::new(), kept: Vec::new() };
    let root = Paths::of(&folder, "root");
    if request.existing == Existing::Replace || !root.certificate.exists() {
        let key = new_key()?;
        let certificate = root_params(&topology, request.now)?.self_signed(&*key).map_err(signing)?;
        root.write(&key, &certificate_pem(&certificate), request.existing, &mut created)?;
    } else {
        root.keep(&topology, None, &mut created)?;
    }
    let mut root_authority = None;
    for datacenter in &datacenters {
        let paths = Paths::of(&folder, datacenter.as_str());
        if request.existing == Existing::Keep && paths.certificate.exists() {
            paths.keep(&topology, Some(datacenter), &mut created)?;
            continue;
        }
        let authority = match &mut root_authority {
            Some(authority) => authority,
            none => none.insert(root.load()?),
        };
        let key = new_key()?;
        let certificate = authority.sign(&datacenter_params(&topology, datacenter, request.now)?, &key)?;
        paths.write(&key, &certificate, request.existing, &mut created)?;
    }
    Ok(created)
}

/// The files of one CA.
pub(crate) struct Paths {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

const NO_KEY: &str = "bring the key back from where it is kept offline";

/// A CA that can sign.
pub(crate) struct Authority {
    certificate: CertificateDer<'static>,
    key: Zeroizing<KeyPair>,
}

impl Authority {
    /// The PEM text of what it signs.
    pub(crate) fn sign(&self, params: &CertificateParams, key: &KeyPair) -> Result<String, CertsError> {
        let issuer = Issuer::from_ca_cert_der(&self.certificate, &*self.key).map_err(signing)?;
        Ok(certificate_pem(&params.signed_by(key, &issuer).map_err(signing)?))
    }
}

impl Paths {
    pub(crate) fn of(folder: &Path, name: &str) -> Self {
        Self { certificate: folder.join(format!("{name}.crt")), key: folder.join(format!("{name}.key")) }
    }

    /// The CA's certificate and key, which belong together.
    pub(crate) fn load(&self) -> Result<Authority, CertsError> {
        let unreadable =
            |why: String| CertsError::Unreadable { path: self.key.clone(), expected: "private key", why };
        let chain = read_chain(&self.certificate, "run `isthmus certs init`")?;
        let info = read_one(&self.certificate)?;
        let bytes = read_key(&self.key, NO_KEY)?;
        let der =
            PrivatePkcs8KeyDer::from_pem_slice(&bytes).map_err(|error| unreadable(error.to_string()))?;
        let key = KeyPair::try_from(&der).map_err(|error| unreadable(error.to_string()))?;
        let key = Zeroizing::new(key);
        match chain.into_iter().next() {
            Some(certificate) if info.public_key == key.public_key_raw() => {
                Ok(Authority { certificate, key })
            }
            _ => Err(CertsError::KeyMismatch { path: self.key.clone() }),
        }
    }

    fn write(
        &self,
        key: &KeyPair,
        certificate: &str,
        existing: Existing,
        created: &mut Created,
    ) -> Result<(), CertsError> {
        write_key(&self.key, &key_pem(key), existing)?;
        write_certificate(&self.certificate, certificate, existing)?;
        created.written.extend([self.certificate.clone(), self.key.clone()]);
        Ok(())
    }

    /// A CA that is there must be the one that is meant.
    fn keep(
        &self,
        topology: &Label,
        datacenter: Option<&Label>,
        created: &mut Created,
    ) -> Result<(), CertsError> {
        self.check(topology, datacenter)?;
        created.kept.push(self.certificate.clone());
        Ok(())
    }

    pub(crate) fn check(&self, topology: &Label, datacenter: Option<&Label>) -> Result<(), CertsError> {
        let info = read_one(&self.certificate)?;
        let path = || self.certificate.clone();
        if info.topology.as_deref() != Some(topology.as_str()) {
            let found = info.topology.unwrap_or_else(|| "none".to_owned());
            return Err(CertsError::OtherTopology { path: path(), expected: topology.to_string(), found });
        }
        if info.datacenter.as_deref() != datacenter.map(Label::as_str) {
            let text = |name: Option<&str>| name.unwrap_or("none").to_owned();
            let (expected, found) = (text(datacenter.map(Label::as_str)), text(info.datacenter.as_deref()));
            return Err(CertsError::OtherDatacenter { path: path(), expected, found });
        }
        Ok(())
    }
}

pub(crate) fn datacenter_label(name: &str) -> Result<Label, CertsError> {
    if name == "root" {
        return Err(CertsError::RootName);
    }
    Ok(name.parse()?)
}

fn root_params(topology: &Label, now: SystemTime) -> Result<CertificateParams, CertsError> {
    let mut root = params(now, ROOT_LIFETIME)?;
    root.distinguished_name = subject(topology, None, &format!("{topology} root CA"));
    authority(&mut root, topology, 1)?;
    Ok(root)
}

fn datacenter_params(
    topology: &Label,
    datacenter: &Label,
    now: SystemTime,
) -> Result<CertificateParams, CertsError> {
    let mut ca = params(now, DATACENTER_LIFETIME)?;
    ca.distinguished_name = subject(topology, Some(datacenter), &format!("{topology} {datacenter} CA"));
    authority(&mut ca, topology, 0)?;
    Ok(ca)
}

/// A signing certificate names its trust domain and no path, as SPIFFE wants it.
fn authority(params: &mut CertificateParams, topology: &Label, below: u8) -> Result<(), CertsError> {
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let uri = format!("spiffe://{topology}");
    let uri = uri.try_into().map_err(signing)?;
    params.subject_alt_names = vec![SanType::URI(uri)];
    Ok(())
}
