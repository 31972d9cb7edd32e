//! What a datacenter durably knows of a unit: the only thing that survives a restart, and so all that promises rest on.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    generation::HomeGeneration,
    members::Datacenter,
    message::RequestId,
    positions::PartitionEnd,
    report::{GroupTotals, PartitionReport},
};

/// Version of the stored form.
const VERSION: u32 = 1;

/// Stored as JSON text, opaque to who stores it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitRecord {
    version: u32,
    pub unit: String,
    /// The highest generation that this datacenter knows to be promoted, its own included.
    pub generation: HomeGeneration,
    /// The home at `generation`.
    pub home: Datacenter,
    /// The generation before `generation`.
    pub previous: HomeGeneration,
    /// Where `generation` starts, once it was told; empty for the first one.
    pub starts: Option<Vec<PartitionEnd>>,
    /// The highest generation that was promised to another, or tried and given up. Nothing at or below it is promised again,
    /// and of its own ones nothing at or below it is tried again.
    pub promised: HomeGeneration,
    pub state: State,
}

/// Where this datacenter stands in the unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Writable here, once the gates may open.
    Home,
    /// No longer writable here, or not until this is resolved.
    Fencing(Fencing),
    /// About to become the home: the old one is asked to fence itself, then drained.
    Draining(Attempt),
    /// Past the point of no return: the barrier is being raised, then the gates open.
    Promoting(Promotion),
    /// Follows the home.
    Standby,
    /// Took records that the present home never got. Kept as they are until an operator decides.
    Diverged(Divergence),
    /// A diverged datacenter on its way back to standby.
    Restoring(Divergence),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fencing {
    /// Promised to `to`: only `to` knows whether it became the home.
    Promised { to: Datacenter, generation: HomeGeneration, request: RequestId },
    /// Another home was heard of; what was written here at generation `held` is compared with where it started.
    Overruled { held: HomeGeneration },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The generation that this datacenter would be home at.
    pub generation: HomeGeneration,
    pub from: Datacenter,
    pub request: RequestId,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    pub generation: HomeGeneration,
    pub from: Datacenter,
    /// The generation that was drained, or left.
    pub previous: HomeGeneration,
    pub planned: bool,
    /// What the report says, kept in case this datacenter restarts before it has said it.
    pub partitions: Vec<PartitionReport>,
    pub groups: GroupTotals,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Divergence {
    /// The generation at which this datacenter took the records.
    pub held: HomeGeneration,
    pub tails: Vec<OrphanedTail>,
}

impl Divergence {
    pub fn records(&self) -> u64 {
        self.tails.iter().map(OrphanedTail::records).fold(0, u64::saturating_add)
    }
}

/// Records `[common, end)` exist here and not at the home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrphanedTail {
    pub topic: String,
    pub partition: i32,
    pub common: i64,
    pub end: i64,
}

impl OrphanedTail {
    pub fn records(&self) -> u64 {
        u64::try_from(self.end.saturating_sub(self.common)).unwrap_or(0)
    }
}

/// A [`State`] without its data: for messages, status and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateName {
    Home,
    Fencing,
    Draining,
    Promoting,
    Standby,
    Diverged,
    Restoring,
}

impl StateName {
    pub const ALL: [Self; 7] = [
        Self::Home,
        Self::Fencing,
        Self::Draining,
        Self::Promoting,
        Self::Standby,
        Self::Diverged,
        Self::Restoring,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Fencing => "fencing",
            Self::Draining => "draining",
            Self::Promoting => "promoting",
            Self::Standby => "standby",
            Self::Diverged => "diverged",
            Self::Restoring => "restoring",
        }
    }
}

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl State {
    pub fn name(&self) -> StateName {
        match self {
            Self::Home => StateName::Home,
            Self::Fencing(_) => StateName::Fencing,
            Self::Draining(_) => StateName::Draining,
            Self::Promoting(_) => StateName::Promoting,
            Self::Standby => StateName::Standby,
            Self::Diverged(_) => StateName::Diverged,
            Self::Restoring(_) => StateName::Restoring,
        }
    }
}

/// A stored record that cannot be trusted. The unit stays closed: guessing could make two homes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    #[error(
        "the ownership record of unit {unit} does not parse ({why}); restore it from a backup of the metadata, the unit stays closed"
    )]
    Corrupt { unit: String, why: String },
    #[error(
        "the ownership record of unit {unit} has version {found}, and this daemon knows {VERSION}; run the newer daemon"
    )]
    Version { unit: String, found: u64 },
    #[error("the ownership record of unit {unit} is that of unit {found}")]
    OtherUnit { unit: String, found: String },
}

impl UnitRecord {
    /// What a member starts with that has never been one: the declared home is the home of generation 1.
    pub fn first(unit: &str, home: Datacenter, state: State) -> Self {
        Self {
            version: VERSION,
            unit: unit.to_owned(),
            generation: HomeGeneration(1),
            home,
            previous: HomeGeneration(0),
            starts: Some(Vec::new()),
            promised: HomeGeneration(0),
            state,
        }
    }

    pub fn parse(unit: &str, text: &str) -> Result<Self, RecordError> {
        let corrupt =
            |why: serde_json::Error| RecordError::Corrupt { unit: unit.to_owned(), why: why.to_string() };
        let header: Header = serde_json::from_str(text).map_err(corrupt)?;
        if header.version != u64::from(VERSION) {
            return Err(RecordError::Version { unit: unit.to_owned(), found: header.version });
        }
        let record: Self = serde_json::from_str(text).map_err(corrupt)?;
        if record.unit != unit {
            return Err(RecordError::OtherUnit { unit: unit.to_owned(), found: record.unit });
        }
        Ok(record)
    }

    pub fn to_text(&self) -> String {
        serde_json::to_string(self)
            .expect("a record holds only strings, numbers and lists, so it always serialises")
    }
}

/// Read before anything else, so that a newer form is named as such.
#[derive(Deserialize)]
struct Header {
    version: u64,
}
