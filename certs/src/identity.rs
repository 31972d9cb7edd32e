//! A node's identity: `spiffe://TOPOLOGY/dc/DATACENTER/node/NAME`, a SPIFFE id whose trust domain is the name of the topology.
//!
//! The parser takes exactly what we write: lower case, no port, no user, no query, no percent signs, no empty or extra segments. Two
//! texts that differ are two identities.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::limits::{IDENTITY_BYTES_MAX, LABEL_MAX};

/// One DNS label: 1 to 63 lower-case letters, digits and inner hyphens. The names of topologies, datacenters and nodes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Label(String);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIdentity {
    /// Name of the topology.
    pub trust_domain: Label,
    pub datacenter: Label,
    pub node: Label,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a name; use 1 to 63 lower-case letters, digits and inner hyphens")]
pub struct InvalidLabel(pub String);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an identity of the form spiffe://TOPOLOGY/dc/DATACENTER/node/NAME")]
pub struct InvalidIdentity(pub String);

impl Label {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Label {
    type Err = InvalidLabel;

    fn from_str(text: &str) -> Result<Self, InvalidLabel> {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let well_formed = (1..=LABEL_MAX).contains(&text.len())
            && text.bytes().all(inner)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if well_formed { Ok(Self(text.to_owned())) } else { Err(InvalidLabel(shown(text))) }
    }
}

impl NodeIdentity {
    pub fn new(trust_domain: Label, datacenter: Label, node: Label) -> Self {
        Self { trust_domain, datacenter, node }
    }

    /// The three names as text, checked.
    pub fn from_names(trust_domain: &str, datacenter: &str, node: &str) -> Result<Self, InvalidLabel> {
        Ok(Self::new(trust_domain.parse()?, datacenter.parse()?, node.parse()?))
    }
}

impl FromStr for NodeIdentity {
    type Err = InvalidIdentity;

    fn from_str(text: &str) -> Result<Self, InvalidIdentity> {
        parse(text).ok_or_else(|| InvalidIdentity(shown(text)))
    }
}

fn parse(text: &str) -> Option<NodeIdentity> {
    if text.len() > IDENTITY_BYTES_MAX {
        return None;
    }
    let mut segments = text.strip_prefix("spiffe://")?.split('/');
    let mut next = || segments.next();
    let trust_domain = next()?.parse().ok()?;
    let datacenter = (next()? == "dc").then(&mut next)??.parse().ok()?;
    let node = (next()? == "node").then(&mut next)??.parse().ok()?;
    next().is_none().then_some(NodeIdentity { trust_domain, datacenter, node })
}

/// Text of a stranger as a message may repeat it.
pub(crate) fn shown(text: &str) -> String {
    const SHOWN_MAX: usize = 100;
    let mut shown: String =
        text.chars().take(SHOWN_MAX).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(SHOWN_MAX).is_some() {
        shown.push_str("...");
    }
    shown
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for NodeIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "spiffe://{}/dc/{}/node/{}", self.trust_domain, self.datacenter, self.node)
    }
}

impl Serialize for NodeIdentity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_one_form_is_read_and_written() {
        let text = "spiffe://shop/dc/us-east/node/east-1";
        let identity: NodeIdentity = text.parse().unwrap();
        assert_eq!(identity, NodeIdentity::from_names("shop", "us-east", "east-1").unwrap());
        assert_eq!(identity.to_string(), text);
    }

    #[test]
    fn every_other_form_is_refused() {
        let good = "spiffe://shop/dc/us-east/node/east-1";
        let long = format!("spiffe://{}/dc/us-east/node/east-1", "a".repeat(64));
        let bad = [
            "",
            "spiffe://",
            "spiffe://shop",
            "spiffe://shop/dc/us-east",
            "spiffe://shop/dc/us-east/node",
            "spiffe://shop/dc/us-east/node/",
            "spiffe://shop/dc//node/east-1",
            "spiffe:///dc/us-east/node/east-1",
            "spiffe://shop/node/east-1/dc/us-east",
            "spiffe://shop/dc/us-east/node/east-1/",
            "spiffe://shop/dc/us-east/node/east-1/x",
            "spiffe://shop//dc/us-east/node/east-1",
            "SPIFFE://shop/dc/us-east/node/east-1",
            "spiffe://Shop/dc/us-east/node/east-1",
            "spiffe://shop/DC/us-east/node/east-1",
            "spiffe://shop:1/dc/us-east/node/east-1",
            "spiffe://u@shop/dc/us-east/node/east-1",
            "spiffe://shop/dc/us-east/node/east-1?x",
            "spiffe://shop/dc/us-east/node/east-1#x",
            "spiffe://shop/dc/us%2deast/node/east-1",
            "spiffe://shop/dc/../node/east-1",
            "spiffe://shop/dc/us-east/node/east-1 ",
            " spiffe://shop/dc/us-east/node/east-1",
            "https://shop/dc/us-east/node/east-1",
            "spiffe://shop.example/dc/us-east/node/east-1",
            "spiffe://shop/dc/us-east/node/e\u{430}st-1",
            &long,
        ];
        for bad in bad {
            assert!(bad.parse::<NodeIdentity>().is_err(), "{bad}");
        }
        for at in 0..=good.len() {
            let with_zero = format!("{}\0{}", &good[..at], &good[at..]);
            assert!(with_zero.parse::<NodeIdentity>().is_err());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn what_is_read_is_written_again_exactly(text in "spiffe://[a-z0-9-]{0,4}/(dc|dcx|)/[a-z0-9-]{0,4}/(node|nod)/[a-zA-Z0-9-]{0,4}[/]?") {
            if let Ok(identity) = text.parse::<NodeIdentity>() {
                prop_assert_eq!(identity.to_string(), text);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,80}", tail in "[/a-z:@%?#.-]{0,30}") {
            for text in [text.clone(), format!("spiffe://{tail}"), format!("spiffe://shop/dc/{tail}"), format!("spiffe://shop/dc/a/node/{text}")] {
                if let Ok(identity) = text.parse::<NodeIdentity>() {
                    prop_assert_eq!(identity.to_string(), text);
                }
            }
        }

        #[test]
        fn three_labels_make_an_identity(a in "[a-z0-9]{1,8}", b in "[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?", c in "[a-z]{63}") {
            let identity = NodeIdentity::from_names(&a, &b, &c).unwrap();
            prop_assert_eq!(identity.to_string().parse::<NodeIdentity>().unwrap(), identity);
        }
    }
}
