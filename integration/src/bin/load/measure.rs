//! What a run took, and what it took from the broker's process.

use std::{fmt, fs, time::Instant};

use serde::Serialize;

/// The kernel's unit of CPU time in `/proc`, the same on all Linux machines.
const TICKS_PER_SECOND: f64 = 100.0;
const GB: f64 = 1e9;
const MB: f64 = 1e6;

#[derive(Serialize)]
pub(crate) struct Measured {
    scenario: &'static str,
    requests: u64,
    bytes: u64,
    seconds: f64,
    requests_per_second: f64,
    mb_per_second: f64,
    cpu_seconds: Option<f64>,
    cpu_seconds_per_gb: Option<f64>,
    cpu_microseconds_per_request: Option<f64>,
    resident_mb: Option<f64>,
}

/// A measurement that has begun.
pub(crate) struct Meter {
    pid: Option<u32>,
    cpu_before: Option<f64>,
    started: Instant,
}

impl Meter {
    pub(crate) fn start(pid: Option<u32>) -> Self {
        Self { pid, cpu_before: pid.and_then(cpu_seconds), started: Instant::now() }
    }

    pub(crate) fn stop(self, scenario: &'static str, requests: u64, bytes: u64) -> Measured {
        let seconds = self.started.elapsed().as_secs_f64();
        let cpu = self.pid.and_then(cpu_seconds).zip(self.cpu_before).map(|(after, before)| after - before);
        Measured {
            scenario,
            requests,
            bytes,
            seconds,
            requests_per_second: requests as f64 / seconds,
            mb_per_second: bytes as f64 / seconds / MB,
            cpu_seconds: cpu,
            cpu_seconds_per_gb: cpu.map(|cpu| cpu / (bytes as f64 / GB)),
            cpu_microseconds_per_request: cpu.map(|cpu| cpu * 1e6 / requests as f64),
            resident_mb: self.pid.and_then(resident_mb),
        }
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} requests, {:.2} GB in {:.2} s: {:.0} requests/s, {:.0} MB/s",
            self.scenario,
            self.requests,
            self.bytes as f64 / GB,
            self.seconds,
            self.requests_per_second,
            self.mb_per_second
        )?;
        if let (Some(cpu), Some(per_gb), Some(per_request)) =
            (self.cpu_seconds, self.cpu_seconds_per_gb, self.cpu_microseconds_per_request)
        {
            write!(f, "; broker: {cpu:.2} CPU s, {per_gb:.2} CPU s/GB, {per_request:.1} CPU us/request")?;
        }
        self.resident_mb.map_or(Ok(()), |resident| write!(f, ", {resident:.0} MB resident"))
    }
}

/// User and system time of a process, all threads.
fn cpu_seconds(pid: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / TICKS_PER_SECOND)
}

fn resident_mb(pid: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib * 1024.0 / MB)
}
