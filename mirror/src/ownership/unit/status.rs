//! What `isthmus status` and the metrics show of a unit.

use serde::{Deserialize, Serialize};

use super::{Unit, Work};
use crate::ownership::{
    generation::HomeGeneration,
    members::Datacenter,
    record::{Divergence, StateName},
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitStatus {
    pub unit: String,
    pub state: StateName,
    pub generation: HomeGeneration,
    pub home: Datacenter,
    /// Writable here.
    pub open: bool,
    /// The members that messages reach.
    pub connected: Vec<Datacenter>,
    pub divergence: Option<Divergence>,
    /// The step of a promotion that failed last, and is being tried again.
    pub failing: Option<String>,
}

impl Unit {
    pub fn status(&self) -> UnitStatus {
        let view = self.view();
        let failing = match &self.work {
            Work::Promote(promote) => promote.failed.clone(),
            _ => None,
        };
        UnitStatus {
            unit: view.unit,
            state: view.state,
            generation: view.generation,
            home: view.home,
            open: view.gate == crate::ownership::Gate::Open,
            connected: self.peers.iter().cloned().collect(),
            divergence: self.divergence().cloned(),
            failing,
        }
    }
}
