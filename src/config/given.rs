//! One setting as one layer gave it, and a layer as a source for the crate `config`.

use std::fmt;

use ::config::{ConfigError, Map, Source, Value, ValueKind};

/// A value and where it stands. Scalars only: no setting is a list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Given {
    /// Dotted, as in `broker.topics.partitions`.
    pub(crate) name: String,
    pub(crate) value: Scalar,
    /// As an operator would look for it: `isthmus.toml:3`, `ISTHMUS_DATA`, `--data`, `default`.
    pub(crate) origin: String,
    /// How the layer spells a setting's name, for the fix in a refusal.
    pub(crate) spelling: Spelling,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar {
    Flag(bool),
    Whole(i128),
    Text(String),
}

/// Layers name the same setting differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// `broker.listen`
    Dotted,
    /// `ISTHMUS_BROKER__LISTEN`
    Variable,
}

impl Spelling {
    pub(crate) fn of(self, name: &str) -> String {
        match self {
            Self::Dotted => name.to_owned(),
            Self::Variable => super::environment::variable(name),
        }
    }
}

impl fmt::Display for Scalar {
    /// As it would stand in a TOML file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => flag.fmt(f),
            Self::Whole(number) => number.fmt(f),
            // JSON's escapes are a subset of those of TOML's basic strings.
            Self::Text(text) => serde_json::Value::from(text.as_str()).fmt(f),
        }
    }
}

impl Scalar {
    fn kind(&self) -> ValueKind {
        match self {
            Self::Flag(flag) => ValueKind::Boolean(*flag),
            Self::Whole(number) => match (i64::try_from(*number), u64::try_from(*number)) {
                (Ok(number), _) => ValueKind::I64(number),
                (_, Ok(number)) => ValueKind::U64(number),
                _ => ValueKind::I128(*number),
            },
            Self::Text(text) => ValueKind::String(text.clone()),
        }
    }
}

/// All that one layer gave.
#[derive(Debug, Clone)]
pub(crate) struct Layer(pub(crate) Vec<Given>);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        let value = |given: &Given| Value::new(Some(&given.origin), given.value.kind());
        Ok(self.0.iter().map(|given| (given.name.clone(), value(given))).collect())
    }
}
