//! Whether this machine can carry a layout, and whose turn it is to measure.

use std::{
    env,
    path::Path,
    process::{self, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
};

use integration::wan::{Impairments, Layout, Plan, STATE_ROOT};

/// Set where skipping is failing.
const MUST_RUN: &str = "CI";
/// Commands and the Debian packages that bring them.
const NEEDED: &[(&str, &str)] = &[("ip", "iproute2"), ("ping", "iputils-ping"), ("iperf3", "iperf3")];
const SEED: u64 = 1;

/// Held by whoever measures: two cores carry one measurement at a time.
static TURN: Mutex<()> = Mutex::new(());

/// A turn to measure, if the machine may be used; or nothing, and the test is skipped.
pub(crate) fn turn() -> Option<MutexGuard<'static, ()>> {
    // What another test broke is its own.
    may_be_used().then(|| TURN.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Whether to run at all.
///
/// # Panics
///
/// If the machine lacks something, and [`MUST_RUN`] is set.
pub(crate) fn may_be_used() -> bool {
    let Some(lack) = lack() else { return true };
    assert!(env::var_os(MUST_RUN).is_none(), "{lack}, and {MUST_RUN} is set");
    eprintln!("skipped: {lack}");
    false
}

/// What this machine would have to have.
fn lack() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("the WAN emulator needs root, for network namespaces".to_owned());
    }
    let there = |(command, _): &&(&str, &str)| {
        Command::new(command).arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    };
    let packages: Vec<&str> =
        NEEDED.iter().filter(|needed| !there(needed)).map(|(_, package)| *package).collect();
    if !packages.is_empty() {
        return Some(format!("missing: apt-get install {}", packages.join(" ")));
    }
    let device = Path::new("/dev/net/tun");
    (!device.exists()).then(|| format!("{} is missing: modprobe tun", device.display()))
}

/// A name that no other run of the tests has.
pub(crate) fn unique(name: &str) -> String {
    format!("t{}-{name}", process::id())
}

/// Two datacenters, east and west, with such a link.
pub(crate) fn east_west(name: &str, impairments: &Impairments) -> Layout {
    let plan = Plan::mesh(&unique(name), &["east", "west"], impairments).expect("a plan");
    Layout::up(&plan, SEED, Path::new(STATE_ROOT)).expect("the layout comes up")
}
