//! Why a node did not do what it was asked, and what to do about it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The body of an answer that is not what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProblemAnswer {
    pub(crate) error: Problem,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Problem {
    pub(crate) kind: Kind,
    /// Stable; for scripts.
    pub(crate) code: String,
    /// One sentence for people, with what to do.
    pub(crate) message: String,
}

/// What the asker can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// Ask otherwise.
    Invalid,
    /// Name something that is there.
    NotFound,
    /// It cannot be done as things stand.
    Refused,
    /// Ask again later.
    Unavailable,
}

impl Problem {
    pub(crate) fn new(kind: Kind, code: &str, message: impl fmt::Display) -> Self {
        Self { kind, code: code.to_owned(), message: message.to_string() }
    }

    pub(crate) fn starting() -> Self {
        Self::new(Kind::Unavailable, "starting", "the node is starting; ask again in a moment")
    }

    /// A broker that stands alone was asked about datacenters.
    pub(crate) fn stands_alone() -> Self {
        let message = "this broker stands alone; start it with --topology and --node to join datacenters";
        Self::new(Kind::Refused, "no-topology", message)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.message, self.code)
    }
}
