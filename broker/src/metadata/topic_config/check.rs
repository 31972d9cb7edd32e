//! Whether a setting's text is a value of its type and within its rule; complaints read as Kafka's do.

use std::fmt;

use super::ConfigKey;

/// A setting's type, by its number in DescribeConfigs answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i8)]
pub enum ConfigKind {
    Boolean = 1,
    String = 2,
    Int = 3,
    Short = 4,
    Long = 5,
    Double = 6,
    List = 7,
}

/// What a value must satisfy beyond its type.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    Any,
    AtLeast(i64),
    Between(i64, i64),
    Ratio,
    OneOf(&'static [&'static str]),
    /// Each item of a list, at most once.
    Items(&'static [&'static str]),
    /// Kafka knows more values; we refuse those because we would not do what they promise.
    Only {
        value: &'static str,
        because: &'static str,
    },
}

/// Why a setting is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidConfig {
    #[error("Unknown topic config name: {0}")]
    UnknownName(String),
    #[error("Invalid value {value} for configuration {name}: {complaint}")]
    Value { name: &'static str, value: String, complaint: String },
    #[error("conflict topic config setting min.compaction.lag.ms ({min}) > max.compaction.lag.ms ({max})")]
    LagsConflict { min: i64, max: i64 },
}

impl ConfigKey {
    /// Checks a value as it came from a client; like Kafka, without regard to surrounding blanks.
    pub fn check(&self, value: &str) -> Result<(), InvalidConfig> {
        self.complaint(value.trim()).map_or(Ok(()), |complaint| Err(self.refuse(self.name, value, complaint)))
    }

    pub(super) fn check_default(&self, value: &str) -> Result<(), InvalidConfig> {
        let name = self.broker_name.unwrap_or(self.name);
        self.complaint(value.trim()).map_or(Ok(()), |complaint| Err(self.refuse(name, value, complaint)))
    }

    pub(super) fn not_of_its_kind(&self, value: &str) -> InvalidConfig {
        self.refuse(self.name, value, format!("Not a number of type {}", self.kind))
    }

    fn refuse(&self, name: &'static str, value: &str, complaint: String) -> InvalidConfig {
        /// A complaint quotes no more of what the client sent.
        const QUOTED_CHARS_MAX: usize = 200;
        InvalidConfig::Value { name, value: value.chars().take(QUOTED_CHARS_MAX).collect(), complaint }
    }

    fn complaint(&self, value: &str) -> Option<String> {
        match self.kind {
            ConfigKind::Boolean => boolean_complaint(value).or_else(|| self.word_complaint(value)),
            ConfigKind::String | ConfigKind::List => self.word_complaint(value),
            ConfigKind::Int => self.number_complaint(value.parse::<i32>().map(i64::from).ok()),
            ConfigKind::Short => self.number_complaint(value.parse::<i16>().map(i64::from).ok()),
            ConfigKind::Long => self.number_complaint(value.parse::<i64>().ok()),
            ConfigKind::Double => self.ratio_complaint(value),
        }
    }

    fn number_complaint(&self, number: Option<i64>) -> Option<String> {
        let Some(number) = number else { return Some(format!("Not a number of type {}", self.kind)) };
        match self.rule {
            Rule::AtLeast(min) | Rule::Between(min, _) if number < min => {
                Some(format!("Value must be at least {min}"))
            }
            Rule::Between(_, max) if number > max => Some(format!("Value must be no more than {max}")),
            Rule::Any
            | Rule::AtLeast(_)
            | Rule::Between(..)
            | Rule::Ratio
            | Rule::OneOf(_)
            | Rule::Items(_)
            | Rule::Only { .. } => None,
        }
    }

    fn ratio_complaint(&self, value: &str) -> Option<String> {
        match value.parse::<f64>() {
            Err(_) => Some(format!("Not a number of type {}", self.kind)),
            Ok(ratio) if (0.0..=1.0).contains(&ratio) => None,
            Ok(ratio) if ratio > 1.0 => Some("Value must be no more than 1".to_owned()),
            Ok(_) => Some("Value must be at least 0".to_owned()),
        }
    }

    fn word_complaint(&self, value: &str) -> Option<String> {
        match self.rule {
            Rule::OneOf(words) if !words.contains(&value) => {
                Some(format!("String must be one of: {}", words.join(", ")))
            }
            Rule::Items(words) if items(value).any(|item| !words.contains(&item)) => {
                Some(format!("String must be one of: {}", words.join(", ")))
            }
            Rule::Items(_) if has_repeats(value) => Some("Values must not be duplicated".to_owned()),
            Rule::Only { value: only, because } if !value.eq_ignore_ascii_case(only) => {
                Some(format!("Only {only} is supported: {because}"))
            }
            Rule::Any
            | Rule::AtLeast(_)
            | Rule::Between(..)
            | Rule::Ratio
            | Rule::OneOf(_)
            | Rule::Items(_)
            | Rule::Only { .. } => None,
        }
    }
}

/// The items of a list as Kafka writes it.
pub(in crate::metadata) fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|item| !item.is_empty())
}

impl fmt::Display for ConfigKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Boolean => "BOOLEAN",
            Self::String => "STRING",
            Self::Int => "INT",
            Self::Short => "SHORT",
            Self::Long => "LONG",
            Self::Double => "DOUBLE",
            Self::List => "LIST",
        })
    }
}

fn boolean_complaint(value: &str) -> Option<String> {
    let boolean = value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false");
    (!boolean).then(|| "Expected value to be either true or false".to_owned())
}

fn has_repeats(list: &str) -> bool {
    items(list).enumerate().any(|(index, item)| items(list).take(index).any(|earlier| earlier == item))
}
