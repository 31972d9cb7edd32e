//! Isthmus and what users run today, side by side: the same bytes, the same machine, one after the other in one run.
//!
//! ```text
//!   Options -> scenario (cases) -> for each pair and case: Side, Side (the order alternates) -> report
//!                                              |
//!                         Isthmus: two daemons, certificates, a topology
//!                         Peer:    two Kafka brokers and MirrorMaker 2
//! ```
//!
//! Promises:
//! 1. Both sides are driven by [`crate::load`], with the same encoded bytes; what the driver takes is on nobody's account.
//! 2. CPU time and memory are the kernel's, of whole processes.
//! 3. Start-up, warm-up and the giving out of work come before a measurement, except where they are what is measured.
//! 4. Every process is gone when its world is dropped.
//!
//! Where processes run is a [`place`]; a network between datacenters is a place's affair.

mod apart;
mod figures;
mod isthmus;
mod ledger;
mod node;
mod options;
mod others;
mod peer;
pub mod place;
mod process;
mod progress;
mod report;
mod scenario;
mod service;
mod side;
mod usage;

use std::{
    any::Any,
    panic::{self, AssertUnwindSafe},
};

pub use options::{Only, Options};
pub use scenario::Scenario;

use isthmus::Isthmus;
use peer::Peer;
use place::Places;
use progress::Progress;
use report::CaseRuns;
use scenario::Context;
use side::Side;

/// What a run came to.
pub struct Report {
    scenario: Scenario,
    options: String,
    cases: Vec<CaseRuns>,
}

/// Runs a scenario's cases, each as often as the options say.
#[track_caller]
pub fn run(options: &Options, places: &Places) -> Report {
    let isthmus = Isthmus;
    let peer = Peer { exactly_once: options.exactly_once };
    let sides: Vec<&dyn Side> = match options.only {
        None => vec![&isthmus, &peer],
        Some(Only::Isthmus) => vec![&isthmus],
        Some(Only::Peer) => vec![&peer],
    };
    let mut progress = Progress::new();
    let mut report =
        Report { scenario: options.scenario, options: format!("{options:?}"), cases: Vec::new() };
    let cases = options.scenario.cases(options);
    let wanted = cases.iter().filter(|case| {
        options
            .case
            .as_ref()
            .is_none_or(|wanted| wanted.split(',').all(|word| case.name.contains(word.trim())))
    });
    for case in wanted {
        let mut runs = CaseRuns::new(&case.name, sides.iter().map(|side| side.name()));
        for pair in 0..options.pairs {
            let mut order: Vec<usize> = (0..sides.len()).collect();
            if pair % 2 == 1 {
                order.reverse();
            }
            for at in order {
                let side = sides[at];
                progress.enter(format!(
                    "{}, run {} of {}, {}",
                    case.name,
                    pair + 1,
                    options.pairs,
                    side.name()
                ));
                let mut context = Context { options, places, progress: &mut progress };
                // What one run could not do leaves the others their figures.
                let run = panic::catch_unwind(AssertUnwindSafe(|| (case.run)(side, &mut context)));
                match run {
                    Ok(figures) => runs.sides[at].1.push(figures),
                    Err(reason) => runs.failures.push(format!("{}: {}", side.name(), said(&*reason))),
                }
            }
        }
        report.cases.push(runs);
    }
    report
}

fn said(reason: &(dyn Any + Send)) -> String {
    let text = reason.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| reason.downcast_ref::<&str>().copied()).unwrap_or("it failed").to_owned()
}

impl Report {
    /// For people.
    pub fn markdown(&self) -> String {
        report::markdown(self.scenario.name(), &self.cases)
    }

    /// For machines, run by run.
    pub fn json(&self) -> serde_json::Value {
        let mut json = report::json(self.scenario.name(), &self.cases);
        json["options"] = self.options.clone().into();
        json
    }

    /// Whether every run went through.
    pub fn is_whole(&self) -> bool {
        self.cases.iter().all(|case| case.failures.is_empty())
    }

    /// A figure's values over all cases and runs of the only side, or of both.
    pub fn values(&self, figure: &str) -> Vec<f64> {
        let runs = self.cases.iter().flat_map(|case| &case.sides).flat_map(|(_, runs)| runs);
        runs.filter_map(|figures| figures.value(figure)).collect()
    }
}
