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
mod demo;
mod descriptors;
mod exit;
mod joined;
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
    let cli = Cli::parse();
    let tied = cli.is_tied();
    let command = match cli.asked() {
        Ok(command) => command,
        Err(error) => error.exit(),
    };
    if tied && let Err(error) = demo::end_with_parent() {
        return ExitCode::from(Answer::failed(format!("cannot watch standard input: {error}")).print());
    }
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
        Command::Status { json, asked } => cli::status_answer(asked, json).print(),
        Command::Failover(arguments) => cli::failover_answer(arguments).print(),
        Command::Resume(arguments) => cli::resume_answer(arguments).print(),
        Command::Translate(arguments) => cli::translate_answer(arguments).print(),
        Command::Certs { command } => cli::certs_answer(&command, wall_time(&clock)).print(),
        Command::Demo { options } => demo::run(&options, clock),
    })
}

fn wall_time(clock: &dyn Clock) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(clock.wall_ms().try_into().unwrap_or(0))
}
