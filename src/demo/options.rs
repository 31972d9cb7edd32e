//! The demo's command line.

use std::path::PathBuf;

use clap::Args;

use super::ports::ListenAddress;

const RATE: u64 = 500;
/// With [`SECONDS_MAX`] it bounds the ledger: nine million records.
const RATE_MAX: u64 = 10_000;
const SECONDS: u64 = 10;
const SECONDS_MAX: u64 = 600;

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct DemoOptions {
    /// Keep data, logs, certificates and topology in a new folder under this one; without it they go at the end.
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
    /// Where Kafka clients reach us-east; its link is on the next port and its admin page on the one after. Port 0: any three.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:19092")]
    pub(super) east: ListenAddress,
    /// Where Kafka clients reach eu-west; its link is on the next port and its admin page on the one after. Port 0: any three.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:29092")]
    pub(super) west: ListenAddress,
    /// Events produced a second.
    #[arg(long, value_name = "EVENTS", default_value_t = RATE, value_parser = clap::value_parser!(u64).range(1..=RATE_MAX))]
    pub(super) rate: u64,
    /// How long events are produced in us-east before the failover; half as long again in eu-west after it.
    #[arg(long, value_name = "SECONDS", default_value_t = SECONDS, value_parser = clap::value_parser!(u64).range(1..=SECONDS_MAX))]
    pub(super) seconds: u64,
    /// Run the script without a terminal and end; the exit code is 0 only if the check held.
    #[arg(long)]
    pub(super) once: bool,
    /// Print the result as one JSON object, the last line of standard output.
    #[arg(long)]
    pub(super) json: bool,
}
