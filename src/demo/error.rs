//! What can keep the demo from reaching its end, and what to do about it.

use std::{io, net::SocketAddr, path::PathBuf, time::Duration};

use super::{client::ClientError, region::Region};

#[derive(Debug, thiserror::Error)]
pub(super) enum DemoError {
    #[error("{address} is taken, and {region} needs it for {what}; choose other ports with {flag} HOST:PORT")]
    PortTaken { region: Region, what: &'static str, address: SocketAddr, flag: &'static str },
    #[error(
        "cannot listen on {address}, which {region} needs for {what}: {source}; choose another address with {flag} HOST:PORT"
    )]
    Port { region: Region, what: &'static str, address: SocketAddr, flag: &'static str, source: io::Error },
    #[error("no three free ports in a row from {from} to {to}; name one with {flag} HOST:PORT")]
    NoPorts { from: u16, to: u16, flag: &'static str },
    #[error("both regions would use {address}; keep --east and --west at least three ports apart")]
    Overlap { address: SocketAddr },
    #[error("cannot write to {path}: {source}; choose a place with --dir")]
    Folder { path: PathBuf, source: io::Error },
    #[error("cannot make certificates: {0}")]
    Certs(#[from] certs::CertsError),
    #[error("cannot start the daemon of {region}: {source}")]
    Spawn { region: Region, source: io::Error },
    #[error("the daemon of {region} ended by itself ({status})")]
    Ended { region: Region, status: String },
    #[error("the daemon of {region} was not ready within {within:?}")]
    NotReady { region: Region, within: Duration },
    #[error("{0}")]
    Client(#[from] ClientError),
    #[error("the admin page of {region} failed: {what}")]
    Admin { region: Region, what: String },
    #[error("the failover was refused: {0}")]
    FailoverRefused(String),
    #[error("{step} took longer than {within:?}")]
    Late { step: &'static str, within: Duration },
    #[error("a part of the demo broke down: {0}")]
    Broken(String),
    #[error("cannot {what}: {source}")]
    Process { what: &'static str, source: io::Error },
}
