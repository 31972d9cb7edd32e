//! What the kernel says that a process took.

use std::fs;

/// The kernel's unit of CPU time in `/proc`, the same on all Linux machines.
const TICKS_PER_SECOND: f64 = 100.0;
const KIB_PER_MB: f64 = 1_000_000.0 / 1_024.0;

/// User and system time, all threads, those that have ended too.
pub fn cpu_seconds(pid: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / TICKS_PER_SECOND)
}

pub fn resident_mb(pid: u32) -> Option<f64> {
    status_mb(pid, "VmRSS:")
}

/// The most that was ever resident.
pub fn resident_peak_mb(pid: u32) -> Option<f64> {
    status_mb(pid, "VmHWM:")
}

fn status_mb(pid: u32, field: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib / KIB_PER_MB)
}

#[test]
fn a_process_has_run_and_is_somewhere() {
    let pid = std::process::id();
    assert!(cpu_seconds(pid).is_some());
    assert!(resident_peak_mb(pid).unwrap() >= resident_mb(pid).unwrap() * 0.5);
    assert!(cpu_seconds(0).is_none());
}
