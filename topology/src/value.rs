//! Values that are written as one scalar.

/// Why a text is not such a value, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub message: String,
    pub fix: String,
}

/// A type that is written as one scalar of the file.
pub trait Value: Sized {
    /// What the schema calls it, with its article.
    const EXPECTED: &'static str;

    fn parse(text: &str) -> Result<Self, Refusal>;
}

impl Refusal {
    pub(crate) fn new(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { message: message.into(), fix: fix.into() }
    }
}
