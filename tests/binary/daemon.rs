//! A daemon as a child process on ports of its own, its JSON log read line by line. Killed when dropped.

#![expect(clippy::panic, reason = "this is part of a test")]

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, ChildStderr, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// No step takes this long; one that does hangs, and the test fails instead of hanging too.
const WITHIN: Duration = Duration::from_secs(60);
/// More lines than any of these daemons writes.
const LINES_MAX: usize = 10_000;

pub(crate) struct Daemon {
    child: Child,
    lines: Receiver<String>,
    /// What was read of the log so far.
    seen: String,
}

pub(crate) struct Ready {
    pub(crate) kafka: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) line: Value,
}

impl Daemon {
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(data, &["--admin", "127.0.0.1:0"])
    }

    pub(crate) fn start_with(data: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_isthmus"));
        command.args(["run", "--listen", "127.0.0.1:0", "--log-format", "json"]).args(arguments);
        command.arg("--data").arg(data).stderr(Stdio::piped()).stdin(Stdio::null());
        let mut child = command.spawn().expect("the binary starts");
        let log = child.stderr.take().expect("stderr is piped");
        let (sender, lines) = sync_channel(LINES_MAX);
        let reader = thread::Builder::new().name("log".to_owned());
        reader.spawn(move || forward(log, &sender)).expect("a thread starts");
        Self { child, lines, seen: String::new() }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the line that says so; the daemon ending instead fails the test.
    pub(crate) fn ready(&mut self) -> Ready {
        let line = self.await_line("ready");
        let address = |name: &str| line.get(name)?.as_str()?.parse().ok();
        let kafka = address("kafka").expect("the address for clients");
        let admin = address("admin").expect("the admin address");
        Ready { kafka, admin, line }
    }

    /// Waits for the event with this message.
    pub(crate) fn await_line(&mut self, message: &str) -> Value {
        loop {
            let Ok(text) = self.lines.recv_timeout(WITHIN) else {
                panic!("the daemon never said {message:?}:\n{}", self.seen)
            };
            self.seen.push_str(&text);
            let line: Value = serde_json::from_str(&text).expect("each line is JSON");
            if line.get("message").is_some_and(|said| said == message) {
                return line;
            }
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("the daemon is there");
    }

    /// Waits until it has ended: the exit code and all of the log.
    pub(crate) fn end(&mut self) -> (Option<i32>, String) {
        loop {
            match self.lines.recv_timeout(WITHIN) {
                Ok(text) => self.seen.push_str(&text),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("the daemon does not end:\n{}", self.seen),
            }
        }
        let status = self.child.wait().expect("a daemon whose log has ended ends");
        (status.code(), self.seen.clone())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The channel closes when the log ends, which is when the daemon does.
fn forward(log: ChildStderr, lines: &SyncSender<String>) {
    for line in BufReader::new(log).lines().map_while(Result::ok) {
        if lines.send(line + "\n").is_err() {
            return;
        }
    }
}
