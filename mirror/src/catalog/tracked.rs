//! One topic of the source: what is wished for it, beside what there is. Pure: [`compare`] decides, `sync` acts.

use std::collections::BTreeSet;

use protocol::{TopicId, TopicName};

use super::{
    event::{LocalCatalog, LocalTopic, SourceTopic},
    rules::Flow,
    stop::TopicStop,
};

/// What has to be done, and what is ready meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Comparison {
    pub(super) wish: Option<Wish>,
    pub(super) ready: Option<ReadyAt>,
    /// Partitions here, where there are more than at the source.
    pub(super) surplus: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Create,
    Follow,
    EnsureMerged { into: TopicName },
}

/// Partitions `0..count` can be subscribed; their records go to `target`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReadyAt {
    pub(super) target: TopicName,
    pub(super) target_id: TopicId,
    pub(super) merged: bool,
    pub(super) count: usize,
}

pub(super) fn compare(
    source: &SourceTopic,
    flow: &Flow,
    local: &LocalCatalog,
    skipped: &BTreeSet<String>,
    earlier: &BTreeSet<TopicId>,
) -> Result<Comparison, TopicStop> {
    match flow {
        Flow::Replica => replica(source, local.get(&source.name), skipped, earlier),
        Flow::Merged { into } => Ok(merged(source, into, local.get(into))),
    }
}

fn replica(
    source: &SourceTopic,
    local: Option<&LocalTopic>,
    skipped: &BTreeSet<String>,
    earlier: &BTreeSet<TopicId>,
) -> Result<Comparison, TopicStop> {
    let Some(local) = local else {
        return Ok(Comparison { wish: Some(Wish::Create), ready: None, surplus: None });
    };
    if local.id != source.id {
        let name = source.name.clone();
        let was_mirrored = local.replica || earlier.contains(&local.id);
        return Err(if was_mirrored {
            TopicStop::SourceIdChanged { name, was: local.id, now: source.id }
        } else {
            TopicStop::LocalTopicInTheWay { name, here: local.id, source_id: source.id }
        });
    }
    let (here, there) = (local.leader_epochs.len(), source.leader_epochs.len());
    let older = local.leader_epochs.iter().zip(&source.leader_epochs).any(|(local, source)| local < source);
    let wanted = source.configs.iter().filter(|(key, _)| !skipped.contains(*key));
    let follows = here >= there && !older && wanted.eq(local.configs.iter());
    Ok(Comparison {
        wish: (!follows).then_some(Wish::Follow),
        ready: Some(ReadyAt {
            target: source.name.clone(),
            target_id: local.id,
            merged: false,
            count: here.min(there),
        }),
        surplus: (here > there).then_some(here),
    })
}

fn merged(source: &SourceTopic, into: &TopicName, local: Option<&LocalTopic>) -> Comparison {
    let there = source.leader_epochs.len();
    let here = local.map_or(0, |local| local.leader_epochs.len());
    Comparison {
        wish: (local.is_none() || here < there).then(|| Wish::EnsureMerged { into: into.clone() }),
        ready: local.map(|local| ReadyAt {
            target: into.clone(),
            target_id: local.id,
            merged: true,
            count: here.min(there),
        }),
        surplus: None,
    }
}
