//! Topic settings: Kafka's names and rules, and the typed values the broker acts on.
//!
//! [`table`](table::TOPIC_CONFIGS) lists every setting that clients can see, with type, default, rule and the honest text about
//! what it does here. [`TopicConfig`] holds the few that are acted upon.

mod check;
mod describe;
mod table;

use std::{borrow::Cow, collections::BTreeMap};

pub(super) use check::items;
pub use check::{ConfigKind, InvalidConfig};
pub use describe::{ConfigSource, Described, Synonym, describe};
pub use table::{ConfigDefault, ConfigKey, TOPIC_CONFIGS};

use crate::settings::TopicSettings;

/// What the broker acts on; each field is the setting of that name with '.' for '_' unless it says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicConfig {
    /// `cleanup.policy` has `delete`: retention applies.
    pub delete: bool,
    /// `cleanup.policy` has `compact`: records need keys.
    pub compact: bool,
    /// -1: no limit.
    pub retention_ms: i64,
    /// Of each partition; negative: no limit.
    pub retention_bytes: i64,
    pub segment_bytes: i32,
    pub segment_ms: i64,
    pub index_interval_bytes: i32,
    pub max_message_bytes: i32,
    /// `message.timestamp.type` is `LogAppendTime`.
    pub append_time: bool,
    pub message_timestamp_before_max_ms: i64,
    pub message_timestamp_after_max_ms: i64,
    /// A partition here has one replica, so more than 1 means that `acks=all` is refused (NOT_ENOUGH_REPLICAS), as Kafka
    /// does when the setting exceeds the replication factor.
    pub min_insync_replicas: i32,
    /// `write.caching`: `acks=all` is answered, and records become visible, once they are in the page cache.
    pub write_caching: bool,
}

impl TopicConfig {
    /// The effective settings: overrides over the broker's defaults.
    pub fn resolve(
        overrides: &BTreeMap<String, String>,
        defaults: &TopicSettings,
    ) -> Result<Self, InvalidConfig> {
        for (name, value) in overrides {
            key(name)?.check(value)?;
        }
        let values = Values { overrides, defaults };
        values.lags_agree()?;
        let policy = values.text("cleanup.policy")?;
        Ok(Self {
            delete: items(&policy).any(|item| item == "delete"),
            compact: items(&policy).any(|item| item == "compact"),
            retention_ms: values.number("retention.ms")?,
            retention_bytes: values.number("retention.bytes")?,
            segment_bytes: values.number("segment.bytes")?,
            segment_ms: values.number("segment.ms")?,
            index_interval_bytes: values.number("index.interval.bytes")?,
            max_message_bytes: values.number("max.message.bytes")?,
            append_time: values.text("message.timestamp.type")? == "LogAppendTime",
            message_timestamp_before_max_ms: values.number("message.timestamp.before.max.ms")?,
            message_timestamp_after_max_ms: values.number("message.timestamp.after.max.ms")?,
            min_insync_replicas: values.number("min.insync.replicas")?,
            write_caching: values.text("write.caching")?.eq_ignore_ascii_case("true"),
        })
    }
}

/// The setting of that name, or Kafka's complaint.
pub fn key(name: &str) -> Result<&'static ConfigKey, InvalidConfig> {
    TOPIC_CONFIGS
        .iter()
        .find(|key| key.name == name)
        .ok_or_else(|| InvalidConfig::UnknownName(name.to_owned()))
}

/// Checks a broker's own defaults by the rules that topics' settings have; names the broker setting that is wrong.
pub fn check_defaults(defaults: &TopicSettings) -> Result<(), InvalidConfig> {
    TOPIC_CONFIGS.iter().try_for_each(|key| key.check_default(&key.default.value(defaults)))
}

/// Effective values by name, not yet typed.
struct Values<'a> {
    overrides: &'a BTreeMap<String, String>,
    defaults: &'a TopicSettings,
}

impl Values<'_> {
    fn text(&self, name: &'static str) -> Result<Cow<'_, str>, InvalidConfig> {
        match self.overrides.get(name) {
            Some(value) => Ok(Cow::Borrowed(value.trim())),
            None => Ok(key(name)?.default.value(self.defaults)),
        }
    }

    fn number<N: std::str::FromStr>(&self, name: &'static str) -> Result<N, InvalidConfig> {
        let text = self.text(name)?;
        text.parse().map_err(|_| key(name).map_or_else(|unknown| unknown, |key| key.not_of_its_kind(&text)))
    }

    /// Kafka's one rule over two settings.
    fn lags_agree(&self) -> Result<(), InvalidConfig> {
        let min: i64 = self.number("min.compaction.lag.ms")?;
        let max: i64 = self.number("max.compaction.lag.ms")?;
        if min > max { Err(InvalidConfig::LagsConflict { min, max }) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
