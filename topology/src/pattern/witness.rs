//! Is there a name that all of these patterns match and none of those? The answer is the shortest such name, found by walking the
//! product of the automata breadth first; or the proof, when the walk ends, that there is none.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::Globbed;
use super::glob::{DEAD, Glob, State};
use crate::limits::{PATTERN_STEPS_MAX, TOPIC_NAME_MAX};

/// How many steps the comparisons of one file may still take.
#[derive(Debug)]
pub(crate) struct Budget {
    steps: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// No name fulfils it.
    Never,
    /// This one does.
    Name(String),
    /// The budget of the file ran out.
    Undecided,
}

/// A name that every pattern of `within` and none of `without` matches.
pub(crate) fn witness<P: Globbed>(within: &[&P], without: &[&P], budget: &mut Budget) -> Verdict {
    let globs: Vec<&Glob> = within.iter().chain(without).map(|pattern| pattern.glob()).collect();
    if !budget.take(CALL_STEPS) {
        return Verdict::Undecided;
    }
    Search { alphabet: alphabet(&globs), globs, within: within.len() }.run(budget)
}

impl Default for Budget {
    fn default() -> Self {
        Self { steps: PATTERN_STEPS_MAX }
    }
}

impl Budget {
    pub(crate) fn spent(&self) -> bool {
        self.steps == 0
    }

    fn take(&mut self, steps: usize) -> bool {
        self.steps = self.steps.saturating_sub(steps as u64);
        !self.spent()
    }
}

impl Verdict {
    pub(crate) fn name(self) -> Option<String> {
        match self {
            Self::Name(name) => Some(name),
            Self::Never | Self::Undecided => None,
        }
    }
}

struct Search<'a> {
    globs: Vec<&'a Glob>,
    /// How many of the globs must match; the others must not.
    within: usize,
    alphabet: Vec<char>,
}

/// What it costs to begin a comparison, in steps.
const CALL_STEPS: usize = 100;

type Joint = Box<[State]>;

impl Search<'_> {
    fn run(&self, budget: &mut Budget) -> Verdict {
        let start: Joint = self.globs.iter().map(|glob| glob.start()).collect();
        let mut reached: HashMap<Joint, (usize, char)> = HashMap::new();
        let mut order: Vec<(Joint, usize)> = vec![(start, 0)];
        let mut next = 0;
        while let Some((joint, length)) = order.get(next).cloned() {
            if length < TOPIC_NAME_MAX {
                for c in &self.alphabet {
                    if !budget.take(self.globs.len()) {
                        return Verdict::Undecided;
                    }
                    let Some(after) = self.step(&joint, *c) else { continue };
                    let accepted = self.accepts(&after);
                    if let Entry::Vacant(vacant) = reached.entry(after) {
                        order.push((vacant.key().clone(), length + 1));
                        vacant.insert((next, *c));
                        if accepted {
                            return Verdict::Name(spell(&reached, &order));
                        }
                    }
                }
            }
            next += 1;
        }
        Verdict::Never
    }

    /// `None` when a pattern that must match no longer can.
    fn step(&self, joint: &[State], c: char) -> Option<Joint> {
        let after: Joint = self.globs.iter().zip(joint).map(|(glob, state)| glob.step(*state, c)).collect();
        let alive = after.iter().take(self.within).all(|state| *state != DEAD);
        alive.then_some(after)
    }

    fn accepts(&self, joint: &[State]) -> bool {
        self.globs
            .iter()
            .zip(joint)
            .enumerate()
            .all(|(at, (glob, state))| glob.accepts(*state) == (at < self.within))
    }
}

/// The characters that lead to the state reached last, from the last back to the first.
fn spell(reached: &HashMap<Joint, (usize, char)>, order: &[(Joint, usize)]) -> String {
    let mut name = Vec::new();
    let mut at = order.len().saturating_sub(1);
    while let Some((from, c)) = order.get(at).and_then(|(joint, _)| reached.get(joint)) {
        name.push(*c);
        if *from == 0 {
            break;
        }
        at = *from;
    }
    name.iter().rev().collect()
}

