//! The failover units of a node at work: their state machines hear, speak, store what they promise, and have gates, logs and groups
//! obey.
//!
//! ```text
//!   Lines  -- messages, who is connected -->  one task for each unit  -- records, gates, groups, logs -->  ports
//!   operator -- failover ----------------->   (state machine)        -- views -->  gates, links
//!   Tails  -- logs that went apart ------->
//! ```
//!
//! Every unit is opened, and its view published, before anything is served or mirrored: until then its gates are closed.

mod deeds;
mod ends;
mod speech;
mod tails;
mod unit;

use std::{collections::BTreeMap, sync::Arc};

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};

use core_log::Clock;

use self::{
    deeds::Here,
    unit::{Input, UnitDriver, UnitParts},
};
pub(crate) use self::{
    ends::HeardEnds,
    tails::{Tail, Tails},
};
use super::{
    flows::UnitViews,
    limits::VERBS,
    line::{Heard, Lines},
    random::Random,
};
use crate::{
    ownership::{Datacenter, FailoverRefusal, FailoverReport, RecordError, Settings},
    ports::{PortError, Ports},
};

/// What the units of a node are made of.
pub(crate) struct UnitsParts {
    pub(crate) units: Vec<Settings>,
    pub(crate) ports: Ports,
    pub(crate) views: Arc<UnitViews>,
    pub(crate) lines: Lines,
    pub(crate) heard: mpsc::Receiver<Heard>,
    pub(crate) ends: HeardEnds,
    pub(crate) tails: Tails,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Random,
}

/// Why the units of a node do not run.
#[derive(Debug, thiserror::Error)]
pub enum UnitsError {
    #[error("the ownership records cannot be read or stored: {0}")]
    Store(#[from] PortError),
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// Why there is no report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FailoverError {
    #[error("there is no failover unit {0} here; `isthmus topology show` lists them")]
    UnknownUnit(String),
    #[error(transparent)]
    Refused(#[from] FailoverRefusal),
    #[error("the node went down, or lost its record's store, while it was at it; repeat the command")]
    Interrupted,
}

/// Asks units for failovers; cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Operator {
    units: BTreeMap<String, mpsc::Sender<Input>>,
}

impl Operator {
    /// Returns when the unit has moved, or when it is known why it does not.
    pub(crate) async fn failover(
        &self,
        unit: &str,
        to: Datacenter,
        dry_run: bool,
        unplanned: bool,
    ) -> Result<FailoverReport, FailoverError> {
        let inputs = self.units.get(unit).ok_or_else(|| FailoverError::UnknownUnit(unit.to_owned()))?;
        let (answer, answered) = oneshot::channel();
        let verb = Input::Failover { to, dry_run, unplanned, answer };
        inputs.send(verb).await.map_err(|_| FailoverError::Interrupted)?;
        Ok(answered.await.map_err(|_| FailoverError::Interrupted)??)
    }
}

/// Units that are open, and do nothing yet but keep what their records say.
pub(crate) struct Units {
    drivers: Vec<(UnitDriver, mpsc::Receiver<Input>)>,
    operator: Operator,
    lines: Lines,
    heard: mpsc::Receiver<Heard>,
    tails: Tails,
    views: Arc<UnitViews>,
}

impl Units {
    /// Opens every unit and publishes what its record allows.
    pub(crate) async fn open(parts: UnitsParts) -> Result<Self, UnitsError> {
        let records = parts.ports.ownership.load().await?;
        let mut drivers = Vec::new();
        let mut operator = Operator::default();
        for settings in &parts.units {
            let record = records.iter().find(|record| record.unit == settings.unit);
            let unit: Arc<str> = Arc::from(settings.unit.as_str());
            let here = Here {
                unit,
                ports: parts.ports.clone(),
                views: Arc::clone(&parts.views),
                heard: parts.ends.clone(),
            };
            let name = settings.unit.clone();
            let driven = UnitParts {
                settings: settings.clone(),
                here,
                lines: parts.lines.clone(),
                clock: Arc::clone(&parts.clock),
                random: parts.random.clone(),
            };
            let mut driver = UnitDriver::open(driven, record.map(|record| record.record.as_str()))?;
            driver.start().await?;
            let (inputs, input) = mpsc::channel(VERBS);
            operator.units.insert(name, inputs);
            drivers.push((driver, input));
        }
        let UnitsParts { lines, heard, tails, views, .. } = parts;
        Ok(Self { drivers, operator, lines, heard, tails, views })
    }

    pub(crate) fn operator(&self) -> Operator {
        self.operator.clone()
    }

    /// Runs all units; ends when dropped, or with the lines.
    pub(crate) async fn run(self) {
        let Self { drivers, operator, lines, mut heard, tails, views } = self;
        let mut tasks = JoinSet::new();
        for (driver, inputs) in drivers {
            tasks.spawn(driver.run(inputs));
        }
        let (mut changes, mut tails_found) = (lines.changes(), tails.changes());
        let mut connected = BTreeMap::new();
        loop {
            changes.borrow_and_update();
            operator.tell_connections(&mut connected, lines.connected()).await;
            tails_found.borrow_and_update();
            operator.tell_tails(tails.take(), &views).await;
            tokio::select! {
                said = heard.recv() => {
                    let Some(Heard { from, message }) = said else { return };
                    match operator.units.get(&message.unit) {
                        // Its task has ended only if the node goes down.
                        Some(unit) => drop(unit.send(Input::Heard { from, message }).await),
                        None => tracing::warn!(%from, unit = message.unit, "a peer speaks of a unit that this node is no member of"),
                    }
                }
                changed = changes.changed() => if changed.is_err() { return },
                changed = tails_found.changed() => if changed.is_err() { return },
            }
        }
    }
}

impl Operator {
    /// What is of no unit is the link's alone.
    async fn tell_tails(&self, tails: Vec<Tail>, views: &UnitViews) {
        for tail in tails {
            let unit = views.membership().unit_of_topic(tail.topic.as_str());
            if let Some(unit) = unit.and_then(|unit| self.units.get(unit)) {
                // Its task has ended only if the node goes down.
                let _ = unit.send(Input::TailFound(tail)).await;
            }
        }
    }

    /// A connection with another number is a new one: what was said on the old one may be lost.
    async fn tell_connections(&self, before: &mut BTreeMap<Datacenter, u64>, now: BTreeMap<Datacenter, u64>) {
        for peer in before.keys().filter(|peer| !now.contains_key(*peer)) {
            for unit in self.units.values() {
                let _ = unit.send(Input::Lost(peer.clone())).await;
            }
        }
        for (peer, number) in &now {
            if before.get(peer) != Some(number) {
                for unit in self.units.values() {
                    let _ = unit.send(Input::Connected(peer.clone())).await;
                }
            }
        }
        *before = now;
    }
}
