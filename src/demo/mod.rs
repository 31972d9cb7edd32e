//! `isthmus demo`: two datacenters on this machine, and the whole story between them, with the numbers.
//!
//! ```text
//!   world (folder, topology, certificates) -> daemons (two child processes) -> script
//!
//!   script:  producer --------> us-east ==mirror==> eu-west <- reader (lag)
//!            group ------------>   |     failover     |
//!            producer, group ------------------------>|
//!            audit: every record on both sides against the ledger  ->  report
//! ```
//!
//! 1. Everything goes through doors that users have: the Kafka protocol, the admin pages, the command line.
//! 2. The check is exact. The ledger has every acknowledged event; the logs on both sides must hold just these, and the
//!    group must have processed each once.
//! 3. Nothing is left behind: daemons end with the demo, however it ends, and a run's files are in a folder of its own.
//!
//! Start with `script`.

mod admin;
mod audit;
mod client;
mod daemons;
mod error;
mod event;
mod folder;
mod group;
mod ledger;
mod options;
mod percentile;
mod ports;
mod processed;
mod producer;
mod progress;
mod reader;
mod region;
mod report;
mod retry;
mod sampler;
mod script;
mod tether;
mod verify;
mod view;
mod world;

use std::{
    io::{self, Write},
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::runtime::Builder;

use core_log::{Clock, clock::SystemClock};

use self::{
    daemons::{Daemons, ready},
    error::DemoError,
    progress::Progress,
    report::Report,
    script::{Load, invitation, play},
    view::Style,
    world::World,
};
use crate::{
    exit,
    signals::{Signals, Stop},
};

pub(crate) use self::{options::DemoOptions, tether::end_with_parent};

/// How a run came to its end.
enum Ending {
    Played(Report),
    Interrupted(Stop),
    Failed(DemoError),
}

/// Runs the demo to its end and answers with the exit code.
pub(crate) fn run(options: &DemoOptions, clock: SystemClock) -> u8 {
    let runtime = match Builder::new_multi_thread().enable_all().thread_name("demo").build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("isthmus: cannot start the runtime's threads: {error}");
            return exit::FAILED;
        }
    };
    runtime.block_on(live(options, Arc::new(clock))).unwrap_or_else(|error| {
        eprintln!("isthmus: {error}");
        exit::FAILED
    })
}

/// Prepares, starts, plays, reports, and puts everything down again.
async fn live(options: &DemoOptions, clock: Arc<dyn Clock>) -> Result<u8, DemoError> {
    let listening = |source| DemoError::Process { what: "listen for signals", source };
    let mut signals = Signals::listen().map_err(listening)?;
    let now = Duration::from_millis(clock.wall_ms().try_into().unwrap_or(0));
    let mut world = World::prepare(options, SystemTime::UNIX_EPOCH + now)?;
    let progress = Progress::new(clock);
    progress.enter("starting two daemons");
    let mut daemons = Daemons::start(&world)?;

    let style = Style::choose(options.once);
    let shown = tokio::spawn(view::show(progress.clone(), style));
    let load = Load { rate: options.rate, seconds: options.seconds };
    let ending = tokio::select! {
        biased;
        stop = signals.next() => Ending::Interrupted(stop),
        ended = daemons.ended() => Ending::Failed(ended),
        played = start_and_play(&world, &progress, load) => played.map_or_else(Ending::Failed, Ending::Played),
    };
    shown.abort();
    view::finish(&progress, style);

    let mut code = tell(&ending, &mut world, &daemons, options.json);
    if code == exit::DONE && !options.once {
        // To standard error: a result in JSON is to be the last line of the other.
        eprint!("{}", invitation(&world));
        tokio::select! {
            _ = signals.next() => {}
            ended = daemons.ended() => {
                eprintln!("{}isthmus: {ended}", daemons.log_tails());
                code = exit::FAILED;
            }
        }
    }
    tokio::select! {
        () = daemons.stop() => {}
        _ = signals.next() => eprintln!("isthmus: the daemons are killed before they are drained"),
    }
    Ok(code)
}

async fn start_and_play(world: &World, progress: &Progress, load: Load) -> Result<Report, DemoError> {
    ready(world).await?;
    play(world, progress, load).await
}

/// Says how it ended, and answers with the exit code.
fn tell(ending: &Ending, world: &mut World, daemons: &Daemons, json: bool) -> u8 {
    match ending {
        Ending::Interrupted(stop) => {
            eprintln!("isthmus: {stop}: putting everything down");
            stop.exit_code()
        }
        Ending::Failed(error) => {
            world.folder.keep();
            eprint!("{}", daemons.log_tails());
            eprintln!("isthmus: {error}\nisthmus: everything is kept in {}", world.folder.path().display());
            exit::FAILED
        }
        Ending::Played(report) => {
            let text = if json { format!("{}\n", report.to_json()) } else { report.to_text() };
            if !report.held() {
                world.folder.keep();
                eprint!("{}", daemons.log_tails());
                eprintln!(
                    "isthmus: the check did not hold; everything is kept in {}",
                    world.folder.path().display()
                );
            }
            print(&text);
            if report.held() { exit::DONE } else { exit::FAILED }
        }
    }
}

/// To standard output; whoever closed it has seen enough.
fn print(text: &str) {
    let mut out = io::stdout().lock();
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}
