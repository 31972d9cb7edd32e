//! Changing a topic's settings.

use std::collections::BTreeMap;

use crate::metadata::{
    change::{ConfigAdjustment, ConfigEdit, ConfigOperation, Refusal, TopicConfigChange},
    image::{Image, Topic},
    record::{MetadataRecord, TopicConfigRecord},
    topic_config::{self, ConfigKind, TopicConfig},
};

/// Kafka's bound of one value.
const VALUE_BYTES_MAX: usize = 32_767;

pub(super) fn alter(image: &Image, change: &TopicConfigChange) -> Result<Vec<MetadataRecord>, Refusal> {
    let unknown = || Refusal::UnknownTopic(change.topic.detached());
    let topic = image.topic(change.topic.as_str()).ok_or_else(unknown)?;
    let overrides = match &change.edit {
        ConfigEdit::Replace(configs) => replacement(configs)?,
        ConfigEdit::Adjust(adjustments) => adjusted(image, topic, adjustments)?,
    };
    let config = TopicConfig::resolve(&overrides, image.defaults())?;
    if topic.internal && config.write_caching {
        return Err(Refusal::InternalUnsynced);
    }
    Ok(difference(topic, &overrides))
}

/// A whole new set of overrides.
pub(super) fn replacement(configs: &[(String, Option<String>)]) -> Result<BTreeMap<String, String>, Refusal> {
    let nulls: Vec<_> =
        configs.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| name.clone()).collect();
    if !nulls.is_empty() {
        return Err(Refusal::NullConfigs(nulls));
    }
    let mut overrides = BTreeMap::new();
    for (name, value) in configs {
        let value = bounded(value.as_deref().unwrap_or_default())?;
        if overrides.insert(name.clone(), value).is_some() {
            return Err(Refusal::RepeatedConfigs);
        }
    }
    Ok(overrides)
}

/// The overrides that are there, with each adjustment made; a name may be adjusted once.
fn adjusted(
    image: &Image,
    topic: &Topic,
    adjustments: &[ConfigAdjustment],
) -> Result<BTreeMap<String, String>, Refusal> {
    let mut overrides = topic.overrides.clone();
    let mut names = std::collections::BTreeSet::new();
    for adjustment in adjustments {
        if !names.insert(adjustment.name.as_str()) {
            return Err(Refusal::RepeatedConfigs);
        }
        let name = adjustment.name.clone();
        match (adjustment.operation, &adjustment.value) {
            (ConfigOperation::Delete, _) => {
                topic_config::key(&name)?;
                overrides.remove(&name);
            }
            (_, None) => return Err(Refusal::NullConfigs(vec![name])),
            (ConfigOperation::Set, Some(value)) => {
                overrides.insert(name, bounded(value)?);
            }
            (operation @ (ConfigOperation::Append | ConfigOperation::Subtract), Some(items)) => {
                let list = changed_list(image, &overrides, operation, &name, items)?;
                overrides.insert(name, bounded(&list)?);
            }
        }
    }
    Ok(overrides)
}

/// The list with items added or taken away; without an override, starting from the default.
fn changed_list(
    image: &Image,
    overrides: &BTreeMap<String, String>,
    operation: ConfigOperation,
    name: &str,
    items: &str,
) -> Result<String, Refusal> {
    let key = topic_config::key(name)?;
    let appends = operation == ConfigOperation::Append;
    if key.kind != ConfigKind::List {
        let operation = if appends { "APPEND" } else { "SUBTRACT" };
        return Err(Refusal::NotAList { operation, name: key.name, kind: key.kind });
    }
    let current =
        overrides.get(name).cloned().unwrap_or_else(|| key.default.value(image.defaults()).into_owned());
    let mut list: Vec<&str> = topic_config::items(&current).collect();
    for item in topic_config::items(items) {
        let there = list.contains(&item);
        if appends && !there {
            list.push(item);
        } else if !appends && there {
            list.retain(|kept| *kept != item);
        }
    }
    Ok(list.join(","))
}

/// One record for each override that differs.
pub(super) fn difference(topic: &Topic, wanted: &BTreeMap<String, String>) -> Vec<MetadataRecord> {
    let record = |name: &String, value: Option<String>| {
        MetadataRecord::TopicConfig(TopicConfigRecord { version: 1, id: topic.id, name: name.clone(), value })
    };
    let removed = topic.overrides.keys().filter(|name| !wanted.contains_key(*name));
    let set = wanted.iter().filter(|(name, value)| topic.overrides.get(*name) != Some(*value));
    removed
        .map(|name| record(name, None))
        .chain(set.map(|(name, value)| record(name, Some(value.clone()))))
        .collect()
}

pub(super) fn bounded(value: &str) -> Result<String, Refusal> {
    let value = value.trim();
    if value.len() > VALUE_BYTES_MAX {
        return Err(Refusal::ConfigTooLong { max: VALUE_BYTES_MAX });
    }
    Ok(value.to_owned())
}
