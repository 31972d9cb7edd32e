//! Patterns over topic and group names: globs with one wildcard.
//!
//! `*` matches any run of characters, the empty one included; every other character, `.` too, matches itself; the whole name must
//! match; case counts. There is no `?`, no class, no escape: a topic name cannot hold any of those characters, and a language
//! this small can be decided exactly. So validation asks "is there a name that both of these match, and none of those?" and gets
//! a name or a proof that there is none (`witness`), instead of a guess from comparing prefixes.
//!
//! Kafka's internal topics are matched by no pattern: see `INTERNAL_TOPICS`.

mod glob;
mod witness;

use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Serialize, Serializer};

pub(crate) use self::witness::{Budget, Verdict, witness};

use self::glob::Glob;
use crate::limits::{GROUP_NAME_MAX, TOPIC_NAME_MAX};
use crate::name::{is_topic_char, shown};
use crate::value::{Refusal, Value};

/// Topics that a broker keeps for itself. They are never mirrored as topics: groups and transactions travel by ways of their own.
pub const INTERNAL_TOPICS: [&str; 3] = ["__consumer_offsets", "__transaction_state", "__cluster_metadata"];

/// Which topics: a glob over topic names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TopicPattern(Glob);

/// Which groups: a glob over group names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GroupPattern(Glob);

impl TopicPattern {
    pub fn as_str(&self) -> &str {
        self.0.source()
    }

    pub fn matches(&self, topic: &str) -> bool {
        !INTERNAL_TOPICS.contains(&topic) && self.0.matches(topic)
    }

    /// The one topic that this can match, if it has no wildcard.
    pub fn literal(&self) -> Option<&str> {
        (!self.as_str().contains('*')).then_some(self.as_str())
    }
}

impl GroupPattern {
    pub fn as_str(&self) -> &str {
        self.0.source()
    }

    pub fn matches(&self, group: &str) -> bool {
        self.0.matches(group)
    }
}

impl Value for TopicPattern {
    const EXPECTED: &'static str = "a topic pattern";

    fn parse(text: &str) -> Result<Self, Refusal> {
        let refuse = |why: &str, fix: String| Err(Refusal::new(format!("`{}` {why}", shown(text)), fix));
        if INTERNAL_TOPICS.contains(&text) {
            return refuse(
                "is an internal topic of the broker",
                "leave it out: group positions and transactions are mirrored without it".to_owned(),
            );
        }
        let glob_fix = "patterns are globs, not regular expressions: `*` stands for any characters, all others for themselves";
        if text.contains([',', ' ']) {
            return refuse("is not one pattern", "give every pattern an entry of its own".to_owned());
        }
        if !text.chars().all(|c| is_topic_char(c) || c == '*') {
            return refuse("holds a character that no topic name can hold", glob_fix.to_owned());
        }
        if text.is_empty() || text.len() > TOPIC_NAME_MAX || text == "." || text == ".." {
            return refuse("is not a topic pattern", format!("write 1 to {TOPIC_NAME_MAX} characters"));
        }
        Ok(Self(Glob::new(text)))
    }
}

impl Value for GroupPattern {
    const EXPECTED: &'static str = "a group pattern";

    fn parse(text: &str) -> Result<Self, Refusal> {
        let well_formed =
            !text.is_empty() && text.chars().count() <= GROUP_NAME_MAX && !text.chars().any(char::is_control);
        if well_formed {
            return Ok(Self(Glob::new(text)));
        }
        Err(Refusal::new(
            format!("`{}` is not a group pattern", shown(text)),
            format!("write 1 to {GROUP_NAME_MAX} printable characters; `*` stands for any characters"),
        ))
    }
}

/// What the comparisons work on.
pub(crate) trait Globbed {
    fn glob(&self) -> &Glob;
}

impl Globbed for TopicPattern {
    fn glob(&self) -> &Glob {
        &self.0
    }
}

impl Globbed for GroupPattern {
    fn glob(&self) -> &Glob {
        &self.0
    }
}

impl fmt::Display for TopicPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for GroupPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for TopicPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for GroupPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl PartialEq for Glob {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source()
    }
}

impl Eq for Glob {}

impl Hash for Glob {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.source().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_is_a_dot_and_a_star_is_anything() {
        let orders = TopicPattern::parse("orders.*").unwrap();
        assert!(orders.matches("orders.eu") && orders.matches("orders.") && orders.matches("orders.eu.paid"));
        assert!(!orders.matches("orders") && !orders.matches("ordersxeu") && !orders.matches("my-orders.eu"));
    }

    #[test]
    fn internal_topics_are_matched_by_nothing() {
        let all = TopicPattern::parse("*").unwrap();
        assert!(all.matches("__mine") && !all.matches("__consumer_offsets"));
        assert!(TopicPattern::parse("__consumer_offsets").is_err());
    }

    #[test]
    fn regular_expressions_are_refused_where_they_can_be_told() {
        for bad in
            ["orders.+", "^orders", "orders$", "(a|b)", "[a-z]*", "orders?", "a,b", "a b", "", ".", ".."]
        {
            assert!(TopicPattern::parse(bad).is_err(), "{bad}");
        }
    }
}
