//! Who may write and commit here: asked on every use, decided elsewhere.
//!
//! A gate is a view: it must answer at once. When its answers change, [`crate::Handles::gates_changed`] makes the logs obey;
//! until that returns, writes that were let in before may still be on their way.

use std::sync::{Arc, OnceLock};

pub trait Gate: Send + Sync + 'static {
    fn topic(&self, name: &str) -> TopicGate;
    fn group(&self, id: &str) -> GroupGate;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopicGate {
    Open,
    /// A copy of a topic whose home is there: clients read it, and write at its home.
    ReadOnly {
        home: Arc<str>,
    },
    /// Its home is being decided: clients try again.
    Fenced,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupGate {
    Open,
    /// Members look for their coordinator elsewhere, and try again. Committed offsets can be read.
    Fenced,
}

/// A broker that stands alone is home to everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenGate;

impl Gate for OpenGate {
    fn topic(&self, _: &str) -> TopicGate {
        TopicGate::Open
    }

    fn group(&self, _: &str) -> GroupGate {
        GroupGate::Open
    }
}

/// The gate of a broker, which it gets when it begins to serve. Before that, nobody may do anything.
#[derive(Clone, Default)]
pub(crate) struct LateGate(Arc<OnceLock<Arc<dyn Gate>>>);

impl LateGate {
    /// Once: a second gate is ignored.
    pub(crate) fn set(&self, gate: Arc<dyn Gate>) {
        let _ = self.0.set(gate);
    }
}

impl Gate for LateGate {
    fn topic(&self, name: &str) -> TopicGate {
        self.0.get().map_or(TopicGate::Fenced, |gate| gate.topic(name))
    }

    fn group(&self, id: &str) -> GroupGate {
        self.0.get().map_or(GroupGate::Fenced, |gate| gate.group(id))
    }
}
