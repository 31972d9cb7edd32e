//! Names of layouts and datacenters: they become part of the names of namespaces and files.

use std::fmt;

use serde::{Deserialize, Serialize};

const NAME_BYTES_MAX: usize = 32;
/// Stands where a datacenter's name could, so that none may have it.
pub const BOTH: &str = "both";

/// Lower-case letters, digits and `-`, a letter first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "{0:?} is no name: lower-case letters, digits and - are, with a letter first, up to {NAME_BYTES_MAX}, but not {BOTH:?}"
)]
pub struct NotAName(String);

impl Name {
    /// # Errors
    ///
    /// If the text is no name.
    pub fn new(text: &str) -> Result<Self, NotAName> {
        let mut bytes = text.bytes();
        let starts = bytes.next().is_some_and(|first| first.is_ascii_lowercase());
        let goes_on = bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if starts && goes_on && text.len() <= NAME_BYTES_MAX && text != BOTH {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAName(text.chars().take(NAME_BYTES_MAX * 2).collect()))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = NotAName;

    fn try_from(text: String) -> Result<Self, NotAName> {
        Self::new(&text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl std::str::FromStr for Name {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        Self::new(text)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[test]
fn names_are_safe_in_paths_and_command_lines() {
    for good in ["a", "us-east", "dc2", &"a".repeat(32)] {
        assert!(Name::new(good).is_ok(), "{good}");
    }
    for bad in ["", "2dc", "-a", "a.b", "a/b", "..", "US", "a b", "both", &"a".repeat(33), "é"] {
        assert!(Name::new(bad).is_err(), "{bad}");
    }
}
