//! The daemon and its command line: settings in, rooms built and wired, and everything put down in order again.
//!
//! ```text
//!   main -> cli -> config (settings, checked) -> telemetry -> app: lock, admin, broker ... ready ... drain
//! ```
//!
//! No domain logic lives here. Start with [`app`] for the order of things, with [`config`] for what can be set.

mod cli;
mod config;
mod exit;

use std::{io, process::ExitCode};

use clap::Parser;

use crate::cli::{Cli, Command, ConfigCommand};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let command = cli.asked();
    let effective = match cli.flags.load() {
        Ok(effective) => effective,
        Err(refused) => {
            eprintln!("isthmus: the settings were refused\n{refused}");
            return ExitCode::from(exit::REFUSED);
        }
    };
    match command {
        Command::Run => ExitCode::from(exit::FAILED),
        Command::Config { command: ConfigCommand::Show { json } } => {
            match cli::show(&effective, json, &mut io::stdout().lock()) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    eprintln!("isthmus: cannot write the settings: {error}");
                    ExitCode::from(exit::FAILED)
                }
            }
        }
    }
}
