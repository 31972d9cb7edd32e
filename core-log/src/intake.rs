//! From whom a log takes batches.

use crate::Place;

/// Changed by [`crate::Log::set_intake`], in the order of appends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Intake {
    /// Writers here: [`Place::Next`] and [`Place::Relayed`].
    #[default]
    Writers,
    /// A copy of a log elsewhere: [`Place::AsGiven`] alone. Its start follows the original's, so retention leaves it alone.
    Replica,
    /// Nobody.
    Closed,
}

impl Intake {
    pub fn takes(self, place: Place) -> bool {
        match (self, place) {
            (Self::Writers, Place::Next { .. } | Place::Relayed { .. }) | (Self::Replica, Place::AsGiven) => {
                true
            }
            (Self::Writers, Place::AsGiven)
            | (Self::Replica, Place::Next { .. } | Place::Relayed { .. })
            | (Self::Closed, _) => false,
        }
    }
}

impl std::fmt::Display for Intake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Writers => "writers",
            Self::Replica => "its original alone",
            Self::Closed => "nobody",
        })
    }
}
