//! Offsets that know which log they belong to.
//!
//! On a merged topic the same number means different records at the two ends of a link, so an offset of the source and
//! one of the target are different types: they neither compare nor convert. Only [`crate::translation`] knows the one
//! that answers to the other.

use std::{fmt, marker::PhantomData};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use protocol::Offset;

/// The log that a link reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source;

/// The log that a link writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target;

pub type SourceOffset = Position<Source>;
pub type TargetOffset = Position<Target>;

/// An offset in the log of one side of a link.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position<Side> {
    offset: Offset,
    side: PhantomData<Side>,
}

impl<Side> Position<Side> {
    pub const ZERO: Self = Self::new(Offset::ZERO);

    /// Says that `offset` was read from the log of this side.
    pub const fn new(offset: Offset) -> Self {
        Self { offset, side: PhantomData }
    }

    pub const fn offset(self) -> Offset {
        self.offset
    }

    /// The position `records` further on; saturates, as [`Offset::plus`] does.
    pub fn plus(self, records: i64) -> Self {
        Self::new(self.offset.plus(records))
    }

    /// How far on this position is from an `earlier` one; saturates.
    pub fn since(self, earlier: Self) -> i64 {
        self.offset - earlier.offset
    }
}

impl<Side> From<Position<Side>> for Offset {
    fn from(position: Position<Side>) -> Self {
        position.offset
    }
}

impl<Side> fmt::Debug for Position<Side> {
    /// As in `Source(7)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = std::any::type_name::<Side>();
        let side = path.rsplit_once("::").map_or(path, |(_, name)| name);
        write!(f, "{side}({})", self.offset)
    }
}

impl<Side> fmt::Display for Position<Side> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.offset.fmt(f)
    }
}

impl<Side> Serialize for Position<Side> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.offset.0)
    }
}

impl<'de, Side> Deserialize<'de> for Position<Side> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer).map(|offset| Self::new(Offset(offset)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_prints_its_side_only_for_debugging_and_is_stored_as_a_number() {
        let at = SourceOffset::new(Offset(7));
        assert_eq!(format!("{at:?} {at}"), "Source(7) 7");
        assert_eq!(serde_json::to_string(&at).unwrap(), "7");
        assert_eq!(serde_json::from_str::<TargetOffset>("7").unwrap(), TargetOffset::new(Offset(7)));
    }

    #[test]
    fn positions_saturate_instead_of_overflowing() {
        let last = TargetOffset::new(Offset(i64::MAX));
        assert_eq!(last.plus(1), last);
        assert_eq!(last.since(TargetOffset::new(Offset(-1))), i64::MAX);
    }
}
