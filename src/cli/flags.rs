//! Flags that are settings, and the one that names the file.

use std::{env, path::PathBuf};

use clap::Args;

use crate::config::{
    Effective, Inputs, Unloadable,
    effective::{FileNamed, FlagGiven},
    environment::CONFIG_FILE,
};

#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub(crate) struct Flags {
    /// The topology file; without one the broker stands alone (setting `topology`).
    #[arg(long, value_name = "FILE")]
    topology: Option<String>,
    /// Which node of the topology to run (setting `node`).
    #[arg(long, value_name = "NAME")]
    node: Option<String>,
    /// Where the node's certificate and key are (setting `certs`).
    #[arg(long, value_name = "DIR")]
    certs: Option<String>,
    /// The data directory (setting `data`).
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
    /// Where Kafka clients connect (setting `broker.listen`).
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// Where metrics and health are served (setting `admin`).
    #[arg(long, value_name = "HOST:PORT")]
    admin: Option<String>,
    /// A settings file in TOML; also named by the variable ISTHMUS_CONFIG.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How logs are written: auto, human or json (setting `telemetry.format`).
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
}

impl Flags {
    /// For a command that asks a running node: where its admin port is, and nothing of the topology that it runs.
    pub(crate) fn only(admin: Option<String>, config: Option<PathBuf>) -> Self {
        let none = || Some(String::new());
        Self { admin, config, topology: none(), node: none(), ..Self::default() }
    }

    /// These, and for each that is not given the one of `others`.
    pub(crate) fn or(self, others: Self) -> Self {
        Self {
            topology: self.topology.or(others.topology),
            node: self.node.or(others.node),
            certs: self.certs.or(others.certs),
            data: self.data.or(others.data),
            listen: self.listen.or(others.listen),
            admin: self.admin.or(others.admin),
            config: self.config.or(others.config),
            log_format: self.log_format.or(others.log_format),
        }
    }

    /// The settings in force for this process.
    pub(crate) fn load(self) -> Result<Effective, Unloadable> {
        let named_by_flag = self.config.map(|path| FileNamed { path, by: "--config" });
        let named_by_variable =
            || env::var_os(CONFIG_FILE).map(|path| FileNamed { path: path.into(), by: CONFIG_FILE });
        let flags = [
            ("topology", "--topology", self.topology),
            ("node", "--node", self.node),
            ("certs", "--certs", self.certs),
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
