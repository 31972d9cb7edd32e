//! Network namespaces: made, entered, and taken away with all that runs in them.

use std::{
    fs::{self, File},
    io,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use rustix::{
    fd::AsFd,
    process::{Pid, Signal, kill_process},
    thread::{LinkNameSpaceType, move_into_link_name_space},
};

use super::{super::error::HostError, ip};
use crate::wait::eventually_within;

/// Where the `ip` tool keeps the namespaces it has named.
const NAMED: &str = "/run/netns";
/// All names of ours begin with it, and nothing else is ever taken away.
pub(crate) const PREFIX: &str = "wan.";
/// How long the killed may take to be gone.
const DYING_MAX: Duration = Duration::from_secs(10);
/// The kernel's names for what is set in each namespace, beside the values: buffers for a long fat link's flight, and
/// no IPv6, whose own chatter would be counted and would draw its share of the decisions.
const SETTINGS: &[(&str, &str)] = &[
    ("ipv4/tcp_rmem", "4096 131072 134217728"),
    ("ipv4/tcp_wmem", "4096 131072 134217728"),
    ("ipv6/conf/default/disable_ipv6", "1"),
];

pub(crate) fn make(namespace: &str, address: Ipv4Addr) -> Result<(), HostError> {
    ip::run(&["netns", "add", namespace])?;
    within(namespace, || {
        for (setting, value) in SETTINGS {
            let path = Path::new("/proc/sys/net").join(setting);
            // A kernel without IPv6 has no settings of it.
            if path.exists() {
                fs::write(path, value)?;
            }
        }
        Ok(())
    })?;
    ip::batch(namespace, &["link set lo up".to_owned(), format!("address add {address}/32 dev lo")])
}

/// The way to the datacenter at the other end of a device.
pub(crate) fn route(namespace: &str, device: &str, from: Ipv4Addr, to: Ipv4Addr) -> Result<(), HostError> {
    ip::batch(namespace, &[format!("route add {to}/32 dev {device} src {from}")])
}

/// Takes it away, if it is there, after killing what runs in it. Does not touch a namespace that is not ours.
pub(crate) fn remove(namespace: &str) -> Result<(), HostError> {
    if !namespace.starts_with(PREFIX) || !path(namespace).exists() {
        return Ok(());
    }
    let emptied = eventually_within(DYING_MAX, || match inhabitants(namespace) {
        Ok(pids) if pids.is_empty() => Some(Ok(())),
        Ok(pids) => {
            // One that has gone meanwhile is what is wanted.
            for pid in pids {
                let _ = kill_process(pid, Signal::KILL);
            }
            None
        }
        Err(error) => Some(Err(error)),
    });
    ip::run(&["netns", "delete", namespace])?;
    let inhabited = || io::Error::other("processes in it do not end");
    emptied.unwrap_or_else(|| Err(HostError::new(format!("namespace {namespace}"), inhabited())))
}

/// A command that runs inside.
pub(crate) fn command(namespace: &str, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace]).arg(program);
    command
}

/// Does something inside, on a thread of its own: this process stays where it is.
pub(crate) fn within<T: Send>(
    namespace: &str,
    act: impl FnOnce() -> io::Result<T> + Send,
) -> Result<T, HostError> {
    let enter = || {
        let file = File::open(path(namespace))?;
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))?;
        act()
    };
    let done = thread::scope(|scope| scope.spawn(enter).join());
    done.unwrap_or_else(|_| Err(io::Error::other("the thread panicked")))
        .map_err(|error| HostError::new(format!("in namespace {namespace}"), error))
}

fn inhabitants(namespace: &str) -> Result<Vec<Pid>, HostError> {
    let listed = ip::run(&["netns", "pids", namespace])?;
    Ok(listed.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect())
}

fn path(namespace: &str) -> PathBuf {
    Path::new(NAMED).join(namespace)
}
