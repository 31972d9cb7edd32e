//! Models and plans for people (text), for programs (JSON), and back into a file (YAML).

use std::fmt::{Display, Write};

use serde_json::{Value, json};

use crate::model::{Datacenter, FailoverUnit, Flow, Link, Site, TopicRule, Topology};
use crate::plan::{LinkPlan, NodePlan, Peer, Side};

pub fn topology_json(topology: &Topology) -> Value {
    let datacenters: Vec<Value> = topology.datacenters.iter().map(datacenter_json).collect();
    let links: Vec<Value> = topology.links.iter().map(link_json).collect();
    json!({
        "version": 1,
        "name": topology.name,
        "datacenters": datacenters,
        "links": links,
        "failover": topology.failover,
    })
}

/// A number, in hexadecimal digits, that two files have in common if they say the same, whatever their comments and layout; the
/// order of entries counts. It tells files apart that were not rolled out everywhere; it is no protection against a forger.
pub fn digest(topology: &Topology) -> String {
    // FNV-1a: the same in every version of the daemon, which the standard library's hashes are not.
    let text = topology_json(topology).to_string();
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}

pub fn node_plan_json(plan: &NodePlan) -> Value {
    json!({
        "topology": plan.topology,
        "datacenter": plan.datacenter,
        "datacenter_id": plan.datacenter_id,
        "node": plan.node,
        "broker_id": plan.broker_id,
        "kafka": plan.kafka,
        "link": plan.link,
        "dial": plan.dial,
        "accept": plan.accept,
        "units": plan.units,
    })
}

fn datacenter_json(datacenter: &Datacenter) -> Value {
    match &datacenter.site {
        Site::Isthmus { id, nodes } => json!({ "name": datacenter.name, "id": id, "nodes": nodes }),
        Site::KafkaCluster { bootstrap } => {
            json!({ "name": datacenter.name, "kafka_cluster": { "bootstrap": bootstrap } })
        }
    }
}

fn link_json(link: &Link) -> Value {
    json!({
        "name": link.name(),
        "from": link.from,
        "to": link.to,
        "topics": link.topics,
        "groups": link.groups,
        "codec": link.codec,
        "rate": link.rate,
        "rate_bits_per_second": link.rate.map(|rate| rate.bits_per_second),
        "on_gap": link.on_gap,
    })
}

/// A summary that fits a screen.
pub fn topology_text(topology: &Topology) -> String {
    let mut text = format!("topology {}\n", topology.name);
    for datacenter in &topology.datacenters {
        match &datacenter.site {
            Site::Isthmus { id, nodes } => {
                add(&mut text, format_args!("  datacenter {} (id {id})\n", datacenter.name));
                for node in nodes {
                    let link =
                        node.link.as_ref().map(|link| format!(", links on {link}")).unwrap_or_default();
                    add(&mut text, format_args!("    node {}: kafka on {}{link}\n", node.name, node.kafka));
                }
            }
            Site::KafkaCluster { bootstrap } => {
                add(
                    &mut text,
                    format_args!("  datacenter {} (Kafka cluster at {})\n", datacenter.name, list(bootstrap)),
                );
            }
        }
    }
    for link in &topology.links {
        add(&mut text, format_args!("  link {}\n", link.name()));
        for rule in &link.topics {
            add(&mut text, format_args!("    topics {}\n", rule_text(rule)));
        }
        let rate = link.rate.map_or_else(|| "no limit".to_owned(), |rate| rate.to_string());
        add(
            &mut text,
            format_args!(
                "    groups {}; codec {}; rate {rate}; on a gap: {}\n",
                list(&link.groups),
                link.codec,
                link.on_gap
            ),
        );
    }
    for unit in &topology.failover {
        add(
            &mut text,
            format_args!(
                "  unit {}: home {}, standby {}\n    topics {}; groups {}; when apart: {}\n",
                unit.name,
                unit.home,
                list(&unit.standby),
                list(&unit.topics),
                list(&unit.groups),
                unit.when_apart
            ),
        );
    }
    text
}

pub fn node_plan_text(plan: &NodePlan) -> String {
    let mut text = format!(
        "node {} of {} in {} (broker id {})\n  serves Kafka clients on {}\n",
        plan.node, plan.datacenter, plan.topology, plan.broker_id, plan.kafka
    );
    if let Some(link) = &plan.link {
        add(&mut text, format_args!("  listens for links on {link}\n"));
    }
    for link in &plan.dial {
        link_end(&mut text, "dials", link);
    }
    for link in &plan.accept {
        link_end(&mut text, "expects", link);
    }
    for unit in &plan.units {
        let (role, home) = (unit.role, &unit.home);
        add(&mut text, format_args!("  is {role} of unit {} (declared home {home})\n", unit.name));
    }
    text
}

