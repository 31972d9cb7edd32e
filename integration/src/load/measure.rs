//! What a run took, and what it took from the broker's process.

use std::{
    fmt,
    time::{Duration, Instant},
};

use serde::Serialize;

use super::process;

const GB: f64 = 1e9;
const MB: f64 = 1e6;

#[derive(Serialize)]
pub struct Measured {
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
    #[serde(skip_serializing_if = "Option::is_none")]
    latency: Option<Percentiles>,
}

/// In milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Percentiles {
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    pub max_ms: f64,
}

impl Percentiles {
    /// At least one.
    pub fn of(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        let at = |share: f64| {
            let index = ((all.len() as f64 * share).ceil() as usize).clamp(1, all.len()) - 1;
            all[index].as_secs_f64() * 1e3
        };
        Self { p50_ms: at(0.5), p99_ms: at(0.99), p999_ms: at(0.999), max_ms: at(1.0) }
    }
}

/// A measurement that has begun.
pub struct Meter {
    pids: Vec<u32>,
    cpu_before: Option<f64>,
    started: Instant,
}

impl Meter {
    /// Measures these processes together.
    pub fn start(pids: &[u32]) -> Self {
        let cpu_before = sum(pids, process::cpu_seconds);
        Self { pids: pids.to_vec(), cpu_before, started: Instant::now() }
    }

    pub fn stop(self, scenario: &'static str, requests: u64, bytes: u64) -> Measured {
        let seconds = self.started.elapsed().as_secs_f64();
        let cpu = sum(&self.pids, process::cpu_seconds).zip(self.cpu_before);
        let cpu = cpu.map(|(after, before)| after - before);
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
            resident_mb: sum(&self.pids, process::resident_mb),
            latency: None,
        }
    }
}

impl Measured {
    pub fn with_latency(self, latency: Percentiles) -> Self {
        Self { latency: Some(latency), ..self }
    }
}

/// Of processes together; `None` without any, or if one of them cannot be asked.
fn sum(pids: &[u32], of: impl Fn(u32) -> Option<f64>) -> Option<f64> {
    let first = pids.first().map(|_| 0.0)?;
    pids.iter().try_fold(first, |sum, pid| Some(sum + of(*pid)?))
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
        if let Some(resident) = self.resident_mb {
            write!(f, ", {resident:.0} MB resident")?;
        }
        if let Some(Percentiles { p50_ms, p99_ms, p999_ms, max_ms }) = self.latency {
            write!(
                f,
                "; ack to readable: p50 {p50_ms:.2}, p99 {p99_ms:.2}, p99.9 {p999_ms:.2}, max {max_ms:.2} ms"
            )?;
        }
        Ok(())
    }
}

#[test]
fn a_percentile_is_the_least_that_so_many_do_not_exceed() {
    let all = (1..=1_000).rev().map(Duration::from_millis).collect();
    assert_eq!(
        Percentiles::of(all),
        Percentiles { p50_ms: 500.0, p99_ms: 990.0, p999_ms: 999.0, max_ms: 1_000.0 }
    );
    let one = Percentiles::of(vec![Duration::from_millis(7)]);
    assert_eq!((one.p50_ms, one.p999_ms), (7.0, 7.0));
}
