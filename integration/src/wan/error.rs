//! What can go wrong with a layout, and what to do about it.

use std::{io, path::PathBuf};

use super::{
    impairments::BadValue,
    plan::{Name, PlanError},
};

#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    #[error("{0}")]
    Plan(#[from] PlanError),
    #[error(
        "layout {name} is up already, as process {pid}: take it down with wan down --name {name}, or use another name"
    )]
    AlreadyUp { name: Name, pid: String },
    #[error("layout {name} is not up: there is nothing at {}", path.display())]
    NotUp { name: Name, path: PathBuf },
    #[error("layout {name} does not end: process {pid} still holds it")]
    DoesNotEnd { name: Name, pid: String },
    #[error("there is no link between {from} and {to}")]
    NoLink { from: String, to: String },
    #[error("there is no datacenter {0}")]
    NoDatacenter(String),
    #[error("{0}")]
    BadValue(#[from] BadValue),
    #[error("the link from {from} to {to} is dead: its devices are gone")]
    DeadLink { from: String, to: String },
    #[error("{0}")]
    Host(#[from] HostError),
    #[error("the emulator says: {0}")]
    Refused(String),
}

/// The machine did not do as asked.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {source}")]
pub struct HostError {
    what: String,
    source: io::Error,
}

impl HostError {
    pub(crate) fn new(what: impl Into<String>, source: impl Into<io::Error>) -> Self {
        Self { what: what.into(), source: source.into() }
    }
}
