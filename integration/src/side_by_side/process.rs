//! A process of a run, and what it takes.

use std::{
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{eventually_within, load::process};

const LOG_LINES_SHOWN: usize = 40;
const END_LIMIT: Duration = Duration::from_secs(300);

/// What a process is in its world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// The one broker of a scenario without a mirror.
    Broker,
    Source,
    Target,
    /// Where mirroring is done by a process of its own.
    Mirror,
}

/// Running. Dropping it kills it.
pub(crate) struct Process {
    role: Role,
    child: Child,
    log: PathBuf,
}

impl Role {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Broker => "broker",
            Self::Source => "source broker",
            Self::Target => "target broker",
            Self::Mirror => "mirror",
        }
    }
}

impl Process {
    #[track_caller]
    pub(crate) fn spawn(role: Role, mut command: Command, log: &Path) -> Self {
        let file = OpenOptions::new().create(true).append(true).open(log).expect("a log can be written");
        let errors = file.try_clone().expect("an open file can be shared");
        command.stdin(Stdio::null()).stdout(file).stderr(errors);
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        Self { role, child, log: log.to_owned() }
    }

    pub(crate) fn role(&self) -> Role {
        self.role
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn cpu_seconds(&self) -> f64 {
        process::cpu_seconds(self.pid()).unwrap_or(f64::NAN)
    }

    pub(crate) fn resident_peak_mb(&self) -> f64 {
        process::resident_peak_mb(self.pid()).unwrap_or(f64::NAN)
    }

    /// Stops it where it stands, until [`Self::resume`].
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Lets it end by itself; how long that took.
    #[track_caller]
    pub(crate) fn terminate(mut self) -> Duration {
        let started = Instant::now();
        self.signal(Signal::TERM);
        let ended = eventually_within(END_LIMIT, || self.child.try_wait().expect("a child can be awaited"));
        assert!(ended.is_some(), "the {} does not end within {END_LIMIT:?}", self.role.name());
        started.elapsed()
    }

    /// Fails with the end of its log if it has ended.
    #[track_caller]
    pub(crate) fn assert_runs(&mut self) {
        if let Some(status) = self.child.try_wait().expect("a child can be awaited") {
            panic!("the {} ended: {status}", self.role.name());
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process id is a positive i32"), signal).expect("a child can be signalled");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let shown = lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n");
            eprintln!("---- the end of the {}'s log ----\n{shown}\n----", self.role.name());
        }
    }
}
