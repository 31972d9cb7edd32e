//! `datacenters.NAME`.

use super::fields::Fields;
use super::tree::Tree;
use super::{Number, not_empty};
use crate::limits::DATACENTER_ID_MAX;
use crate::located::Located;
use crate::model::{Datacenter, Node, Site};
use crate::name::Name;
use crate::problem::Problems;
use crate::schema;

pub(super) fn parse(name: Located<Name>, tree: &Tree, problems: &mut Problems) -> Option<Datacenter> {
    let fields = Fields::new(tree, &schema::DATACENTER, problems)?;
    let site = match (fields.get("nodes"), fields.get("kafka_cluster")) {
        (Some(_), None) => isthmus(&name, &fields, problems),
        (None, Some(cluster)) => {
            if let Some(id) = fields.get("id") {
                let message = "a Kafka cluster run by others has no `id`";
                problems.error(
                    "datacenter-kind",
                    id.position,
                    message,
                    "remove it; its brokers have ids of their own",
                );
            }
            kafka_cluster(cluster, problems)
        }
        (Some(_), Some(cluster)) => {
            let message = format!("`{name}` has both nodes and a Kafka cluster");
            let fix = "make two datacenters of it, one with `nodes`, one with `kafka_cluster`";
            problems.error("datacenter-kind", cluster.position, message, fix);
            None
        }
        (None, None) => {
            let message = format!("`{name}` has neither nodes nor a Kafka cluster");
            problems.error(
                "datacenter-kind",
                fields.position,
                message,
                "add `nodes:` with at least one node",
            );
            None
        }
    }?;
    Some(Datacenter { name, site })
}

fn isthmus(name: &Located<Name>, fields: &Fields<'_>, problems: &mut Problems) -> Option<Site> {
    let id = match fields.value::<Number>("id", problems) {
        Some(id) if (1..=DATACENTER_ID_MAX).contains(&id.value.0) => {
            Some(Located::new(id.value.0, id.position))
        }
        Some(id) => {
            let message = format!("datacenter id {} is out of range", id.value.0);
            problems.error(
                "invalid-value",
                id.position,
                message,
                format!("choose one from 1 to {DATACENTER_ID_MAX}"),
            );
            None
        }
        None if fields.get("id").is_none() => {
            let message = format!("`{name}` needs `id`");
            problems.error(
                "missing-key",
                fields.position,
                message,
                "add `id:` (an integer that no other datacenter has)",
            );
            None
        }
        None => None,
    };
    let nodes = super::collect(fields.list("nodes", problems), problems, node);
    not_empty(&nodes, "`nodes`", fields, "nodes", problems);
    Some(Site::Isthmus { id: id?, nodes })
}

fn node(tree: &Tree, problems: &mut Problems) -> Option<Node> {
    let fields = Fields::new(tree, &schema::NODE, problems)?;
    let (name, kafka, link) =
        (fields.value("name", problems), fields.value("kafka", problems), fields.value("link", problems));
    Some(Node { name: name?, kafka: kafka?, link })
}

fn kafka_cluster(tree: &Tree, problems: &mut Problems) -> Option<Site> {
    let fields = Fields::new(tree, &schema::KAFKA_CLUSTER, problems)?;
    let bootstrap = fields.values("bootstrap", problems);
    not_empty(&bootstrap, "`bootstrap`", &fields, "bootstrap", problems);
    Some(Site::KafkaCluster { bootstrap })
}
