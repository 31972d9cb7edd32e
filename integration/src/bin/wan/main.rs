//! A WAN on one machine, from the command line: see `docs/wan.md`.
//!
//! ```text
//! wan up wan.yaml &                       lays out the namespaces and is the emulator until it ends
//! wan exec us-east -- iperf3 -s &         runs a command in a datacenter
//! wan set us-east:eu-west both loss=0.01  changes a link while it runs
//! wan show                                counters and settings
//! wan down                                takes all of it away, also after a kill -9
//! ```

mod up;

use std::{
    io::{self, Write},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};

use integration::wan::{self, BOTH, Change, Client, DEFAULT_NAME, LayoutError, Name, STATE_ROOT};

#[derive(Parser)]
#[command(about = "A WAN on one machine: links with delay, loss and rate between network namespaces")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Lays out the namespaces and links of a file, prints "ready", and is the emulator until it is told to end.
    Up {
        file: PathBuf,
        /// Decides every chance.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Instead of the file's name for the layout.
        #[arg(long)]
        name: Option<Name>,
        #[command(flatten)]
        state: State,
    },
    /// Changes a direction of a link while it runs.
    Set {
        /// ONE:OTHER, two datacenters.
        link: String,
        /// The datacenter whose sending it is about, or both.
        direction: String,
        /// For example delay_ms=75 loss=0.01 rate_mbit=200 blackhole=true. Zero turns an impairment off.
        #[arg(required = true)]
        changes: Vec<String>,
        #[command(flatten)]
        layout: Layout,
    },
    /// Prints where the layout is, how it is set and what it has done.
    Show {
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        layout: Layout,
    },
    /// Runs a command in a datacenter; its exit code is the command's.
    Exec {
        #[command(flatten)]
        layout: Layout,
        datacenter: String,
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Ends the emulator, kills what still runs in the datacenters, and takes everything away.
    Down {
        #[command(flatten)]
        layout: Layout,
    },
}

#[derive(Args)]
struct State {
    /// The directory under which layouts keep their state.
    #[arg(long = "state", default_value = STATE_ROOT)]
    root: PathBuf,
}

#[derive(Args)]
struct Layout {
    /// The layout's name.
    #[arg(long, default_value = DEFAULT_NAME)]
    name: Name,
    #[command(flatten)]
    state: State,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().verb {
        Verb::Up { file, seed, name, state } => up::run(&file, seed, name, &state.root),
        Verb::Set { link, direction, changes, layout } => set(&link, &direction, &changes, &layout),
        Verb::Show { json, layout } => show(json, &layout),
        Verb::Exec { layout, datacenter, command } => exec(&datacenter, &command, &layout),
        Verb::Down { layout } => {
            wan::down(&layout.state.root, &layout.name).map_err(|error| error.to_string())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("wan: {what}");
            ExitCode::FAILURE
        }
    }
}

fn set(link: &str, direction: &str, changes: &[String], layout: &Layout) -> Result<(), String> {
    let Some((one, other)) = link.split_once(':') else {
        return Err(format!("{link} is no link: say ONE:OTHER"));
    };
    let ways = match direction {
        BOTH => vec![(one, other), (other, one)],
        sender if sender == one => vec![(one, other)],
        sender if sender == other => vec![(other, one)],
        _ => return Err(format!("{direction} is no direction of {link}: say {one}, {other} or {BOTH}")),
    };
    let change = Change::parse(changes.iter().map(String::as_str)).map_err(|error| error.to_string())?;
    let client = Client::new(&layout.state.root, &layout.name);
    for (from, to) in ways {
        let impairments = client.set(from, to, &change).map_err(|error| error.to_string())?;
        print(&format!("{from} -> {to}: {impairments}\n"))?;
    }
    Ok(())
}

fn show(json: bool, layout: &Layout) -> Result<(), String> {
    let report = Client::new(&layout.state.root, &layout.name).report().map_err(|error| error.to_string())?;
    if json {
        let report = serde_json::to_string(&report).expect("a report has no keys but text");
        print(&format!("{report}\n"))
    } else {
        print(&report.to_string())
    }
}

fn exec(datacenter: &str, command: &[String], layout: &Layout) -> Result<(), String> {
    let (program, arguments) = command.split_first().expect("clap asks for one");
    let found: Result<_, LayoutError> =
        wan::command_in(&layout.state.root, &layout.name, datacenter, program);
    let mut command = found.map_err(|error| error.to_string())?;
    // Returns only if it fails.
    Err(command.args(arguments).exec().to_string())
}

fn print(text: &str) -> Result<(), String> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.to_string()),
        _ => Ok(()),
    }
}
