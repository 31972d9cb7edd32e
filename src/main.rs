//! The daemon and its command line: settings in, rooms built and wired, and everything put down in order again.
//!
//! ```text
//!   main -> cli -> run:   config (settings, checked) -> telemetry -> app: lock, admin, broker ... ready ... drain
//!               -> other commands: an answer, and the process ends
//! ```
//!
//! No domain logic lives here. Start with [`app`] for the order of things, with [`config`] for what can be set.

mod adapters;
mod admin;
mod app;
mod cli;
mod config;
mod descriptors;
mod exit;
mod node;
mod operations;
mod run;
mod signals;
mod telemetry;

use std::{
    process::ExitCode,
    time::{Duration, SystemTime},
};

use clap::Parser;

use core_log::{Clock, clock::SystemClock};

use crate::cli::{Answer, Cli, Command, ConfigCommand};

fn main() -> ExitCode {
    let clock = SystemClock::new();
    let command = match Cli::parse().asked() {
        Ok(command) => command,
        Err(error) => error.exit(),
    };
    ExitCode::from(match command {
        Command::Run { flags } => match flags.load() {
            Ok(effective) => run::run(effective, clock),
            Err(refused) => Answer::refused(refused).print(),
        },
        Command::Config { command: ConfigCommand::Show { flags, json } } => match flags.load() {
            Ok(effective) => cli::show(&effective, json),
            Err(refused) => Answer::refused(refused),
        }
        .print(),
        Command::Topology { command } => cli::topology_answer(&command).print(),
        Command::Certs { command } => cli::certs_answer(&command, wall_time(&clock)).print(),
    })
}

fn wall_time(clock: &dyn Clock) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(clock.wall_ms().try_into().unwrap_or(0))
}
