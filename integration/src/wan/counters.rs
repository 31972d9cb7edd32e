//! What became of the packets of one direction. Segments are counted, as if each had come alone.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `received = blackholed + too_long + lost + dropped + delivered + waiting - duplicated`, and `refused` of the delivered
/// ones were not taken by the device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    pub received: u64,
    pub received_bytes: u64,
    pub blackholed: u64,
    /// Longer than the direction's MTU.
    pub too_long: u64,
    pub lost: u64,
    /// Found the bottleneck's queue full.
    pub dropped: u64,
    pub duplicated: u64,
    pub corrupted: u64,
    /// Sent on their way late.
    pub reordered: u64,
    pub delivered: u64,
    pub delivered_bytes: u64,
    /// In the bottleneck's queue or on their way.
    pub waiting: u64,
    /// The device refused them: corrupted beyond recognition, or its namespace was on its way out.
    pub refused: u64,
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "received {} ({} bytes), delivered {} ({} bytes)",
            self.received, self.received_bytes, self.delivered, self.delivered_bytes
        )?;
        let rare = [
            ("blackholed", self.blackholed),
            ("too long", self.too_long),
            ("lost", self.lost),
            ("dropped", self.dropped),
            ("duplicated", self.duplicated),
            ("corrupted", self.corrupted),
            ("reordered", self.reordered),
            ("waiting", self.waiting),
            ("refused", self.refused),
        ];
        rare.iter()
            .filter(|(_, count)| *count > 0)
            .try_for_each(|(name, count)| write!(f, ", {name} {count}"))
    }
}
