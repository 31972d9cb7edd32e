//! The home generation: which of a unit's homes, counted from the first, is meant.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Grows each time the home moves; carried by everything that a home sends. 0 is the generation of topics outside of units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct HomeGeneration(pub u64);

impl fmt::Display for HomeGeneration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
