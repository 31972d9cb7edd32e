//! `isthmus topology check | show | plan`: the topology file before any daemon has it.

use std::path::PathBuf;

use clap::Subcommand;

use topology::{
    Loaded, Report, changes_json, changes_text, diff, node_plan_json, node_plan_text, topology_json,
    topology_text,
};

use super::{Answer, topology_file};
use crate::exit;

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub(crate) enum TopologyCommand {
    /// Report every problem of a topology file, with the fix; exits with 1 if there is an error.
    Check {
        file: PathBuf,
        /// The report as one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Show the world that a file describes, or what one node of it runs.
    Show {
        file: PathBuf,
        /// What this node runs.
        #[arg(long, value_name = "NAME")]
        node: Option<String>,
        /// As one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Check a file and show what would change against another one.
    Plan {
        file: PathBuf,
        /// The file that is in force.
        #[arg(long, value_name = "OLD")]
        from: PathBuf,
        /// As one JSON object.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn answer(command: &TopologyCommand) -> Answer {
    let answered = match command {
        TopologyCommand::Check { file, json } => topology_file::check(file).map(|found| check(found, *json)),
        TopologyCommand::Show { file, node, json } => {
            topology_file::load(file).map(|loaded| show(&loaded, node.as_deref(), *json))
        }
        TopologyCommand::Plan { file, from, json } => topology_file::load(from)
            .and_then(|old| Ok((old, topology_file::load(file)?)))
            .map(|(old, new)| plan(&old, &new, *json)),
    };
    answered.unwrap_or_else(|refused| refused)
}

fn check(found: Result<Loaded, Report>, json: bool) -> Answer {
    let (report, code) = match &found {
        Ok(loaded) => (&loaded.report, exit::DONE),
        Err(report) => (report, exit::FAILED),
    };
    if json {
        return Answer::json(&report.to_json()).with_code(code);
    }
    let count = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let (errors, warnings) = (count(report.errors(), "error"), count(report.warnings(), "warning"));
    match &found {
        Ok(_) => Answer::done(format!("{}: valid, {warnings}\n", report.file)).with_err(report.to_string()),
        Err(_) => Answer::default()
            .with_err(format!("{report}{}: not valid, {errors}, {warnings}\n", report.file))
            .with_code(code),
    }
}

fn show(loaded: &Loaded, node: Option<&str>, json: bool) -> Answer {
    let topology = &loaded.topology;
    match node.map(|node| topology::plan(topology, node)) {
        None if json => Answer::json(&topology_json(topology)),
        None => Answer::done(topology_text(topology)),
        Some(Ok(plan)) if json => Answer::json(&node_plan_json(&plan)),
        Some(Ok(plan)) => Answer::done(node_plan_text(&plan)),
        Some(Err(unknown)) => Answer::refused(unknown),
    }
}

fn plan(old: &Loaded, new: &Loaded, json: bool) -> Answer {
    let changes = diff(&old.topology, &new.topology);
    if json {
        return Answer::json(&changes_json(&changes));
    }
    Answer::done(changes_text(&changes)).with_err(new.report.to_string())
}
