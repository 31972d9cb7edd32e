//! The count of a unit's homes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Grows by one each time a unit's home moves. Whoever comes with a lower one is refused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HomeGeneration(pub u64);

impl fmt::Display for HomeGeneration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
