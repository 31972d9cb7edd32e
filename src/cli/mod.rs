//! The command line: what can be asked for, and the flags as a layer of settings.
//!
//! ```text
//!   run, config show                     settings  (flags before or after the command's name alike; no command: run)
//!   topology ..., certs ...              files that the command names; no settings
//!   status, failover, resume, translate  ask a running node on its admin port
//! ```
//!
//! Exit codes are those of `exit`; a command that does one thing gives an [`Answer`].

mod answer;
mod certs;
mod config_show;
mod failover;
mod flags;
mod node;
mod resume;
mod status;
mod table;
mod topology;
mod topology_file;
mod translate;

use clap::{CommandFactory, Parser, Subcommand, error::ErrorKind};

pub(crate) use self::{
    answer::Answer, certs::CertsCommand, config_show::show, failover::FailoverArguments, flags::Flags,
    node::Asked, resume::ResumeArguments, topology::TopologyCommand, translate::TranslateArguments,
};
pub(crate) use self::{
    certs::answer as certs_answer, failover::answer as failover_answer, resume::answer as resume_answer,
    status::answer as status_answer, topology::answer as topology_answer,
    translate::answer as translate_answer,
};
use crate::demo::DemoOptions;

/// A Kafka broker that joins datacenters.
#[derive(Debug, Parser)]
#[command(name = "isthmus", version, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    flags: Flags,
    /// Drain when standard input ends: for a daemon that another process started for itself.
    #[arg(long, global = true, hide = true)]
    end_with_parent: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub(crate) enum Command {
    /// Run the daemon; what happens without a command too.
    Run {
        #[command(flatten)]
        flags: Flags,
    },
    /// Look at the settings.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Look at a topology file: which datacenters there are, and what flows between them.
    Topology {
        #[command(subcommand)]
        command: TopologyCommand,
    },
    /// Make and look at the certificates that datacenters know each other by.
    Certs {
        #[command(subcommand)]
        command: CertsCommand,
    },
    /// Show two datacenters at work on this machine: a mirror, a failover, and a check of every record.
    Demo {
        #[command(flatten)]
        options: DemoOptions,
    },
    /// Show a running node: its links, what they carry, how far behind it is, and who is home.
    Status {
        /// As one JSON object.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        asked: Asked,
    },
    /// Move a failover unit's home to another datacenter; ask a node of the new home.
    Failover(FailoverArguments),
    /// Try partitions again that a link has stopped; ask a node at its target.
    Resume(ResumeArguments),
    /// Say where an offset of one side of a link is at the other.
    Translate(TranslateArguments),
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print every setting in force and where it came from.
    Show {
        #[command(flatten)]
        flags: Flags,
        /// As one JSON object.
        #[arg(long)]
        json: bool,
    },
}

impl Cli {
    /// Whether the process is to end with its standard input.
    pub(crate) fn is_tied(&self) -> bool {
        self.end_with_parent
    }

    /// What was asked for, with the flags that stood before the command's name in their place.
    pub(crate) fn asked(self) -> Result<Command, clap::Error> {
        let before = self.flags;
        match self.command {
            None => Ok(Command::Run { flags: before }),
            Some(Command::Run { flags }) => Ok(Command::Run { flags: flags.or(before) }),
            Some(Command::Config { command: ConfigCommand::Show { flags, json } }) => {
                Ok(Command::Config { command: ConfigCommand::Show { flags: flags.or(before), json } })
            }
            Some(other) if before == Flags::default() => Ok(other),
            Some(_) => Err(Self::command().error(
                ErrorKind::ArgumentConflict,
                "this command reads no settings; leave the flags before its name out",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &[&str]) -> Result<Command, ErrorKind> {
        let cli = Cli::try_parse_from([&["isthmus"], line].concat()).map_err(|error| error.kind())?;
        cli.asked().map_err(|error| error.kind())
    }

    #[test]
    fn the_command_line_is_consistent() {
        <Cli as CommandFactory>::command().debug_assert();
    }

    #[test]
    fn without_a_command_the_daemon_runs() {
        assert_eq!(asked(&["--data", "d"]), asked(&["run", "--data", "d"]));
        assert!(matches!(asked(&[]), Ok(Command::Run { flags }) if flags == Flags::default()));
    }

    #[test]
    fn flags_stand_on_either_side_of_the_command() {
        for command in [["run"].as_slice(), &["config", "show"]] {
            let before = asked(&[&["--data", "d"], command].concat());
            assert_eq!(before, asked(&[command, &["--data", "d"]].concat()));
            assert_ne!(before, asked(command));
        }
    }

    #[test]
    fn a_flag_after_the_command_counts_more_than_one_before_it() {
        let both = asked(&["--data", "before", "--listen", "l:1", "run", "--data", "after"]);
        assert_eq!(both, asked(&["run", "--data", "after", "--listen", "l:1"]));
    }

    #[test]
    fn a_flag_that_a_command_does_not_take_is_refused() {
        let line = ["topology", "check", "t.yaml"];
        assert!(asked(&line).is_ok());
        assert_eq!(asked(&[&["--data", "d"], line.as_slice()].concat()), Err(ErrorKind::ArgumentConflict));
        assert_eq!(asked(&[line.as_slice(), &["--data", "d"]].concat()), Err(ErrorKind::UnknownArgument));
    }
}
