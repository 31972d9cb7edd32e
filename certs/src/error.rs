//! What can go wrong with files and certificates of our own. Every message says what to do.

use std::io;
use std::path::PathBuf;

use crate::identity::InvalidLabel;

#[derive(Debug, thiserror::Error)]
pub enum CertsError {
    #[error("cannot {action} {}: {source}; check that the directory exists and belongs to the user that runs isthmus", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },

    #[error("{} does not exist; {fix}", path.display())]
    Missing { path: PathBuf, fix: &'static str },

    #[error("{} is there already; nothing was overwritten. Remove it, or say that existing files are to be replaced", path.display())]
    Exists { path: PathBuf },

    #[error("{} can be read by others (mode {mode:04o}); treat the key as known to them, or run: chmod 600 {}", path.display(), path.display())]
    KeyReadable { path: PathBuf, mode: u32 },

    #[error("{} is longer than {max} bytes, which no certificate or key of ours is; put the right file there", path.display())]
    TooLong { path: PathBuf, max: u64 },

    #[error("{} is not a {expected}: {why}; issue it again, or restore it from a copy", path.display())]
    Unreadable { path: PathBuf, expected: &'static str, why: String },

    #[error("the key in {} does not belong to the certificate beside it; issue the certificate again", path.display())]
    KeyMismatch { path: PathBuf },

    #[error("{} belongs to the topology `{found}`, not to `{expected}`; use another directory, or the right topology file", path.display())]
    OtherTopology { path: PathBuf, expected: String, found: String },

    #[error("{} belongs to the datacenter `{found}`, not to `{expected}`; restore the right file", path.display())]
    OtherDatacenter { path: PathBuf, expected: String, found: String },

    #[error("the certificate in {} is for {found}, not for {expected}; issue one for this node", path.display())]
    OtherNode { path: PathBuf, expected: String, found: String },

    #[error("the new certificate is for {found}, and this node is {expected}; issue one for this node")]
    OtherIdentity { expected: String, found: String },

    #[error("there are no CA files for the datacenter `{datacenter}` in {}; run `isthmus certs init` with the root key at hand", directory.display())]
    NoAuthority { datacenter: String, directory: PathBuf },

    #[error(
        "a lifetime of {seconds} s is not between {min} s and {max} s; choose one of days, such as 30 days"
    )]
    Lifetime { seconds: u64, min: u64, max: u64 },

    #[error("the certificate would outlive its CA ({}), which ends {ends}; choose a shorter lifetime, or renew the CA", path.display())]
    OutlivesAuthority { path: PathBuf, ends: String },

    #[error("`{0}` is neither an IP address nor a DNS name; give the host of the node's endpoint")]
    HostName(String),

    #[error(transparent)]
    Label(#[from] InvalidLabel),

    #[error("a datacenter cannot be called `root`: its CA files would be the root's; rename it")]
    RootName,

    #[error("the clock says {0}, which is not a time that a certificate can hold; set the clock")]
    Clock(String),

    #[error("the certificate could not be made: {0}; this is a bug, please report it")]
    Signing(String),

    #[error("the TLS configuration could not be made: {0}; this is a bug, please report it")]
    Tls(String),
}
