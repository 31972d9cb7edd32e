//! What one run of one side came to.

use serde::Serialize;

/// Which of two values is the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Better {
    Higher,
    Lower,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) unit: &'static str,
    pub(crate) better: Better,
    pub(crate) value: f64,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Figures {
    /// In the order in which they are shown.
    pub(crate) all: Vec<Figure>,
    /// What no figure can say.
    pub(crate) notes: Vec<String>,
}

impl Figures {
    pub(crate) fn higher(&mut self, name: impl Into<String>, unit: &'static str, value: f64) {
        self.all.push(Figure { name: name.into(), unit, better: Better::Higher, value });
    }

    pub(crate) fn lower(&mut self, name: impl Into<String>, unit: &'static str, value: f64) {
        self.all.push(Figure { name: name.into(), unit, better: Better::Lower, value });
    }

    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.all.extend(other.all);
        self.notes.extend(other.notes);
    }

    pub(crate) fn value(&self, name: &str) -> Option<f64> {
        self.all.iter().find(|figure| figure.name == name).map(|figure| figure.value)
    }
}
