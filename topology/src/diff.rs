//! What would change if one model took the place of another, and what to think of before it does.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};

use crate::model::{Datacenter, FailoverUnit, Link, Site, Topology};
use crate::show::{list, rule_text};

/// One thing that is added, removed or changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    pub kind: ChangeKind,
    /// `topology`, `datacenter NAME`, `node NAME`, `link FROM:TO`, `unit NAME`.
    pub element: String,
    /// The key that changed; none when the whole element came or went.
    pub field: Option<&'static str>,
    pub before: Option<String>,
    pub after: Option<String>,
    /// What the change does not do, or does beyond the obvious.
    pub caution: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    Added,
    Removed,
    Changed,
}

/// The changes from `old` to `new`, datacenters first, then nodes, links and units, each by name.
pub fn diff(old: &Topology, new: &Topology) -> Vec<Change> {
    let (old, new) = (elements(old), elements(new));
    let mut changes = Vec::new();
    let mut keys: Vec<&ElementKey> =
        old.keys().chain(new.keys().filter(|key| !old.contains_key(key))).collect();
    keys.sort();
    for key in keys {
        match (old.get(key), new.get(key)) {
            (Some(before), Some(after)) => changes.extend(fields(key, before, after)),
            (before, after) => changes.push(whole(key, before, after)),
        }
    }
    changes
}

pub fn changes_json(changes: &[Change]) -> Value {
    json!({ "changes": changes })
}

/// One line per change, its caution below it.
pub fn changes_text(changes: &[Change]) -> String {
    if changes.is_empty() {
        return "no changes\n".to_owned();
    }
    changes.iter().map(Change::to_string).collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Topology,
    Datacenter,
    Node,
    Link,
    Unit,
}

type ElementKey = (Class, String);
type ElementFields = Vec<(&'static str, String)>;

fn elements(topology: &Topology) -> BTreeMap<ElementKey, ElementFields> {
    let mut found = BTreeMap::new();
    found.insert((Class::Topology, String::new()), vec![("name", topology.name.to_string())]);
    for datacenter in &topology.datacenters {
        let name = datacenter.name.to_string();
        found.insert((Class::Datacenter, name.clone()), datacenter_fields(datacenter));
        for (at, node) in datacenter.nodes().iter().enumerate() {
            let link = node.link.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
            let fields = vec![
                ("datacenter", name.clone()),
                ("number", (at + 1).to_string()),
                ("kafka", node.kafka.to_string()),
                ("link", link),
            ];
            found.insert((Class::Node, node.name.to_string()), fields);
        }
    }
    for link in &topology.links {
        found.insert((Class::Link, link.name()), link_fields(link));
    }
    for unit in &topology.failover {
        found.insert((Class::Unit, unit.name.to_string()), unit_fields(unit));
    }
    found
}

fn datacenter_fields(datacenter: &Datacenter) -> ElementFields {
    match &datacenter.site {
        Site::Isthmus { id, .. } => vec![("id", id.to_string())],
        Site::KafkaCluster { bootstrap } => vec![("bootstrap", list(bootstrap))],
    }
}

fn link_fields(link: &Link) -> ElementFields {
    let topics: Vec<String> = link.topics.iter().map(rule_text).collect();
    vec![
        ("topics", list(&topics)),
        ("groups", list(&link.groups)),
        ("codec", link.codec.to_string()),
        ("rate", link.rate.map_or_else(|| "no limit".to_owned(), |rate| rate.to_string())),
        ("on_gap", link.on_gap.to_string()),
    ]
}

fn unit_fields(unit: &FailoverUnit) -> ElementFields {
    vec![
        ("topics", list(&unit.topics)),
        ("groups", list(&unit.groups)),
        ("home", unit.home.to_string()),
        ("standby", list(&unit.standby)),
        ("when_apart", unit.when_apart.to_string()),
    ]
}

fn fields(key: &ElementKey, before: &ElementFields, after: &ElementFields) -> Vec<Change> {
    let value = |fields: &ElementFields, name: &str| {
        fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value.clone())
    };
    let gone = before.iter().filter(|(field, _)| value(after, field).is_none());
    let names = after.iter().chain(gone).map(|(field, _)| *field);
    names
        .filter(|field| value(before, field) != value(after, field))
        .map(|field| Change {
            kind: ChangeKind::Changed,
            element: called(key),
            field: Some(field),
            before: value(before, field),
            after: value(after, field),
            caution: field_caution(key.0, field),
        })
        .collect()
}

