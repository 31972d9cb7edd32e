//! What a setting is and where that comes from.

use std::{borrow::Cow, collections::BTreeMap};

use super::{ConfigDefault, ConfigKey};
use crate::settings::TopicSettings;

/// Where a value comes from, by its number in DescribeConfigs answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i8)]
pub enum ConfigSource {
    /// The topic's own override.
    Topic = 1,
    /// The broker's settings.
    StaticBroker = 4,
    /// Built in.
    Default = 5,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    pub value: String,
    pub source: ConfigSource,
    /// All places the setting has a value in, the one that counts first.
    pub synonyms: Vec<Synonym>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synonym {
    pub name: &'static str,
    pub value: String,
    pub source: ConfigSource,
}

/// A topic's setting; without overrides, what the broker gives every topic.
pub fn describe(key: &ConfigKey, overrides: &BTreeMap<String, String>, broker: &TopicSettings) -> Described {
    let mut synonyms = Vec::new();
    if let Some(value) = overrides.get(key.name) {
        synonyms.push(Synonym { name: key.name, value: value.clone(), source: ConfigSource::Topic });
    }
    let built_in = built_in(key.default);
    if let Some(name) = key.broker_name {
        let value = key.default.value(broker).into_owned();
        if value != built_in {
            synonyms.push(Synonym { name, value, source: ConfigSource::StaticBroker });
        }
        synonyms.push(Synonym { name, value: built_in.clone().into_owned(), source: ConfigSource::Default });
    }
    let (value, source) = match synonyms.first() {
        Some(first) => (first.value.clone(), first.source),
        None => (built_in.into_owned(), ConfigSource::Default),
    };
    Described { value, source, synonyms }
}

fn built_in(default: ConfigDefault) -> Cow<'static, str> {
    default.value(&TopicSettings::default())
}
