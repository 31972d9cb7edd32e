//! Logs: structured events of `tracing` on standard error.
//!
//! A human at a terminal gets colours; a file or a pipe gets one plain line per event; `json` gives one object per
//! line for machines.

use std::io::{self, IsTerminal};

use tracing_subscriber::{
    EnvFilter, Layer, Registry, filter::ParseError, layer::SubscriberExt, util::SubscriberInitExt,
};

use crate::config::settings::{LogFormat, TelemetrySettings};

/// Why logs cannot be written as asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TelemetryError {
    #[error("telemetry.filter: {0}")]
    Filter(#[from] ParseError),
    #[error(transparent)]
    Set(#[from] tracing_subscriber::util::TryInitError),
}

/// From here on, every event of the process is written.
pub(crate) fn start(settings: &TelemetrySettings) -> Result<(), TelemetryError> {
    let filter = EnvFilter::try_new(&settings.filter)?;
    let to_terminal = io::stderr().is_terminal();
    tracing_subscriber::registry()
        .with(lines(settings.format, to_terminal).with_filter(filter))
        .try_init()?;
    Ok(())
}

fn lines(format: LogFormat, to_terminal: bool) -> Box<dyn Layer<Registry> + Send + Sync> {
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(to_terminal);
    match format {
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
        LogFormat::Human => layer.boxed(),
        LogFormat::Auto if to_terminal => layer.boxed(),
        LogFormat::Auto => layer.compact().boxed(),
    }
}
