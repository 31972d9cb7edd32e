//! What an operator can set about the daemon, with the defaults. `docs/configuration.md` describes every setting; a
//! test compares the two.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use core_log::LogDirSettings;
use mirror::driver::TransportSettings;

/// How long a drain may take before the daemon gives up and says so.
const DRAIN_MS: u64 = 20_000;

/// The whole of it. The fields of a section are set as `section.field`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// The data directory; made when it is not there. One daemon at a time.
    pub(crate) data: PathBuf,
    /// The topology file; empty: a broker that stands alone.
    pub(crate) topology: String,
    /// Which node of the topology this is.
    pub(crate) node: String,
    /// Where the node's certificate, key and root are: `node.crt`, `node.key`, `ca.crt` in it or in `nodes/NODE/` below it.
    pub(crate) certs: PathBuf,
    /// Where `/metrics`, `/healthz` and `/readyz` are served, `HOST:PORT`.
    pub(crate) admin: String,
    /// How long a drain may take before the daemon gives up.
    pub(crate) drain_ms: u64,
    /// Threads that serve connections; 0: one per core.
    pub(crate) worker_threads: usize,
    pub(crate) broker: broker::Settings,
    pub(crate) link: TransportSettings,
    pub(crate) log: LogDirSettings,
    pub(crate) telemetry: TelemetrySettings,
}

/// What the daemon says about itself on standard error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TelemetrySettings {
    /// A level, or a list such as `info,broker=debug`.
    pub(crate) filter: String,
    pub(crate) format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// `human` when standard error is a terminal, else one plain line per event.
    Auto,
    Human,
    Json,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data: PathBuf::from("./isthmus-data"),
            topology: String::new(),
            node: String::new(),
            certs: PathBuf::from("./certs"),
            admin: "127.0.0.1:9644".to_owned(),
            drain_ms: DRAIN_MS,
            worker_threads: 0,
            broker: broker::Settings::default(),
            link: TransportSettings::default(),
            log: LogDirSettings::default(),
            telemetry: TelemetrySettings::default(),
        }
    }
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self { filter: "info".to_owned(), format: LogFormat::Auto }
    }
}
