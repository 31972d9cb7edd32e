//! Why settings were refused, in words that say what to do next.

use std::fmt;

use topology::Report;

/// One setting that cannot be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// As the layer spelled it.
    pub(crate) setting: String,
    /// `isthmus.toml:3`, `ISTHMUS_DATA`, `--data`.
    pub(crate) origin: String,
    pub(crate) problem: String,
    pub(crate) fix: String,
}

/// Everything that was wrong, in the order of the layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) Vec<Refusal>);

/// Why there are no settings to run with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unloadable {
    Settings(Refused),
    /// The topology file has errors.
    Topology(Box<Report>),
}

impl From<Refused> for Unloadable {
    fn from(refused: Refused) -> Self {
        Self::Settings(refused)
    }
}

impl fmt::Display for Unloadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(refused) => write!(f, "the settings were refused\n{refused}"),
            Self::Topology(report) => write!(f, "the topology was refused\n{report}"),
        }
    }
}

impl std::error::Error for Unloadable {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { setting, origin, problem, fix } = self;
        if setting == origin {
            write!(f, "{setting}: {problem}\n  fix: {fix}")
        } else {
            write!(f, "{setting} (from {origin}): {problem}\n  fix: {fix}")
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, refusal) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{refusal}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refused {}
