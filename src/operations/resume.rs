//! `POST /v1/resume`: tries partitions again that are stopped.

use serde::{Deserialize, Serialize};

use super::status::Stop;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResumeRequest {
    /// `FROM:TO`.
    pub(crate) link: String,
    /// At the source of the link; all of them, if it is left out.
    #[serde(default)]
    pub(crate) topic: Option<String>,
    /// Of that topic; all of them, if it is left out.
    #[serde(default)]
    pub(crate) partition: Option<i32>,
    /// Only tell which are stopped.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ResumeReport {
    pub(crate) link: String,
    pub(crate) dry_run: bool,
    /// Those that were stopped, and, but for a dry run, are tried again now.
    pub(crate) partitions: Vec<ResumedPartition>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ResumedPartition {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    /// Why it was stopped.
    pub(crate) stop: Stop,
}
