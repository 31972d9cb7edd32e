//! `wan` from the command line: up and down, also after the worst.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use integration::{eventually, wan::Report};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::machine::{may_be_used, unique};

/// One `wan` with a state of its own.
struct Wan {
    name: String,
    directory: TempDir,
}

/// What a command printed, if it succeeded, or else complained.
type Said = Result<String, String>;

impl Wan {
    fn new(name: &str) -> Self {
        Self { name: unique(name), directory: tempfile::tempdir().expect("a directory") }
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wan"));
        command.arg(verb).args(["--name", &self.name, "--state"]).arg(self.directory.path());
        command
    }

    fn say(&self, verb: &str, words: &[&str]) -> Said {
        let output = self.command(verb).args(words).output().expect("wan starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("wan prints text");
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }

    fn file(&self, text: &str) -> String {
        let path = self.directory.path().join("wan.yaml");
        fs::write(&path, text).expect("a file");
        path.to_str().expect("a path of letters").to_owned()
    }

    /// Ready when this returns.
    fn up(&self) -> Child {
        let file = self.file("datacenters: [east, west]\ndefaults: { delay_ms: 3 }\n");
        let mut child = self.command("up").arg(file).stdout(Stdio::piped()).spawn().expect("wan starts");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        assert!(lines.any(|line| line.expect("wan prints text") == "ready"), "it ended before it was ready");
        child
    }

    fn report(&self) -> Report {
        serde_json::from_str(&self.say("show", &["--json"]).expect("it is up")).expect("a report")
    }

    fn namespaces(&self) -> usize {
        let ours = format!("wan.{}.", self.name);
        let Ok(folder) = fs::read_dir("/run/netns") else { return 0 };
        folder
            .filter(|entry| {
                entry.as_ref().is_ok_and(|one| one.file_name().to_string_lossy().starts_with(&ours))
            })
            .count()
    }

    fn assert_nothing_is_left(&self) {
        assert_eq!(self.namespaces(), 0);
        assert!(!self.directory.path().join(&self.name).exists());
    }
}

/// Whatever a failed test leaves.
impl Drop for Wan {
    fn drop(&mut self) {
        let _ = self.say("down", &[]);
    }
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).expect("it is ours");
}

#[test]
fn a_layout_is_up_changed_shown_used_and_down() {
    if !may_be_used() {
        return;
    }
    let wan = Wan::new("verbs");
    let mut emulator = wan.up();
    assert_eq!(wan.namespaces(), 2);
    let said = wan.say("set", &["east:west", "both", "delay_ms=1", "rate_mbit=50"]).unwrap();
    assert_eq!(said, "east -> west: delay_ms=1 rate_mbit=50\nwest -> east: delay_ms=1 rate_mbit=50\n");
    let said = wan.say("set", &["west:east", "west", "loss=0.5", "delay_ms=0"]).unwrap();
    assert_eq!(said, "west -> east: loss=0.5 rate_mbit=50\n");
    wan.say("exec", &["east", "--", "ping", "-c", "20", "-i", "0.005", "-q", "-W", "0.1", "198.18.0.2"])
        .unwrap();
    let report = wan.report();
    assert_eq!(report.pid, emulator.id());
    let directions: Vec<(u64, u64)> = report
        .directions
        .iter()
        .map(|direction| direction.counters.expect("it lives"))
        .map(|counters| (counters.received, counters.lost))
        .collect();
    assert_eq!(directions[0], (20, 0));
    assert!(directions[1].0 == 20 && (3..18).contains(&directions[1].1), "{directions:?}");
    assert!(wan.say("show", &[]).unwrap().contains("west -> east (wan0): loss=0.5 rate_mbit=50\n"));
    wan.say("down", &[]).unwrap();
    assert!(emulator.wait().unwrap().success());
    wan.assert_nothing_is_left();
    assert_eq!(wan.say("down", &[]), Ok(String::new()), "nothing to do is no failure");
}

#[test]
fn what_cannot_be_is_refused() {
    if !may_be_used() {
        return;
    }
    let wan = Wan::new("refused");
    assert!(wan.say("show", &[]).unwrap_err().contains("is not up"));
    let file = wan.file("datacenters: [east, west]\nlinks:\n- between: [east, north]\n");
    let complaint = wan.say("up", &[&file]).unwrap_err();
    assert!(
        complaint.contains("wan.yaml: line 3, column 12: north is not one of the datacenters"),
        "{complaint}"
    );
    wan.assert_nothing_is_left();

    let mut emulator = wan.up();
    assert!(wan.say("up", &[&wan.file("datacenters: [a, b]")]).unwrap_err().contains("is up already"));
    let refused = |words: &[&str]| wan.say("set", words).unwrap_err();
    assert!(refused(&["east:west", "both", "loss=7"]).contains("loss is 7, and must be from 0 to 1"));
    assert!(refused(&["east:north", "both", "loss=0"]).contains("no link between east and north"));
    assert!(refused(&["east:west", "north", "loss=0"]).contains("say east, west or both"));
    assert!(refused(&["east:west", "both", "los=0"]).contains("unknown field `los`"));
    assert!(wan.say("exec", &["north", "--", "true"]).unwrap_err().contains("no datacenter north"));
    assert!(wan.say("exec", &["east", "--", "false"]).is_err(), "its exit code is the command's");
    signal(&emulator, Signal::TERM);
    assert!(emulator.wait().unwrap().success());
    wan.assert_nothing_is_left();
}

#[test]
fn after_a_kill_nothing_is_left_once_it_is_down() {
    if !may_be_used() {
        return;
    }
    let wan = Wan::new("killed");
    let mut emulator = wan.up();
    let mut inhabitant = wan.command("exec").args(["west", "--", "tail", "-f", "/dev/null"]).spawn().unwrap();
    let entered = || {
        let comm = fs::read_to_string(format!("/proc/{}/comm", inhabitant.id())).ok()?;
        (comm.trim() == "tail").then_some(())
    };
    eventually("the command in its namespace", entered);
    emulator.kill().unwrap();
    emulator.wait().unwrap();
    assert_eq!(wan.namespaces(), 2, "a killed one takes nothing away");
    wan.say("down", &[]).unwrap();
    wan.assert_nothing_is_left();
    assert!(!inhabitant.wait().unwrap().success(), "what ran inside was killed");
}

#[test]
fn a_killed_layout_comes_up_again_and_a_hanging_one_goes_down() {
    if !may_be_used() {
        return;
    }
    let wan = Wan::new("hangs");
    let mut emulator = wan.up();
    emulator.kill().unwrap();
    emulator.wait().unwrap();
    let mut emulator = wan.up();
    assert_eq!(wan.report().pid, emulator.id());
    signal(&emulator, Signal::STOP);
    wan.say("down", &[]).unwrap();
    wan.assert_nothing_is_left();
    assert!(!emulator.wait().unwrap().success());
}

#[test]
fn two_layouts_run_beside_each_other() {
    if !may_be_used() {
        return;
    }
    let (one, other) = (Wan::new("one"), Wan::new("other"));
    let (mut first, mut second) = (one.up(), other.up());
    one.say("set", &["east:west", "both", "blackhole=true"]).unwrap();
    let reach = ["east", "--", "ping", "-c", "2", "-i", "0.01", "-W", "0.2", "198.18.0.2"];
    assert!(one.say("exec", &reach).is_err());
    assert!(other.say("exec", &reach).is_ok());
    one.say("down", &[]).unwrap();
    first.wait().unwrap();
    one.assert_nothing_is_left();
    assert!(other.say("exec", &reach).is_ok());
    other.say("down", &[]).unwrap();
    second.wait().unwrap();
}
