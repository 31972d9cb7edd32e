//! ping and iperf3, and what they found.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use integration::wan::{Counters, Layout};
use serde_json::Value;

/// What `ping -q` says at its end.
#[derive(Debug)]
pub(crate) struct Pings {
    pub(crate) received: u64,
    pub(crate) duplicates: u64,
    pub(crate) min_ms: f64,
    pub(crate) average_ms: f64,
    pub(crate) max_ms: f64,
}

/// Pings one datacenter from another.
pub(crate) fn ping(layout: &Layout, from: &str, to: &str, options: &[&str]) -> Pings {
    let address = layout.address(to).expect("a datacenter").to_string();
    let mut command = layout.command(from, "ping").expect("a datacenter");
    let output = command.args(["-q", "-n"]).args(options).arg(address).output().expect("ping starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let count = |what: &str| {
        let words: Vec<&str> = text.split([' ', ',']).collect();
        let at = words.iter().position(|word| *word == what)?;
        words[at - 1].trim_start_matches('+').parse().ok()
    };
    let times: Vec<f64> = match text.split_once("min/avg/max/mdev = ") {
        None => vec![f64::NAN; 4],
        Some((_, times)) => times.split([' ', '/']).map_while(|time| time.parse().ok()).collect(),
    };
    Pings {
        received: count("received").unwrap_or_else(|| panic!("ping says:\n{text}")),
        duplicates: count("duplicates").unwrap_or_default(),
        min_ms: times[0],
        average_ms: times[1],
        max_ms: times[2],
    }
}

/// An iperf3 server for one test. It ends after it, and with its layout.
pub(crate) fn iperf_server(layout: &Layout, at: &str) -> Child {
    let mut command = layout.command(at, "iperf3").expect("a datacenter");
    let mut server =
        command.args(["-s", "-1", "--forceflush"]).stdout(Stdio::piped()).spawn().expect("iperf3 starts");
    let mut lines = BufReader::new(server.stdout.take().expect("it is piped")).lines();
    let listens = lines.any(|line| line.expect("iperf3 prints text").contains("listening"));
    assert!(listens, "iperf3 ended before it listened");
    // Read on, or it would wait for a reader.
    std::thread::spawn(move || lines.for_each(drop));
    server
}

pub(crate) fn iperf_client(layout: &Layout, from: &str, to: &str, options: &[&str]) -> Command {
    let mut command = layout.command(from, "iperf3").expect("a datacenter");
    command.args(["-J", "-c", &layout.address(to).expect("a datacenter").to_string()]).args(options);
    command
}

/// What the client reports at the end of a transfer.
pub(crate) fn iperf(layout: &Layout, from: &str, to: &str, options: &[&str]) -> Value {
    let mut server = iperf_server(layout, to);
    let output = iperf_client(layout, from, to, options).output().expect("iperf3 starts");
    let report: Value = serde_json::from_slice(&output.stdout).expect("iperf3 prints JSON");
    assert!(output.status.success(), "iperf3 failed: {}", report["error"]);
    server.wait().expect("iperf3 ends");
    report["end"].clone()
}

/// Bits of payload a second, as the receiver has seen them.
pub(crate) fn received_rate(end: &Value) -> f64 {
    end["sum_received"]["bits_per_second"].as_f64().expect("a rate")
}

/// The kernel's counters in a datacenter, such as `Udp.InCsumErrors`.
pub(crate) fn kernel_counters(layout: &Layout, datacenter: &str) -> BTreeMap<String, u64> {
    let mut command = layout.command(datacenter, "cat").expect("a datacenter");
    let output = command.arg("/proc/net/snmp").output().expect("cat starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    let mut counters = BTreeMap::new();
    // A line of names, then one of numbers.
    for pair in lines.chunks_exact(2) {
        let group = pair[0][0].trim_end_matches(':');
        for (name, number) in pair[0].iter().zip(&pair[1]).skip(1) {
            counters.insert(format!("{group}.{name}"), number.parse().unwrap_or_default());
        }
    }
    counters
}

/// Of what one datacenter sends to the other.
pub(crate) fn counters(layout: &Layout, from: &str, to: &str) -> Counters {
    let report = layout.direction(from, to).expect("a link");
    report.counters.expect("it lives")
}
