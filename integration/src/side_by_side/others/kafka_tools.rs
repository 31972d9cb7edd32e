//! `kafka-producer-perf-test` and `kafka-consumer-perf-test`, as Kafka's own scripts start them, with default settings.

use std::{net::SocketAddr, path::Path};

use crate::side_by_side::{peer::java, place::Place};

const FLAGS: &str = "client.jvm";
const PRODUCER: &str = "org.apache.kafka.tools.ProducerPerformance";
const CONSUMER: &str = "org.apache.kafka.tools.ConsumerPerformance";
/// What the tools call MB.
const MIB: f64 = 1_048_576.0;
/// Where a consumer's line has MB/s without the time in which its group formed.
const FETCH_MB_COLUMN: usize = 8;

/// Values a second, in bytes; values are lines of a file.
#[track_caller]
pub(crate) fn produce(
    place: &dyn Place,
    broker: SocketAddr,
    topic: &str,
    values: &Path,
    records: u64,
) -> f64 {
    let (broker, records) = (broker.to_string(), records.to_string());
    let arguments = ["--bootstrap-server", &broker, "--topic", topic, "--num-records", &records];
    let more = ["--throughput", "-1", "--command-property", "acks=all", "--payload-file"];
    let values = values.display().to_string();
    let said = run(place, PRODUCER, &[arguments.as_slice(), &more, &[&values]].concat());
    produced(&said).unwrap_or_else(|| panic!("the tool said something else than its figures:\n{said}"))
}

/// Values a second, in bytes.
#[track_caller]
pub(crate) fn consume(place: &dyn Place, broker: SocketAddr, topic: &str, records: u64) -> f64 {
    let (broker, records) = (broker.to_string(), records.to_string());
    let arguments = ["--bootstrap-server", &broker, "--topic", topic, "--num-records", &records];
    let said = run(place, CONSUMER, &[arguments.as_slice(), &["--timeout", "60000"]].concat());
    consumed(&said).unwrap_or_else(|| panic!("the tool said something else than its figures:\n{said}"))
}

#[track_caller]
fn run(place: &dyn Place, class: &str, arguments: &[&str]) -> String {
    let mut command = java::command(place, FLAGS, class);
    let output = command.args(arguments).output().expect("java is there: Kafka's tools run on it");
    assert!(output.status.success(), "{class}:\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// From the last line, which is about all records.
fn produced(said: &str) -> Option<f64> {
    let line = said.lines().rfind(|line| line.contains("99.9th"))?;
    let (before, _) = line.split_once(" MB/sec)")?;
    let (_, mb) = before.rsplit_once('(')?;
    Some(mb.parse::<f64>().ok()? * MIB)
}

fn consumed(said: &str) -> Option<f64> {
    let line = said.lines().rfind(|line| line.split(',').count() > FETCH_MB_COLUMN)?;
    Some(line.split(',').nth(FETCH_MB_COLUMN)?.trim().parse::<f64>().ok()? * MIB)
}

#[test]
fn what_the_tools_say_is_understood() {
    let said = "200000 records sent, 39984.0 records/sec (20.00 MB/sec), 500.0 ms avg latency, 900.0 ms max latency.\n\
        400000 records sent, 79968.012795 records/sec (40.50 MB/sec), 590.11 ms avg latency, 966.00 ms max latency, \
        596 ms 50th, 944 ms 95th, 957 ms 99th, 964 ms 99.9th.\n";
    assert_eq!(produced(said), Some(40.5 * MIB));
    let said = "start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, \
        fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec\n\
        2026-11-25 17:00:00:000, 2026-11-25 17:00:04:000, 400.0000, 100.0000, 800000, 200000.0, 500, 3500, 114.2857, 228571.4\n";
    assert_eq!(consumed(said), Some(114.2857 * MIB));
    assert_eq!(consumed("nothing"), None);
}
