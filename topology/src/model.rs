//! The declared world: what a topology file says, after it was read. Every value knows where it stands in the file; equality does
//! not look at that.
//!
//! A `Topology` that `load` returned is valid: every name in it resolves, every id is unique, no topic has two writers. The rest
//! of the room, and the daemon, rely on it.

use std::fmt;

use serde::Serialize;

use crate::endpoint::Endpoint;
use crate::located::Located;
use crate::name::{Name, TopicName};
use crate::pattern::{GroupPattern, TopicPattern};
use crate::rate::Rate;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Topology {
    /// The trust domain of every certificate.
    pub name: Located<Name>,
    pub datacenters: Vec<Datacenter>,
    pub links: Vec<Link>,
    pub failover: Vec<FailoverUnit>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Datacenter {
    pub name: Located<Name>,
    pub site: Site,
}

/// What stands in a datacenter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Site {
    /// Our own daemons.
    Isthmus { id: Located<u32>, nodes: Vec<Node> },
    /// An Apache Kafka cluster run by others.
    KafkaCluster { bootstrap: Vec<Located<Endpoint>> },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Node {
    pub name: Located<Name>,
    /// Where Kafka clients reach it.
    pub kafka: Located<Endpoint>,
    /// Where other datacenters reach it; needed as soon as a link touches the datacenter.
    pub link: Option<Located<Endpoint>>,
}

/// Directed: records flow from `from` to `to`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    pub from: Located<Name>,
    pub to: Located<Name>,
    /// Tried in order; the first whose pattern matches decides.
    pub topics: Vec<TopicRule>,
    /// Groups whose positions follow their topics.
    pub groups: Vec<Located<GroupPattern>>,
    pub codec: Located<Codec>,
    pub rate: Option<Located<Rate>>,
    pub on_gap: Located<OnGap>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TopicRule {
    pub pattern: Located<TopicPattern>,
    #[serde(flatten)]
    pub flow: Flow,
}

/// How a topic arrives at the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "mode", rename_all = "lowercase")]
pub enum Flow {
    /// Same name, same id, same offsets, read-only.
    Replica,
    /// Several sources into one topic, with a translation table.
    Merged { into: Located<TopicName> },
}

/// Compression of blocks of uncompressed batches on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    #[default]
    Auto,
    Zstd,
    Lz4,
    Off,
}

/// What happens to a partition whose source lost records before they were mirrored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OnGap {
    /// The partition stops with a typed reason until somebody decides.
    #[default]
    Stop,
}

/// Topics and groups that change their home together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailoverUnit {
    pub name: Located<Name>,
    pub topics: Vec<Located<TopicPattern>>,
    pub groups: Vec<Located<GroupPattern>>,
    /// The home of the first generation. Later homes are decided by the failover verb and kept by the daemons, not here.
    pub home: Located<Name>,
    pub standby: Vec<Located<Name>>,
    pub when_apart: Located<WhenApart>,
}

/// What a datacenter does with a unit's topics when it comes back after losing touch, before it has heard who is home.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenApart {
    /// Refuses writes until it has heard the current generation.
    #[default]
    Wait,
    /// Admits writes, and sets them aside if it turns out that another datacenter had become the home.
    Quarantine,
}

impl Topology {
    pub fn datacenter(&self, name: &str) -> Option<&Datacenter> {
        self.datacenters.iter().find(|datacenter| datacenter.name.as_str() == name)
    }

    /// The node of that name, its datacenter, and its number there (from 1).
    pub fn node(&self, name: &str) -> Option<(&Datacenter, usize, &Node)> {
        self.datacenters.iter().find_map(|datacenter| {
            let at = datacenter.nodes().iter().position(|node| node.name.as_str() == name)?;
            Some((datacenter, at + 1, datacenter.nodes().get(at)?))
        })
    }

    pub fn link(&self, from: &str, to: &str) -> Option<&Link> {
        self.links.iter().find(|link| link.from.as_str() == from && link.to.as_str() == to)
    }

    pub fn unit(&self, name: &str) -> Option<&FailoverUnit> {
        self.failover.iter().find(|unit| unit.name.as_str() == name)
    }

