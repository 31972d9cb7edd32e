//! `links[]`.

use super::fields::{Fields, value};
use super::tree::Tree;
use super::{not_empty, one_or_many};
use crate::located::Located;
use crate::model::{Codec, Flow, Link, Mode, TopicRule};
use crate::pattern::GroupPattern;
use crate::problem::Problems;
use crate::rate::Rate;
use crate::schema;

pub(super) fn parse(tree: &Tree, problems: &mut Problems) -> Option<Link> {
    let fields = Fields::new(tree, &schema::LINK, problems)?;
    let (from, to) = (fields.value("from", problems), fields.value("to", problems));
    let topics = super::collect(fields.list("topics", problems), problems, rule);
    not_empty(&topics, "`topics`", &fields, "topics", problems);
    let groups = fields.get("groups").map(|tree| groups(tree, problems)).unwrap_or_default();
    let codec = fields
        .get("compression")
        .and_then(|tree| compression(tree, problems))
        .unwrap_or_else(|| Located::new(Codec::default(), fields.position));
    let rate = fields.get("limits").and_then(|tree| rate(tree, problems));
    let on_gap = fields.value_or_default("on_gap", problems);
    Some(Link { from: from?, to: to?, topics, groups, codec, rate, on_gap })
}

fn rule(tree: &Tree, problems: &mut Problems) -> Option<TopicRule> {
    let fields = Fields::new(tree, &schema::TOPICS, problems)?;
    let pattern = fields.value("match", problems);
    let into = fields.value("into", problems);
    let mode = match fields.get("mode") {
        Some(tree) => value::<Mode>(tree, problems)?,
        None => Located::new(Mode::default(), fields.position),
    };
    let flow = match (mode.value, into) {
        (Mode::Merged, Some(into)) => Flow::Merged { into },
        (Mode::Merged, None) => {
            if fields.get("into").is_none() {
                let fix = "add `into:` with the name of the topic at the target";
                problems.error("missing-key", mode.position, "`mode: merged` needs `into`", fix);
            }
            return None;
        }
        (Mode::Replica, Some(into)) => {
            let message =
                format!("`into: {into}` does not go with `mode: replica`: a replica keeps its name");
            problems.error("into-replica", into.position, message, "add `mode: merged`, or remove `into`");
            return None;
        }
        (Mode::Replica, None) => Flow::Replica,
    };
    Some(TopicRule { pattern: pattern?, flow })
}

fn groups(tree: &Tree, problems: &mut Problems) -> Vec<Located<GroupPattern>> {
    let Some(fields) = Fields::new(tree, &schema::GROUPS, problems) else { return Vec::new() };
    fields.get("match").map(|tree| one_or_many(tree, problems)).unwrap_or_default()
}

fn compression(tree: &Tree, problems: &mut Problems) -> Option<Located<Codec>> {
    Fields::new(tree, &schema::COMPRESSION, problems)?.value("codec", problems)
}

fn rate(tree: &Tree, problems: &mut Problems) -> Option<Located<Rate>> {
    Fields::new(tree, &schema::LIMITS, problems)?.value("rate", problems)
}
