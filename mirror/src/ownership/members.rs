//! Who may be a unit's home, and which generations are whose.
//!
//! Without a vote, two datacenters that cannot hear each other could both take "the next" generation. So every generation
//! belongs to one member from the start, as ballot numbers do in Paxos: member `i` of `n` owns `i + 1`, `i + 1 + n`, and
//! so on. In a unit of two each move grows the generation by exactly one; in larger units, and after an attempt that was
//! given up, it may grow by more. It never repeats.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use super::generation::HomeGeneration;

/// A datacenter's name in the topology.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Datacenter(Arc<str>);

impl Datacenter {
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl From<&str> for Datacenter {
    fn from(name: &str) -> Self {
        Self(Arc::from(name))
    }
}

impl From<String> for Datacenter {
    fn from(name: String) -> Self {
        Self(Arc::from(name))
    }
}

impl From<Datacenter> for String {
    fn from(datacenter: Datacenter) -> Self {
        datacenter.0.as_ref().to_owned()
    }
}

impl fmt::Debug for Datacenter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Datacenter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The declared home, then the standbys, in the topology's order, which is the same everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Members(Vec<Datacenter>);

impl Members {
    pub fn new(home: Datacenter, standbys: impl IntoIterator<Item = Datacenter>) -> Self {
        let mut members = vec![home];
        for standby in standbys {
            if !members.contains(&standby) {
                members.push(standby);
            }
        }
        Self(members)
    }

    pub fn contains(&self, datacenter: &Datacenter) -> bool {
        self.0.contains(datacenter)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Datacenter> {
        self.0.iter()
    }

    /// The smallest generation of `datacenter` above `known`; `None` for a stranger, or when the numbers are used up.
    pub fn next_generation(&self, datacenter: &Datacenter, known: HomeGeneration) -> Option<HomeGeneration> {
        let count = u64::try_from(self.0.len()).ok()?;
        let place = u64::try_from(self.0.iter().position(|member| member == datacenter)?).ok()?;
        let first = place.checked_add(1)?;
        if known.0 < first {
            return Some(HomeGeneration(first));
        }
        let rounds = known.0.checked_sub(first)?.checked_div(count)?.checked_add(1)?;
        rounds.checked_mul(count)?.checked_add(first).map(HomeGeneration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_of_two_members_alternate_and_grow_by_one() {
        let members = Members::new("a".into(), ["b".into()]);
        let next = |of: &str, known| members.next_generation(&of.into(), HomeGeneration(known)).unwrap().0;
        assert_eq!((next("a", 0), next("b", 0), next("b", 1), next("a", 2), next("b", 3)), (1, 2, 2, 3, 4));
        assert_eq!((next("a", 1), next("b", 2)), (3, 4), "after an attempt that was given up");
        assert_eq!(members.next_generation(&"c".into(), HomeGeneration(1)), None);
        assert_eq!(members.next_generation(&"a".into(), HomeGeneration(u64::MAX)), None);
    }

    #[test]
    fn no_generation_has_two_owners() {
        let members = Members::new("a".into(), ["b".into(), "c".into()]);
        for known in 0..20 {
            let nexts: std::collections::BTreeSet<_> = members
                .iter()
                .map(|m| members.next_generation(m, HomeGeneration(known)).unwrap().0)
                .collect();
            assert_eq!(nexts, (known + 1..=known + 3).collect());
        }
    }
}
