//! A process of a world that can be ended and run again with the same command.

use std::{path::PathBuf, process::Command, time::Duration};

use super::process::{Process, Role};

pub(crate) struct Service {
    role: Role,
    command: Box<dyn Fn() -> Command>,
    log: PathBuf,
    process: Option<Process>,
}

impl Service {
    pub(crate) fn new(role: Role, log: PathBuf, command: impl Fn() -> Command + 'static) -> Self {
        Self { role, command: Box::new(command), log, process: None }
    }

    pub(crate) fn role(&self) -> Role {
        self.role
    }

    /// Starts it without waiting.
    #[track_caller]
    pub(crate) fn spawn(&mut self) {
        assert!(self.process.is_none(), "it runs already");
        self.process = Some(Process::spawn(self.role, (self.command)(), &self.log));
    }

    #[track_caller]
    pub(crate) fn process(&self) -> &Process {
        self.process.as_ref().expect("it runs")
    }

    /// Fails with the end of its log if it has ended.
    #[track_caller]
    pub(crate) fn assert_runs(&mut self) {
        self.process.as_mut().expect("it was spawned").assert_runs();
    }

    /// Ends it in an orderly way; how long that took.
    #[track_caller]
    pub(crate) fn stop(&mut self) -> Duration {
        self.process.take().expect("it runs").terminate()
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.process = None;
    }
}
