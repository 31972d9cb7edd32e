//! `isthmus run`: the process around the app: telemetry, runtime, exit code.

use std::{io, time::Duration};

use tokio::runtime::{Builder, Runtime};

use core_log::clock::SystemClock;

use crate::{
    app::{self, AppError, Ending},
    config::Effective,
    descriptors, exit,
    node::Node,
    telemetry, wall_time,
};

/// Whatever still runs on the runtime after the drain is of no consequence; this much waiting lets it end by itself.
const LEFTOVERS_WITHIN: Duration = Duration::from_millis(200);

/// Runs the daemon to its end and answers with the exit code.
pub(crate) fn run(effective: Effective, clock: SystemClock) -> u8 {
    let Effective { settings, placement, .. } = effective;
    if let Err(error) = telemetry::start(&settings.telemetry) {
        eprintln!("isthmus: {error}");
        return exit::REFUSED;
    }
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        open_files_max = descriptors::raise_limit(),
        "starting"
    );
    let node = placement.map(|placement| Node::load(placement, &settings, wall_time(&clock))).transpose();
    let node = match node {
        Ok(node) => node,
        Err(error) => {
            tracing::error!(%error, "refused");
            return exit::REFUSED;
        }
    };
    let runtime = match runtime(settings.worker_threads) {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "cannot start the runtime's threads");
            return exit::FAILED;
        }
    };
    let ended = runtime.block_on(app::live(settings, node, clock));
    let code = exit_code(&ended);
    match ended {
        Ok(Ending::Drained) => tracing::info!("stopped"),
        Ok(Ending::Cut(signal)) => tracing::warn!(%signal, "stopped before the drain was done"),
        Err(error) => tracing::error!(%error, "stopped"),
    }
    runtime.shutdown_timeout(LEFTOVERS_WITHIN);
    code
}

fn runtime(worker_threads: usize) -> io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    if worker_threads > 0 {
        builder.worker_threads(worker_threads);
    }
    builder.enable_all().thread_name("isthmus").build()
}

fn exit_code(ended: &Result<Ending, AppError>) -> u8 {
    match ended {
        Ok(Ending::Drained) => exit::DONE,
        Ok(Ending::Cut(signal)) => signal.exit_code(),
        Err(error) if error.is_in_use() => exit::IN_USE,
        Err(_) => exit::FAILED,
    }
}
