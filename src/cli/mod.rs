//! The command line: what can be asked for, and the flags as a layer of settings.
//!
//! Flags stand before or after the command's name alike. Without a command the daemon runs.

mod config_show;

use std::{env, path::PathBuf};

use clap::{Args, Parser, Subcommand};

use crate::config::{
    Effective, Inputs, Refused,
    effective::{FileNamed, FlagGiven},
    environment::CONFIG_FILE,
};

pub(crate) use config_show::show;

/// A Kafka broker that joins datacenters.
#[derive(Debug, Parser)]
#[command(name = "isthmus", version, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) flags: Flags,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Subcommand)]
pub(crate) enum Command {
    /// Run the daemon; what happens without a command too.
    #[default]
    Run,
    /// Look at the settings.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print every setting in force and where it came from.
    Show {
        /// As one JSON object.
        #[arg(long)]
        json: bool,
    },
}

/// Flags that are settings, and the one that names the file.
#[derive(Debug, Args)]
pub(crate) struct Flags {
    /// The data directory (setting `data`).
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<String>,
    /// Where Kafka clients connect (setting `broker.listen`).
    #[arg(long, global = true, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// Where metrics and health are served (setting `admin`).
    #[arg(long, global = true, value_name = "HOST:PORT")]
    admin: Option<String>,
    /// A settings file in TOML; also named by the variable ISTHMUS_CONFIG.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How logs are written: auto, human or json (setting `telemetry.format`).
    #[arg(long, global = true, value_name = "FORMAT")]
    log_format: Option<String>,
}

impl Cli {
    pub(crate) fn asked(&self) -> Command {
        self.command.unwrap_or_default()
    }
}

impl Flags {
    /// The settings in force for this process.
    pub(crate) fn load(self) -> Result<Effective, Refused> {
        let named_by_flag = self.config.map(|path| FileNamed { path, by: "--config" });
        let named_by_variable =
            || env::var_os(CONFIG_FILE).map(|path| FileNamed { path: path.into(), by: CONFIG_FILE });
        let flags = [
            ("data", "--data", self.data),
            ("broker.listen", "--listen", self.listen),
            ("admin", "--admin", self.admin),
            ("telemetry.format", "--log-format", self.log_format),
        ];
        let given = flags
            .into_iter()
            .filter_map(|(setting, flag, value)| Some(FlagGiven { setting, flag, value: value? }));
        let inputs = Inputs {
            file: named_by_flag.or_else(named_by_variable),
            variables: env::vars_os().collect(),
            flags: given.collect(),
        };
        inputs.load()
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        <Cli as CommandFactory>::command().debug_assert();
    }

    #[test]
    fn without_a_command_the_daemon_runs() {
        let cli = Cli::parse_from(["isthmus", "--data", "d"]);
        assert_eq!(cli.asked(), Command::Run);
        assert_eq!(cli.flags.data.as_deref(), Some("d"));
    }

    #[test]
    fn flags_stand_on_either_side_of_the_command() {
        for line in [["isthmus", "--data", "d", "run"], ["isthmus", "run", "--data", "d"]] {
            assert_eq!(Cli::parse_from(line).flags.data.as_deref(), Some("d"));
        }
    }
}
