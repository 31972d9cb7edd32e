//! The daemon and its command line: settings in, rooms built and wired, and everything put down in order again.
//!
//! ```text
//!   main -> cli -> config (settings, checked) -> telemetry -> app: lock, admin, broker ... ready ... drain
//! ```
//!
//! No domain logic lives here. Start with [`app`] for the order of things, with [`config`] for what can be set.

mod admin;
mod app;
mod cli;
mod config;
mod descriptors;
mod exit;
mod run;
mod signals;
mod telemetry;

use std::{
    io::{self, ErrorKind},
    process::ExitCode,
};

use clap::Parser;

use core_log::clock::SystemClock;

use crate::{
    cli::{Cli, Command, ConfigCommand},
    config::Effective,
};

fn main() -> ExitCode {
    let clock = SystemClock::new();
    let cli = Cli::parse();
    let command = cli.asked();
    let effective = match cli.flags.load() {
        Ok(effective) => effective,
        Err(refused) => {
            eprintln!("isthmus: the settings were refused\n{refused}");
            return ExitCode::from(exit::REFUSED);
        }
    };
    ExitCode::from(match command {
        Command::Run => run::run(effective.settings, clock),
        Command::Config { command: ConfigCommand::Show { json } } => show(&effective, json),
    })
}

fn show(effective: &Effective, json: bool) -> u8 {
    match cli::show(effective, json, &mut io::stdout().lock()) {
        Ok(()) => exit::DONE,
        // Whoever closed the pipe has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => exit::DONE,
        Err(error) => {
            eprintln!("isthmus: cannot write the settings: {error}");
            exit::FAILED
        }
    }
}
