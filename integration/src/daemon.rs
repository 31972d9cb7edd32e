//! A daemon in a process of its own.

use std::{
    fs::{self, File, OpenOptions},
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::{binary, eventually, eventually_within, http, metrics::Metrics, ports, wait::DEADLINE};

/// How much of a failed test's daemon log is shown.
const LOG_LINES_SHOWN: usize = 80;

/// What a daemon is started with.
#[derive(Default)]
pub struct DaemonBuilder {
    settings: Vec<(String, String)>,
    environment: Vec<(String, String)>,
    arguments: Vec<String>,
    listen: Option<SocketAddr>,
    file_bytes_max: Option<u64>,
    disk_bytes: Option<u64>,
}

/// A running, killed or stopped daemon with its data, ports and log. Dropping it kills it.
pub struct Daemon {
    started_with: DaemonBuilder,
    process: Option<Child>,
    listen: SocketAddr,
    admin: SocketAddr,
    folder: TempDir,
}

impl DaemonBuilder {
    /// A line of the settings file; the key with its tables (`broker.topics.auto_create`), the value as TOML.
    pub fn set(mut self, key: &str, value: impl ToString) -> Self {
        self.settings.retain(|(known, _)| known != key);
        self.settings.push((key.to_owned(), value.to_string()));
        self
    }

    /// A variable of the daemon's environment.
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A flag of the command line and its value.
    pub fn flag(mut self, name: &str, value: impl ToString) -> Self {
        self.arguments.extend([name.to_owned(), value.to_string()]);
        self
    }

    /// Where Kafka clients are listened for, when a file has to name it before the daemon starts.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = Some(address);
        self
    }

    /// No file may grow larger: writing on fails, as on a disk that is full.
    pub fn file_bytes_max(mut self, bytes: u64) -> Self {
        self.file_bytes_max = Some(bytes);
        self
    }

    /// Data lies on a disk of this size, which the daemon alone sees and which is gone when it ends.
    pub fn disk_bytes(mut self, bytes: u64) -> Self {
        self.disk_bytes = Some(bytes);
        self
    }

    /// Starts it, and returns when it is ready.
    #[track_caller]
    pub fn start(self) -> Daemon {
        let folder = tempfile::Builder::new().prefix("isthmus-test-").tempdir().expect("a temporary folder");
        let (listen, admin) = (self.listen.unwrap_or_else(ports::free), ports::free());
        let mut daemon = Daemon { started_with: self, process: None, listen, admin, folder };
        daemon.restart();
        daemon
    }
}

impl Daemon {
    /// The settings that tests want unless they say otherwise: groups form at once.
    pub fn builder() -> DaemonBuilder {
        DaemonBuilder::default().set("broker.groups.initial_rebalance_delay_ms", 0)
    }

    #[track_caller]
    pub fn start() -> Self {
        Self::builder().start()
    }

    pub fn address(&self) -> SocketAddr {
        self.listen
    }

    /// The address in the form that clients take.
    pub fn bootstrap(&self) -> String {
        self.listen.to_string()
    }

    /// Where the operator's commands reach it.
    pub fn admin_address(&self) -> SocketAddr {
        self.admin
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn pid(&self) -> u32 {
        self.process.as_ref().expect("the daemon runs").id()
    }

    /// Starts it again with the same data and ports, and returns when it is ready.
    #[track_caller]
    pub fn restart(&mut self) {
        assert!(self.process.is_none(), "the daemon still runs");
        self.write_settings();
        self.process = Some(self.command().spawn().expect("the daemon's binary starts"));
        let started = Instant::now();
        eventually("the daemon to be ready", || {
            let status = self.try_exit();
            assert!(status.is_none(), "the daemon ended before it was ready: {status:?}\n{}", self.log());
            let ready = http::get(self.admin, "/readyz").is_ok_and(|(status, _)| status == 200);
            ready.then_some(started.elapsed())
        });
    }

    /// Starts it again with other settings.
    #[track_caller]
    pub fn restart_with(&mut self, builder: DaemonBuilder) {
        self.started_with = builder;
        self.restart();
    }

    /// Tries a second daemon on the same data, on other ports, which must end by itself; how, and what it said.
    #[track_caller]
    pub fn start_second(&self) -> (ExitStatus, String) {
        let said = self.folder.path().join("second.log");
        let mut command = binary::command();
        command.args(arguments(&self.data(), ports::free(), ports::free(), &self.settings_path()));
        let log = File::create(&said).expect("the log can be written");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let mut second = command.spawn().expect("the daemon's binary starts");
        let ended = eventually_within(DEADLINE, || second.try_wait().expect("a child can be awaited"));
        let _ = second.kill();
        let status = ended.expect("a second daemon on live data was not refused");
        (status, fs::read_to_string(said).unwrap_or_default())
    }

    /// Starts it and kills it when it is ready or the time is over, whatever it is doing then.
    #[track_caller]
    pub fn start_and_kill_after(&mut self, time: Duration) {
        assert!(self.process.is_none(), "the daemon still runs");
        self.process = Some(self.command().spawn().expect("the daemon's binary starts"));
        let _ = eventually_within(time, || {
            http::get(self.admin, "/readyz").is_ok_and(|(status, _)| status == 200).then_some(())
        });
        self.kill9();
    }

    /// SIGKILL: nothing is flushed, nothing is said.
    #[track_caller]
    pub fn kill9(&mut self) {
        let mut process = self.process.take().expect("the daemon runs");
        process.kill().expect("a child can be killed");
        process.wait().expect("a child can be awaited");
    }

    /// SIGTERM: the daemon drains and ends by itself.
    #[track_caller]
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        let status = eventually("the daemon to drain", || self.try_exit());
        self.process = None;
        status
    }