    /// The unit that a topic belongs to: at most one.
    pub fn unit_of_topic(&self, topic: &str) -> Option<&FailoverUnit> {
        self.failover.iter().find(|unit| unit.topics.iter().any(|pattern| pattern.matches(topic)))
    }

    pub fn unit_of_group(&self, group: &str) -> Option<&FailoverUnit> {
        self.failover.iter().find(|unit| unit.groups.iter().any(|pattern| pattern.matches(group)))
    }
}

impl Datacenter {
    /// Our daemons there; none in a Kafka cluster run by others.
    pub fn nodes(&self) -> &[Node] {
        match &self.site {
            Site::Isthmus { nodes, .. } => nodes,
            Site::KafkaCluster { .. } => &[],
        }
    }

    pub fn id(&self) -> Option<u32> {
        match &self.site {
            Site::Isthmus { id, .. } => Some(id.value),
            Site::KafkaCluster { .. } => None,
        }
    }
}

impl Link {
    /// `FROM:TO`, as the command line names a link.
    pub fn name(&self) -> String {
        format!("{}:{}", self.from, self.to)
    }

    /// What this link does with a topic of its source, if anything.
    pub fn flow(&self, topic: &str) -> Option<&Flow> {
        self.topics.iter().find(|rule| rule.pattern.matches(topic)).map(|rule| &rule.flow)
    }

    pub fn carries_group(&self, group: &str) -> bool {
        self.groups.iter().any(|pattern| pattern.matches(group))
    }
}

impl FailoverUnit {
    /// The home first, then the standbys.
    pub fn members(&self) -> impl Iterator<Item = &Located<Name>> {
        std::iter::once(&self.home).chain(&self.standby)
    }

    /// Every standby once, and never the home: a file that is being checked may repeat itself.
    pub(crate) fn other_members(&self) -> impl Iterator<Item = &Located<Name>> {
        let first =
            |at: usize, name: &Located<Name>| !self.standby.iter().take(at).any(|earlier| earlier == name);
        let standbys =
            self.standby.iter().enumerate().filter(move |(at, name)| first(*at, name)).map(|(_, name)| name);
        standbys.filter(|name| **name != self.home)
    }

    pub fn has_member(&self, datacenter: &str) -> bool {
        self.members().any(|member| member.as_str() == datacenter)
    }
}

/// A broker id is datacenter id x 1000 + node number, so that ids never clash between datacenters.
pub fn broker_id(datacenter_id: u32, node_number: usize) -> Option<i32> {
    let number = u32::try_from(node_number).ok().filter(|number| (1..1000).contains(number))?;
    i32::try_from(datacenter_id.checked_mul(1000)?.checked_add(number)?).ok()
}

/// A value that is one of a few words.
macro_rules! words {
    ($type:ident, $expected:literal, $($variant:ident = $word:literal),+) => {
        impl $type {
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl crate::value::Value for $type {
            const EXPECTED: &'static str = $expected;

            fn parse(text: &str) -> Result<Self, crate::value::Refusal> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    other => Err(crate::value::Refusal::new(
                        format!("`{}` is not {}", crate::name::shown(other), $expected),
                        crate::suggest::nearest(other, Self::WORDS.iter().copied()),
                    )),
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words!(Codec, "a codec", Auto = "auto", Zstd = "zstd", Lz4 = "lz4", Off = "off");
words!(OnGap, "a gap policy", Stop = "stop");
words!(WhenApart, "a policy for being apart", Wait = "wait", Quarantine = "quarantine");

/// The words of `mode`; `Flow` carries what belongs to each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Replica,
    Merged,
}

words!(Mode, "a mode", Replica = "replica", Merged = "merged");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broker_ids_do_not_overflow_kafkas_int32() {
        assert_eq!(broker_id(1, 1), Some(1001));
        assert_eq!(broker_id(2_147_483, 647), Some(i32::MAX));
        assert_eq!(broker_id(2_147_483, 648), None);
        assert_eq!(broker_id(1, 0), None);
        assert_eq!(broker_id(1, 1000), None);
        assert_eq!(broker_id(u32::MAX, 1), None);
    }
}
