//! Topologies of tests.

use mirror::{
    driver::{Landing, LinkRules, TopicRule},
    ownership::Membership,
};

/// Every topic as a replica, every group.
pub(crate) struct Everything;

impl LinkRules for Everything {
    fn topic(&self, _name: &str) -> Option<TopicRule> {
        Some(TopicRule { landing: Landing::Replica, weight: 1 })
    }

    fn group(&self, _group: &str) -> bool {
        true
    }
}

/// Nothing is in a failover unit.
pub(crate) struct NoUnits;

impl Membership for NoUnits {
    fn unit_of_topic(&self, _topic: &str) -> Option<&str> {
        None
    }

    fn unit_of_group(&self, _group: &str) -> Option<&str> {
        None
    }
}

/// Everything is in one failover unit.
pub(crate) struct AllIn(pub(crate) &'static str);

impl Membership for AllIn {
    fn unit_of_topic(&self, _topic: &str) -> Option<&str> {
        Some(self.0)
    }

    fn unit_of_group(&self, _group: &str) -> Option<&str> {
        Some(self.0)
    }
}

/// Every topic into one.
pub(crate) struct MergedInto(pub(crate) &'static str);

impl LinkRules for MergedInto {
    fn topic(&self, _name: &str) -> Option<TopicRule> {
        Some(TopicRule { landing: Landing::Merged { into: self.0.into() }, weight: 1 })
    }

    fn group(&self, _group: &str) -> bool {
        true
    }
}

/// No topic, no group.
pub(crate) struct Nothing;

impl LinkRules for Nothing {
    fn topic(&self, _name: &str) -> Option<TopicRule> {
        None
    }

    fn group(&self, _group: &str) -> bool {
        false
    }
}