    /// SIGSTOP: the process is there and does nothing, until [`Self::resume`].
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    pub fn is_running(&mut self) -> bool {
        self.process.is_some() && self.try_exit().is_none()
    }

    pub fn metrics(&self) -> Metrics {
        let (status, text) = http::get(self.admin, "/metrics").expect("the daemon tells its metrics");
        assert_eq!(status, 200, "{text}");
        Metrics::parse(&text)
    }

    /// Status and body of a page of the admin listener.
    pub fn admin(&self, path: &str) -> io::Result<(u16, String)> {
        http::get(self.admin, path)
    }

    /// Asserts that a counter in whose name and labels all `words` occur grows beyond what it was in `before`.
    #[track_caller]
    pub fn assert_counted(&self, before: &Metrics, words: &[&str]) {
        let counted =
            eventually_within(DEADLINE / 3, || (self.metrics().sum(words) > before.sum(words)).then_some(()));
        if counted.is_none() {
            let grown = self.metrics().grown_since(before);
            panic!("no counter with {words:?} in its name grew; these did:\n{}", grown.join("\n"));
        }
    }

    /// What the daemon wrote to standard error, over all its starts.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// Resident memory.
    pub fn resident_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) * 1024
    }

    fn signal(&self, signal: Signal) {
        let pid =
            i32::try_from(self.pid()).ok().and_then(Pid::from_raw).expect("a process id is a positive i32");
        kill_process(pid, signal).expect("a child can be signalled");
    }

    fn try_exit(&mut self) -> Option<ExitStatus> {
        self.process.as_mut()?.try_wait().expect("a child can be awaited")
    }

    fn write_settings(&self) {
        let lines = self.started_with.settings.iter().map(|(key, value)| format!("{key} = {value}\n"));
        fs::write(self.settings_path(), lines.collect::<String>()).expect("the settings can be written");
    }

    fn command(&self) -> Command {
        let arguments = arguments(&self.data(), self.listen, self.admin, &self.settings_path());
        let limit = self.started_with.file_bytes_max.map(|bytes| {
            // POSIX counts file sizes in blocks of 512. Without the signal the write fails instead of the process.
            format!("trap '' XFSZ; ulimit -f {};", bytes / 512)
        });
        let disk = self.started_with.disk_bytes.map(|bytes| {
            let data = self.data();
            format!("mkdir -p '{0}'; mount -t tmpfs -o size={bytes} tmpfs '{0}' || exit 9;", data.display())
        });
        let mut command = match (limit, disk) {
            (None, None) => binary::command(),
            (limit, disk) => {
                let shell = Command::new(if disk.is_some() { "unshare" } else { "sh" });
                let mut command = binary::without_settings(shell);
                if disk.is_some() {
                    command.args(["--user", "--map-root-user", "--mount", "sh"]);
                }
                let prepare = [disk, limit].into_iter().flatten().collect::<String>();
                command.arg("-c").arg(format!("{prepare} exec \"$0\" \"$@\"")).arg(binary::path());
                command
            }
        };
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_path())
            .expect("the log can be written");
        command
            .args(arguments)
            .args(&self.started_with.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        command.envs(self.started_with.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    fn settings_path(&self) -> PathBuf {
        self.folder.path().join("isthmus.toml")
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("daemon.log")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
        if thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let shown = lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n");
            eprintln!("---- the end of the daemon's log ----\n{shown}\n----");
        }
    }
}

fn arguments(data: &Path, listen: SocketAddr, admin: SocketAddr, settings: &Path) -> Vec<String> {
    let (listen, admin) = (listen.to_string(), admin.to_string());
    let (data, settings) = (data.display().to_string(), settings.display().to_string());
    ["run", "--data", &data, "--listen", &listen, "--admin", &admin, "--config", &settings]
        .map(str::to_owned)
        .into()
}
