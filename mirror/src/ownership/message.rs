//! What members of a unit tell each other. The driver adds the unit's name and the link's framing.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    generation::HomeGeneration,
    members::Datacenter,
    positions::{GroupPosition, PartitionEnd},
    record::StateName,
};

/// One attempt's correlation number: unique at its sender for as long as its record lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId(pub u64);

/// Every message may be lost, repeated, or arrive late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// What the sender knows; sent whenever a connection is there.
    State { generation: HomeGeneration, home: Datacenter, state: StateName },
    /// "Close your gates: I mean to be the home at this generation."
    Fence { request: RequestId, generation: HomeGeneration },
    /// "Closed, and this is all I have."
    Fenced {
        request: RequestId,
        generation: HomeGeneration,
        ends: Vec<PartitionEnd>,
        groups: Vec<GroupPosition>,
    },
    /// "I will never be the home at this generation": the sender has made that durable. Only this reopens a fenced home.
    Unfence { request: RequestId, generation: HomeGeneration },
    /// The home moved. Where it starts says which records of an older home were left behind.
    Promoted {
        generation: HomeGeneration,
        /// The generation that this one followed.
        previous: HomeGeneration,
        home: Datacenter,
        starts: Vec<PartitionEnd>,
    },
    /// A `Fence` that was not obeyed.
    Refused { request: RequestId, reason: FenceRefusal },
}

/// Why a datacenter does not fence itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum FenceRefusal {
    /// The generation asked for is not above one that it knows or has promised.
    StaleGeneration { known: HomeGeneration },
    /// It is not the home.
    NotHome { home: Datacenter, generation: HomeGeneration },
    /// It has fenced itself for another new home, whose outcome it has to hear first.
    FencedFor { other: Datacenter, generation: HomeGeneration },
    /// The sender is no member of the unit in its topology.
    NotAMember,
    /// It closed its gates, but its logs or groups could not be settled.
    Unsettled { what: String },
}

impl fmt::Display for FenceRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StaleGeneration { known } => {
                write!(f, "it has promised generation {known} already; try again")
            }
            Self::NotHome { home, generation } => {
                write!(f, "it is not the home: {home} is, at generation {generation}")
            }
            Self::FencedFor { other, generation } => {
                write!(
                    f,
                    "it is fenced for {other} at generation {generation}; finish or stop that failover first"
                )
            }
            Self::NotAMember => {
                f.write_str("its topology does not name this datacenter as a member of the unit")
            }
            Self::Unsettled { what } => write!(f, "it could not settle what it has: {what}"),
        }
    }
}
