//! `issue`: the certificate of a node, signed by its datacenter's CA. The root key is not needed.
//!
//! ```text
//! nodes/NAME/node.crt   the node's certificate and its datacenter's CA
//! nodes/NAME/node.key
//! nodes/NAME/ca.crt     the root: whom the node trusts
//! ```

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, SanType};
use rustls_pki_types::ServerName;

use crate::authority::{Created, Paths, datacenter_label};
use crate::error::CertsError;
use crate::files::{Existing, make_directory, read_certificate, write_certificate, write_key};
use crate::identity::NodeIdentity;
use crate::inspect::read_one;
use crate::limits::{NODE_LIFETIME_MAX, NODE_LIFETIME_MIN};
use crate::signing::{key_pem, new_key, params, signing, subject};

#[derive(Clone, Debug)]
pub struct IssueRequest<'a> {
    /// The directory with `ca/`, which gets `nodes/`.
    pub directory: &'a Path,
    pub topology: &'a str,
    pub datacenter: &'a str,
    pub node: &'a str,
    /// Hosts of the node's endpoints, for clients that check names.
    pub hosts: &'a [HostName],
    pub lifetime: Duration,
    pub now: SystemTime,
    pub existing: Existing,
}

/// A host as a certificate can name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostName {
    Ip(IpAddr),
    Dns(String),
}

impl FromStr for HostName {
    type Err = CertsError;

    fn from_str(text: &str) -> Result<Self, CertsError> {
        match ServerName::try_from(text) {
            Ok(ServerName::IpAddress(ip)) => Ok(Self::Ip(ip.into())),
            Ok(ServerName::DnsName(name)) => Ok(Self::Dns(name.as_ref().to_ascii_lowercase())),
            _ => Err(CertsError::HostName(crate::identity::shown(text))),
        }
    }
}

pub fn issue(request: &IssueRequest<'_>) -> Result<Created, CertsError> {
    let datacenter = datacenter_label(request.datacenter)?;
    let identity = NodeIdentity::new(request.topology.parse()?, datacenter.clone(), request.node.parse()?);
    let folder = request.directory.join("ca");
    let ca = Paths::of(&folder, datacenter.as_str());
    if !ca.certificate.exists() {
        return Err(CertsError::NoAuthority { datacenter: datacenter.to_string(), directory: folder });
    }
    ca.check(&identity.trust_domain, Some(&datacenter))?;
    let root = Paths::of(&folder, "root");
    root.check(&identity.trust_domain, None)?;
    within_lifetimes(request, &ca)?;

    let key = new_key()?;
    let certificate = ca.load()?.sign(&node_params(&identity, request)?, &key)?;
    let chain = format!("{certificate}{}", text(&ca.certificate)?);

    let folder = request.directory.join("nodes").join(identity.node.as_str());
    make_directory(&folder)?;
    let files = NodeFiles::of(&folder);
    if request.existing == Existing::Keep {
        let taken = [&files.key, &files.chain, &files.root].into_iter().find(|path| path.exists());
        if let Some(path) = taken {
            return Err(CertsError::Exists { path: path.clone() });
        }
    }
    write_certificate(&files.root, &text(&root.certificate)?, request.existing)?;
    write_key(&files.key, &key_pem(&key), request.existing)?;
    write_certificate(&files.chain, &chain, request.existing)?;
    Ok(Created { written: vec![files.chain, files.key, files.root], kept: Vec::new() })
}

/// The three files of a node.
pub(crate) struct NodeFiles {
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) root: PathBuf,
}

impl NodeFiles {
    pub(crate) fn of(folder: &Path) -> Self {
        Self { chain: folder.join("node.crt"), key: folder.join("node.key"), root: folder.join("ca.crt") }
    }
}

fn within_lifetimes(request: &IssueRequest<'_>, ca: &Paths) -> Result<(), CertsError> {
    if !(NODE_LIFETIME_MIN..=NODE_LIFETIME_MAX).contains(&request.lifetime) {
        return Err(CertsError::Lifetime {
            seconds: request.lifetime.as_secs(),
            min: NODE_LIFETIME_MIN.as_secs(),
            max: NODE_LIFETIME_MAX.as_secs(),
        });
    }
    let ends = read_one(&ca.certificate)?.info.not_after;
    let end = request.now.checked_add(request.lifetime);
    if end.is_none_or(|end| end > SystemTime::from(ends)) {
        let ends = crate::inspect::moment(ends);
        return Err(CertsError::OutlivesAuthority { path: ca.certificate.clone(), ends });
    }
    Ok(())
}

fn node_params(identity: &NodeIdentity, request: &IssueRequest<'_>) -> Result<CertificateParams, CertsError> {
    let mut node = params(request.now, request.lifetime)?;
    node.distinguished_name =
        subject(&identity.trust_domain, Some(&identity.datacenter), identity.node.as_str());
    node.is_ca = IsCa::ExplicitNoCa;
    node.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    // Both: a node dials some peers and is dialled by others.
    node.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    node.subject_alt_names.push(SanType::URI(identity.to_string().try_into().map_err(signing)?));
    for host in request.hosts {
        node.subject_alt_names.push(match host {
            HostName::Ip(ip) => SanType::IpAddress(*ip),
            HostName::Dns(name) => SanType::DnsName(name.as_str().try_into().map_err(signing)?),
        });
    }
    Ok(node)
}

fn text(path: &Path) -> Result<String, CertsError> {
    let bytes = read_certificate(path, "run `isthmus certs init`")?;
    String::from_utf8(bytes).map_err(|error| CertsError::Unreadable {
        path: path.to_owned(),
        expected: "certificate",
        why: error.to_string(),
    })
}
