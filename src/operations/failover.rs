//! `POST /v1/failover`: moves a unit's home to the datacenter that is asked.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FailoverRequest {
    pub(crate) unit: String,
    /// The new home.
    pub(crate) to: String,
    /// Only the numbers.
    #[serde(default)]
    pub(crate) dry_run: bool,
    /// Without the old home's consent.
    #[serde(default)]
    pub(crate) unplanned: bool,
}
