//! Items of one request that each want a change: those that are refused already keep their place among the others.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::Arc,
};

use super::failure::Failure;
use crate::metadata::{Change, Image, Metadata, Mode};

/// Proposes the changes together; answers each item in its place with the image right after its change.
pub(super) async fn settle(
    metadata: &Metadata,
    validate_only: bool,
    wanted: Vec<Result<Change, Failure>>,
) -> Vec<Result<Arc<Image>, Failure>> {
    let changes: Vec<_> = wanted.iter().filter_map(|item| item.as_ref().ok().cloned()).collect();
    let mode = if validate_only { Mode::Rehearse } else { Mode::Commit };
    let outcomes = if changes.is_empty() { Vec::new() } else { metadata.propose(changes, mode).await };
    let mut outcomes = outcomes.into_iter();
    let settled = |item: Result<Change, Failure>| match item {
        Ok(_) => outcomes.next().expect("each change has an outcome").map_err(Failure::from),
        Err(failure) => Err(failure),
    };
    wanted.into_iter().map(settled).collect()
}

/// The keys that more than one item has.
pub(super) fn repeated<K: Hash + Eq>(keys: impl Iterator<Item = K>) -> HashSet<K> {
    let mut counts = HashMap::new();
    for key in keys {
        *counts.entry(key).or_insert(0u32) += 1;
    }
    counts.into_iter().filter(|(_, count)| *count > 1).map(|(key, _)| key).collect()
}
