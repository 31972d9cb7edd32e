//! What the topology says of a unit, as one of its members needs it.

use std::time::Duration;

use super::members::{Datacenter, Members};

/// How long a new home waits for the old one's answer, reconnections included, before a planned failover stops.
const FENCE_WAIT: Duration = Duration::from_secs(20);
/// How long a drain may go without a single record before a planned failover stops.
const DRAIN_WAIT: Duration = Duration::from_secs(20);
/// Between attempts at a step past the point of no return that failed.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

#[derive(Clone, Debug)]
pub struct Settings {
    pub unit: String,
    /// The datacenter that this state machine runs in.
    pub here: Datacenter,
    pub members: Members,
    pub when_apart: WhenApart,
    pub fence_wait: Duration,
    pub drain_wait: Duration,
    pub retry_pause: Duration,
}

/// What a home does that restarted, until a standby has told it who is the home.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenApart {
    /// Refuse writes.
    #[default]
    Wait,
    /// Admit them; if another one had become the home, this datacenter becomes diverged.
    Quarantine,
}

impl Settings {
    pub fn new(unit: &str, here: Datacenter, members: Members, when_apart: WhenApart) -> Self {
        Self {
            unit: unit.to_owned(),
            here,
            members,
            when_apart,
            fence_wait: FENCE_WAIT,
            drain_wait: DRAIN_WAIT,
            retry_pause: RETRY_PAUSE,
        }
    }
}
