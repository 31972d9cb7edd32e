//! `isthmus status`: a node, its links and units, as a table or as the JSON that the node answers.

use std::fmt::Write;

use super::{
    Answer,
    node::Asked,
    table::{cell, table},
};
use crate::operations::{
    NodeStatus,
    status::{LinkStatus, PartitionStatus, TailStatus, UnitStatus},
};

pub(crate) fn answer(asked: Asked, json: bool) -> Answer {
    match asked.get::<NodeStatus>("/v1/status") {
        Ok(status) if json => Answer::json(&serde_json::to_value(&status).expect("plain structs serialise")),
        Ok(status) => Answer::done(text(&status)),
        Err(answer) => answer,
    }
}

fn text(status: &NodeStatus) -> String {
    let mut text = match &status.node {
        Some(node) => format!(
            "{} in {} of {} (broker {}), isthmus {}: {}\n",
            node.node, node.datacenter, node.topology, node.broker_id, status.version, status.phase
        ),
        None => format!("a broker that stands alone, isthmus {}: {}\n", status.version, status.phase),
    };
    for section in [units(&status.units), links(&status.links), partitions(&status.links)] {
        if !section.is_empty() {
            text.push('\n');
            text.push_str(&section);
        }
    }
    for unit in status.units.iter().filter(|unit| !unit.tails.is_empty()) {
        text.push_str(&tails(unit));
    }
    for (link, partition) in stopped(&status.links) {
        if let Some(stop) = &partition.stop {
            let (topic, number) = (&partition.topic, partition.partition);
            let told = writeln!(
                text,
                "\n{topic}-{number} over {} is stopped [{}]: {}\n  fix: {}",
                link.name, stop.code, stop.what, stop.action
            );
            told.expect("writing to a String cannot fail");
        }
    }
    text
}

fn units(units: &[UnitStatus]) -> String {
    let row = |unit: &UnitStatus| {
        let writable = if unit.writable { "yes" } else { "no" };
        [
            unit.name.clone(),
            unit.state.clone(),
            unit.home.clone(),
            unit.generation.to_string(),
            writable.into(),
        ]
    };
    table(
        ["UNIT", "STATE HERE", "HOME", "GENERATION", "WRITABLE HERE"],
        &units.iter().map(row).collect::<Vec<_>>(),
    )
}

/// Kept as they are, so there is nothing to fix in a hurry.
fn tails(unit: &UnitStatus) -> String {
    let UnitStatus { name, home, .. } = unit;
    let mut text = format!("\n{name} holds records that its home {home} does not have; they are kept\n");
    for TailStatus { topic, partition, common, end } in &unit.tails {
        writeln!(text, "  {topic}-{partition}: from {common} up to, not including, {end}")
            .expect("writing to a String cannot fail");
    }
    text
}

fn links(links: &[LinkStatus]) -> String {
    let row = |link: &LinkStatus| {
        let transport = link.transport.as_ref();
        let state = match &link.problem {
            Some(problem) => format!("{}: {problem}", link.state),
            None if link.topology_differs => format!("{}; the peer runs another topology file", link.state),
            None => link.state.clone(),
        };
        [
            link.name.clone(),
            link.side.clone(),
            link.peer.clone(),
            cell(transport.map(|transport| format!("{:.1} ms", transport.rtt_ms))),
            cell(transport.map(|transport| transport.received_bytes)),
            cell(transport.map(|transport| transport.sent_bytes)),
            state,
        ]
    };
    let head = ["LINK", "SIDE HERE", "PEER", "RTT", "RECEIVED", "SENT", "STATE"];
    table(head, &links.iter().map(row).collect::<Vec<_>>())
}

fn partitions(links: &[LinkStatus]) -> String {
    let row = |(link, partition): (&LinkStatus, &PartitionStatus)| {
        [
            partition.topic.clone(),
            partition.partition.to_string(),
            link.name.clone(),
            partition.state.clone(),
            cell(partition.source_end),
            cell(partition.position),
            cell(partition.lag_records),
            cell(partition.lag_seconds.map(|seconds| format!("{seconds:.3} s"))),
        ]
    };
    let head = ["TOPIC", "PARTITION", "LINK", "STATE", "SOURCE END", "MIRRORED TO", "LAG", "LAG TIME"];
    table(head, &all(links).map(row).collect::<Vec<_>>())
}

fn all(links: &[LinkStatus]) -> impl Iterator<Item = (&LinkStatus, &PartitionStatus)> {
    links.iter().flat_map(|link| link.partitions.iter().map(move |partition| (link, partition)))
}

fn stopped(links: &[LinkStatus]) -> impl Iterator<Item = (&LinkStatus, &PartitionStatus)> {
    all(links).filter(|(_, partition)| partition.stop.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::status::{NodeNames, Stop};

    #[test]
    fn a_broker_that_stands_alone_says_so() {
        let status = NodeStatus { version: "1".into(), phase: "ready".into(), ..NodeStatus::default() };
        assert_eq!(text(&status), "a broker that stands alone, isthmus 1: ready\n");
    }

    #[test]
    fn a_stopped_partition_is_told_with_reason_and_action() {
        let names = NodeNames {
            topology: "shop".into(),
            datacenter: "eu".into(),
            node: "eu-1".into(),
            broker_id: 2001,
        };
        let partition = PartitionStatus {
            topic: "orders".into(),
            partition: 3,
            state: "stopped".into(),
            source_end: Some(9),
            position: Some(7),
            lag_records: Some(2),
            lag_seconds: Some(1.5),
            stop: Some(Stop {
                code: "diverged".into(),
                what: "two stories".into(),
                action: "compare".into(),
            }),
        };
        let link = LinkStatus {
            name: "us:eu".into(),
            side: "target".into(),
            peer: "us-1".into(),
            state: "connected".into(),
            partitions: vec![partition],
            ..LinkStatus::default()
        };
        let unit = UnitStatus {
            name: "all".into(),
            state: "diverged".into(),
            home: "us".into(),
            generation: 1,
            writable: false,
            tails: vec![TailStatus { topic: "clicks".into(), partition: 0, common: 5, end: 8 }],
        };
        let status = NodeStatus {
            version: "1".into(),
            phase: "ready".into(),
            node: Some(names),
            links: vec![link],
            units: vec![unit],
        };
        let expected = "\
eu-1 in eu of shop (broker 2001), isthmus 1: ready

UNIT  STATE HERE  HOME  GENERATION  WRITABLE HERE
all   diverged    us    1           no

LINK   SIDE HERE  PEER  RTT  RECEIVED  SENT  STATE
us:eu  target     us-1  -    -         -     connected

TOPIC   PARTITION  LINK   STATE    SOURCE END  MIRRORED TO  LAG  LAG TIME
orders  3          us:eu  stopped  9           7            2    1.500 s

all holds records that its home us does not have; they are kept
  clicks-0: from 5 up to, not including, 8

orders-3 over us:eu is stopped [diverged]: two stories
  fix: compare
";
        assert_eq!(text(&status), expected);
    }
}
