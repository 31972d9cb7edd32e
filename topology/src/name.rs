//! Names of topologies, datacenters, nodes and failover units: one DNS label each, because they become parts of certificate
//! identities, host names, directories and metric labels.

use std::fmt;

use serde::Serialize;

use crate::limits::{LABEL_MAX, TOPIC_NAME_MAX};
use crate::value::{Refusal, Value};

/// Lower-case letters, digits and inner hyphens; 1 to 63 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Name(String);

/// The name of one topic: Kafka's rule, 1 to 249 of letters, digits, `.`, `_`, `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct TopicName(String);

impl Name {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TopicName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for Name {
    const EXPECTED: &'static str = "a name";

    fn parse(text: &str) -> Result<Self, Refusal> {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let well_formed = !text.is_empty()
            && text.len() <= LABEL_MAX
            && text.chars().all(inner)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if well_formed {
            return Ok(Self(text.to_owned()));
        }
        Err(Refusal::new(
            format!("`{}` is not a name", shown(text)),
            match lowered(text) {
                Some(name) => format!("write `{name}`: lower-case letters, digits and inner hyphens"),
                None => {
                    format!(
                        "use lower-case letters, digits and inner hyphens, at most {LABEL_MAX} characters"
                    )
                }
            },
        ))
    }
}

impl Value for TopicName {
    const EXPECTED: &'static str = "a topic name";

    fn parse(text: &str) -> Result<Self, Refusal> {
        if text.contains('*') {
            return Err(Refusal::new(
                format!("`{}` is a pattern where the name of one topic is needed", shown(text)),
                "write a topic name without `*`",
            ));
        }
        let well_formed = !text.is_empty()
            && text.len() <= TOPIC_NAME_MAX
            && text.chars().all(is_topic_char)
            && text != "."
            && text != "..";
        if well_formed {
            return Ok(Self(text.to_owned()));
        }
        Err(Refusal::new(
            format!("`{}` is not a topic name", shown(text)),
            format!("use letters, digits, `.`, `_` and `-`, at most {TOPIC_NAME_MAX} characters"),
        ))
    }
}

pub(crate) fn is_topic_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// Text from the file as a message may repeat it: short, and without control characters.
pub(crate) fn shown(text: &str) -> String {
    const SHOWN_MAX: usize = 80;
    let mut shown: String =
        text.chars().take(SHOWN_MAX).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(SHOWN_MAX).is_some() {
        shown.push_str("...");
    }
    shown
}

/// The name that was probably meant.
fn lowered(text: &str) -> Option<String> {
    let candidate: String = text
        .trim()
        .chars()
        .map(|c| if matches!(c, '_' | '.' | ' ') { '-' } else { c.to_ascii_lowercase() })
        .collect();
    (candidate != text && Name::parse(&candidate).is_ok()).then_some(candidate)
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_names_and_nothing_else_is() {
        for good in ["a", "us-east", "7", "x".repeat(63).as_str()] {
            assert_eq!(Name::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "-a", "a-", "US", "a.b", "a_b", "a b", "\u{e4}", "x".repeat(64).as_str()] {
            assert!(Name::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_fix_names_the_spelling_that_would_do() {
        assert!(Name::parse("US_East").unwrap_err().fix.contains("`us-east`"));
    }
}
