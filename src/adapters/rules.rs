//! What the topology declares of a link: which topics and groups it carries, and how.

use mirror::driver::{Landing, LinkRules, TopicRule};
use topology::{Flow, LinkPlan};

/// All topics have the same share of a link.
const WEIGHT: u32 = 1;

pub(crate) struct DeclaredRules(pub(crate) LinkPlan);

impl LinkRules for DeclaredRules {
    fn topic(&self, name: &str) -> Option<TopicRule> {
        let landing = match self.0.flow(name)? {
            Flow::Replica => Landing::Replica,
            Flow::Merged { into } => Landing::Merged { into: into.as_str().into() },
        };
        Some(TopicRule { landing, weight: WEIGHT })
    }

    fn group(&self, group: &str) -> bool {
        self.0.carries_group(group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_matches_decides_and_internal_topics_stay() {
        let text = r#"
version: 1
name: shop
datacenters:
  us: { id: 1, nodes: [{ name: us-1, kafka: "127.0.0.1:1", link: "127.0.0.1:2" }] }
  eu: { id: 2, nodes: [{ name: eu-1, kafka: "127.0.0.1:3", link: "127.0.0.1:4" }] }
links:
  - from: us
    to: eu
    topics: [{ match: "clicks", into: "all-clicks", mode: merged }, { match: "o*" }, { match: "__*" }]
    groups: { match: "a*" }
"#;
        let loaded = topology::load("t.yaml", text).expect("a valid file");
        let plan = topology::plan(&loaded.topology, "eu-1").expect("a node of it");
        let rules = DeclaredRules(plan.links().next().expect("a link").clone());
        let landing = |name| rules.topic(name).map(|rule| rule.landing);
        assert_eq!(landing("clicks"), Some(Landing::Merged { into: "all-clicks".into() }));
        assert_eq!(landing("orders"), Some(Landing::Replica));
        assert_eq!(landing("__consumer_offsets"), None);
        assert_eq!((rules.group("audit"), rules.group("billing")), (true, false));
    }
}