fn whole(key: &ElementKey, before: Option<&ElementFields>, after: Option<&ElementFields>) -> Change {
    let text = |fields: &ElementFields| {
        fields.iter().map(|(field, value)| format!("{field} {value}")).collect::<Vec<_>>().join(", ")
    };
    let kind = if after.is_some() { ChangeKind::Added } else { ChangeKind::Removed };
    Change {
        kind,
        element: called(key),
        field: None,
        before: before.map(text),
        after: after.map(text),
        caution: whole_caution(key.0, kind),
    }
}

fn called((class, name): &ElementKey) -> String {
    match class {
        Class::Topology => "topology".to_owned(),
        Class::Datacenter => format!("datacenter {name}"),
        Class::Node => format!("node {name}"),
        Class::Link => format!("link {name}"),
        Class::Unit => format!("unit {name}"),
    }
}

fn field_caution(class: Class, field: &str) -> Option<&'static str> {
    match (class, field) {
        (Class::Topology, "name") => {
            Some("the name is the trust domain: every node needs a new certificate first")
        }
        (Class::Datacenter, "id") | (Class::Node, "number") => {
            Some("broker ids change with it: the node must restart, and clients look their leaders up again")
        }
        (Class::Datacenter, _) => {
            Some("what stands in the datacenter changes: nothing that was mirrored there moves along")
        }
        (Class::Node, "datacenter") => Some("the node's certificate names its datacenter: issue a new one"),
        (Class::Node, _) => {
            Some("the node listens there after a restart; its certificate must name the new host")
        }
        (Class::Link, "topics") => {
            Some("topics that no rule takes any more stop following; their replicas stay, read-only")
        }
        (Class::Unit, "home") => Some(
            "this moves no home: the file's home counts for the first generation only; use `isthmus failover`",
        ),
        (Class::Unit, "topics") => Some("topics that leave the unit keep the home they have now"),
        (Class::Link | Class::Unit | Class::Topology, _) => None,
    }
}

fn whole_caution(class: Class, kind: ChangeKind) -> Option<&'static str> {
    match (class, kind) {
        (Class::Node, ChangeKind::Added) => Some("the node needs a certificate: `isthmus certs issue`"),
        (Class::Node, ChangeKind::Removed) => {
            Some("its peers refuse it from then on; its data stays on its disk")
        }
        (Class::Link, ChangeKind::Removed) => {
            Some("the target's topics stop following; they stay, read-only")
        }
        (Class::Unit, ChangeKind::Removed) => {
            Some("its topics keep the home they have now and can no longer fail over")
        }
        _ => None,
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let none = String::new();
        let (before, after) = (self.before.as_ref().unwrap_or(&none), self.after.as_ref().unwrap_or(&none));
        match (self.kind, self.field) {
            (ChangeKind::Added, _) => writeln!(f, "+ {}: {after}", self.element)?,
            (ChangeKind::Removed, _) => writeln!(f, "- {}: {before}", self.element)?,
            (ChangeKind::Changed, field) => {
                writeln!(f, "~ {} {}: {before} -> {after}", self.element, field.unwrap_or_default())?;
            }
        }
        match self.caution {
            Some(caution) => writeln!(f, "    note: {caution}"),
            None => Ok(()),
        }
    }
}
