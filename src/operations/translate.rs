//! `GET /v1/translate`: where an offset of one side of a link is at the other.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TranslateRequest {
    /// `FROM:TO`.
    pub(crate) link: String,
    /// At the source of the link.
    pub(crate) topic: String,
    pub(crate) partition: i32,
    /// Of the source; with `reverse`, of the target.
    pub(crate) offset: i64,
    #[serde(default)]
    pub(crate) reverse: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Translated {
    pub(crate) link: String,
    pub(crate) topic: String,
    /// The topic at the target.
    pub(crate) target_topic: String,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) reverse: bool,
    /// None: nothing was mirrored.
    pub(crate) translated: Option<i64>,
    /// How the answer came about: `exact`, or why it is the nearest one.
    pub(crate) how: String,
}