/// The characters that the patterns can tell apart: their own, and one that none of them holds.
fn alphabet(globs: &[&Glob]) -> Vec<char> {
    let mut own: Vec<char> = globs.iter().flat_map(|glob| glob.chars()).collect();
    own.sort_unstable();
    own.dedup();
    let other = ('a'..='z')
        .rev()
        .skip(2)
        .chain(['y', 'z'])
        .chain('0'..='9')
        .chain('A'..='Z')
        .chain(['-', '_', '.'])
        .find(|c| own.binary_search(c).is_err());
    // It comes first, so that the names shown look like names.
    other.into_iter().chain(own).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pattern::TopicPattern;
    use crate::value::Value;

    fn patterns(texts: &[&str]) -> Vec<TopicPattern> {
        texts.iter().map(|text| TopicPattern::parse(text).unwrap()).collect()
    }

    fn ask(within: &[&str], without: &[&str]) -> Option<String> {
        let (within, without) = (patterns(within), patterns(without));
        let found = witness(
            &within.iter().collect::<Vec<_>>(),
            &without.iter().collect::<Vec<_>>(),
            &mut Budget::default(),
        );
        assert_ne!(found, Verdict::Undecided);
        found.name()
    }

    #[test]
    fn overlap_is_shown_by_the_shortest_name() {
        assert_eq!(ask(&["orders.*", "*.eu"], &[]).unwrap(), "orders.eu");
        assert_eq!(ask(&["orders.*", "orders-*"], &[]), None);
        assert_eq!(ask(&["*a*", "*b*"], &[]).unwrap().len(), 2);
        assert_eq!(ask(&["clicks", "click*"], &[]).unwrap(), "clicks");
    }

    #[test]
    fn cover_is_proved_or_refuted() {
        assert_eq!(ask(&["orders.*"], &["orders*"]), None);
        assert_eq!(ask(&["orders*"], &["orders.*"]).unwrap(), "orders");
        assert_eq!(ask(&["*"], &["a*", "*b"]).unwrap(), "x");
        assert_eq!(ask(&["a*b"], &["a*", "c"]), None);
    }

    #[test]
    fn a_hostile_pattern_ends_the_budget_and_nothing_else() {
        // Four patterns of eight pieces each, no letter in common: nine to the fourth ways to be half done.
        let hard = ["*a*b*c*d*e*f*g*h*", "*i*j*k*l*m*n*o*p*", "*q*r*s*t*u*v*w*x*", "*A*B*C*D*E*F*G*H*"];
        let mut budget = Budget { steps: 10_000 };
        let within = patterns(&hard);
        let found = witness(&within.iter().collect::<Vec<_>>(), &[], &mut budget);
        assert_eq!(found, Verdict::Undecided);
        assert!(budget.spent());
    }

    /// Every name over a, b, c, d up to seven characters; four letters tell any two of these patterns apart.
    fn names() -> Vec<String> {
        let mut names = vec![String::new()];
        let mut from = 0;
        for _ in 0..7 {
            let to = names.len();
            for at in from..to {
                for c in ["a", "b", "c"] {
                    names.push(format!("{}{c}", names[at]));
                }
            }
            from = to;
        }
        names.remove(0);
        names
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        #[test]
        fn a_verdict_is_what_trying_every_name_says(
            within in prop::collection::vec("[ab*]{1,4}", 1..3),
            without in prop::collection::vec("[ab*]{1,4}", 0..3),
        ) {
            let within: Vec<&str> = within.iter().map(String::as_str).collect();
            let without: Vec<&str> = without.iter().map(String::as_str).collect();
            let (yes, no) = (patterns(&within), patterns(&without));
            let fits = |name: &str| yes.iter().all(|p| p.matches(name)) && !no.iter().any(|p| p.matches(name));
            match ask(&within, &without) {
                Some(name) => prop_assert!(fits(&name), "{name}"),
                None => {
                    let missed = names().into_iter().find(|name| fits(name));
                    prop_assert_eq!(missed, None);
                }
            }
        }
    }
}
