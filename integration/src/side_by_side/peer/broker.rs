//! A Kafka broker that is its own controller.

use std::{path::Path, sync::Arc};

use super::java;
use crate::side_by_side::{node::Node, place::Place, process::Role};

const FLAGS: &str = "broker.jvm";
/// Any id will do: each broker is a cluster of its own.
const CLUSTER_IDS: [&str; 2] = ["aXN0aG11cy1wZWVyLTEtMQ", "aXN0aG11cy1wZWVyLTItMg"];

/// Formats its directory; the broker is not started.
#[track_caller]
pub(super) fn node(role: Role, place: &Arc<dyn Place>, folder: &Path, name: &str, id: usize) -> Node {
    let (kafka, controller) = (place.free(), place.free());
    let settings = folder.join(format!("{name}.properties"));
    let more = [
        ("node.id", id.to_string()),
        ("listeners", format!("PLAINTEXT://{kafka},CONTROLLER://{controller}")),
        ("advertised.listeners", format!("PLAINTEXT://{kafka}")),
        ("controller.quorum.voters", format!("{id}@{controller}")),
        ("log.dirs", folder.join(format!("{name}.data")).display().to_string()),
    ];
    java::settings("broker.properties", &more, &settings);
    let mut format = java::command(&**place, FLAGS, "kafka.tools.StorageTool");
    format.args(["format", "--cluster-id", CLUSTER_IDS[id % 2], "--config"]).arg(&settings);
    let output = format.output().expect("java is there: the peer runs on it");
    assert!(output.status.success(), "formatting failed:\n{}", String::from_utf8_lossy(&output.stdout));
    let place = Arc::clone(place);
    Node::new(role, kafka, None, folder.join(format!("{name}.log")), move || {
        let mut command = java::command(&*place, FLAGS, "kafka.Kafka");
        command.arg(&settings);
        command
    })
}