fn link_end(text: &mut String, verb: &str, link: &LinkPlan) {
    let peers: Vec<String> =
        link.peers.iter().map(|Peer { node, endpoint, .. }| format!("{node} at {endpoint}")).collect();
    let direction = match link.side {
        Side::Source => "sends",
        Side::Target => "receives",
    };
    let topics: Vec<String> = link.topics.iter().map(rule_text).collect();
    add(
        text,
        format_args!(
            "  link {}: {verb} {}; {direction} topics {}; groups {}\n",
            link.name,
            peers.join(", "),
            list(&topics),
            list(&link.groups)
        ),
    );
}

/// The model as a file that reads back as the same model. Every text is quoted, so no value can be taken for something else.
pub fn topology_yaml(topology: &Topology) -> String {
    let mut text = format!("version: 1\nname: {}\ndatacenters:\n", quoted(&topology.name));
    for datacenter in &topology.datacenters {
        add(&mut text, format_args!("  {}:\n", quoted(&datacenter.name)));
        match &datacenter.site {
            Site::Isthmus { id, nodes } => {
                add(&mut text, format_args!("    id: {id}\n    nodes:\n"));
                for node in nodes {
                    let link = node
                        .link
                        .as_ref()
                        .map(|link| format!(", link: {}", quoted(link)))
                        .unwrap_or_default();
                    let (name, kafka) = (quoted(&node.name), quoted(&node.kafka));
                    add(&mut text, format_args!("      - {{ name: {name}, kafka: {kafka}{link} }}\n"));
                }
            }
            Site::KafkaCluster { bootstrap } => {
                let bootstrap = quoted_list(bootstrap);
                add(&mut text, format_args!("    kafka_cluster: {{ bootstrap: {bootstrap} }}\n"));
            }
        }
    }
    if !topology.links.is_empty() {
        text.push_str("links:\n");
        topology.links.iter().for_each(|link| link_yaml(&mut text, link));
    }
    if !topology.failover.is_empty() {
        text.push_str("failover:\n");
        topology.failover.iter().for_each(|unit| unit_yaml(&mut text, unit));
    }
    text
}

fn link_yaml(text: &mut String, link: &Link) {
    add(text, format_args!("  - from: {}\n    to: {}\n    topics:\n", quoted(&link.from), quoted(&link.to)));
    for TopicRule { pattern, flow } in &link.topics {
        let into = match flow {
            Flow::Replica => "mode: replica".to_owned(),
            Flow::Merged { into } => format!("into: {}, mode: merged", quoted(into)),
        };
        add(text, format_args!("      - {{ match: {}, {into} }}\n", quoted(pattern)));
    }
    if !link.groups.is_empty() {
        add(text, format_args!("    groups: {{ match: {} }}\n", quoted_list(&link.groups)));
    }
    add(text, format_args!("    compression: {{ codec: {} }}\n", link.codec));
    if let Some(rate) = link.rate {
        add(text, format_args!("    limits: {{ rate: {} }}\n", quoted(&rate)));
    }
    add(text, format_args!("    on_gap: {}\n", link.on_gap));
}

fn unit_yaml(text: &mut String, unit: &FailoverUnit) {
    add(
        text,
        format_args!(
            "  - name: {}\n    topics: {}\n    groups: {}\n    home: {}\n    standby: {}\n    when_apart: {}\n",
            quoted(&unit.name),
            quoted_list(&unit.topics),
            quoted_list(&unit.groups),
            quoted(&unit.home),
            quoted_list(&unit.standby),
            unit.when_apart
        ),
    );
}

pub(crate) fn rule_text(rule: &TopicRule) -> String {
    match &rule.flow {
        Flow::Replica => format!("{} (replica)", rule.pattern),
        Flow::Merged { into } => format!("{} (merged into {into})", rule.pattern),
    }
}

pub(crate) fn list<T: Display>(items: &[T]) -> String {
    if items.is_empty() {
        return "none".to_owned();
    }
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// A double-quoted YAML scalar.
fn quoted(value: &impl Display) -> String {
    let mut text = String::from("\"");
    for c in value.to_string().chars() {
        match c {
            '"' | '\\' => {
                text.push('\\');
                text.push(c);
            }
            // Group names may hold any printable character; what a line-oriented reader could take for a break is written as a code.
            c if c.is_ascii() || c.is_alphanumeric() => text.push(c),
            c => add(&mut text, format_args!("\\U{:08X}", u32::from(c))),
        }
    }
    text.push('"');
    text
}

fn quoted_list<T: Display>(items: &[T]) -> String {
    format!("[{}]", items.iter().map(quoted).collect::<Vec<_>>().join(", "))
}

fn add(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("writing to a String cannot fail");
}
