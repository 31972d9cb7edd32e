//! What a group shows of itself, and what its members subscribe to.

use std::collections::BTreeSet;

use bytes::Bytes;

use protocol::TopicName;

use super::{Description, Group, State};
use crate::coordinator::group::consumer_protocol;

impl Group {
    /// `None`: there is no such group.
    pub(super) fn describe(&self) -> Option<Description> {
        if !self.exists() || matches!(self.state, State::Dead) {
            return None;
        }
        let protocol = match self.state {
            State::Stable { .. } => self.protocol.clone(),
            State::Empty | State::Preparing { .. } | State::Completing { .. } | State::Dead => None,
        };
        let members = self.members.iter().map(|member| {
            let shown = protocol.is_some().then(|| member.metadata(protocol.as_ref()));
            member.describe(shown.unwrap_or_else(Bytes::new))
        });
        Some(Description {
            state: self.state(),
            generation: self.generation,
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            members: members.collect(),
            protocol: protocol.unwrap_or_default(),
        })
    }

    pub(super) fn is_consumer_group(&self) -> bool {
        self.protocol_type.as_ref().is_some_and(|kind| *kind == consumer_protocol::PROTOCOL_TYPE)
    }

    /// The topics that members read, from what they say to the assignor; `None` when that cannot be told.
    pub(super) fn subscriptions(&self) -> Option<BTreeSet<TopicName>> {
        if !self.is_consumer_group() {
            return None;
        }
        let mut topics = BTreeSet::new();
        for member in self.members.iter() {
            let metadata = member.metadata(Some(self.protocol.as_ref()?));
            topics.extend(consumer_protocol::subscribed_topics(metadata).ok()?);
        }
        Some(topics)
    }
}
