//! The rules that compare patterns, against trying every short name on small random worlds: what is wrong for some name is reported,
//! and the name that a report shows is one for which it is wrong.

use proptest::prelude::*;

const SITES: usize = 4;

#[derive(Clone, Debug)]
struct World {
    links: Vec<Link>,
    /// Topics of a unit with home d0 and standby d1.
    unit: Option<String>,
}

#[derive(Clone, Debug)]
struct Link {
    from: usize,
    to: usize,
    /// Pattern, and the merged topic if it is a merged rule.
    rules: Vec<(String, Option<String>)>,
}

impl World {
    fn text(&self) -> String {
        let mut text = String::from("version: 1\nname: w\ndatacenters:\n");
        for n in 0..SITES {
            let id = n + 1;
            text.push_str(&format!(
                "  d{n}: {{ id: {id}, nodes: [{{ name: n{n}, kafka: \"h{n}:1\", link: \"h{n}:2\" }}] }}\n"
            ));
        }
        text.push_str("links:\n");
        for Link { from, to, rules } in &self.links {
            let rules: Vec<String> = rules
                .iter()
                .map(|(pattern, into)| match into {
                    None => format!("{{ match: \"{pattern}\" }}"),
                    Some(into) => format!("{{ match: \"{pattern}\", mode: merged, into: {into} }}"),
                })
                .collect();
            text.push_str(&format!("  - {{ from: d{from}, to: d{to}, topics: [{}] }}\n", rules.join(", ")));
        }
        if let Some(unit) = &self.unit {
            text.push_str(&format!(
                "failover: [{{ name: u, topics: [\"{unit}\"], home: d0, standby: [d1] }}]\n"
            ));
        }
        text
    }

    /// The unit decides who sends between these two.
    fn decided(&self, topic: &str, one: usize, other: usize) -> bool {
        one < 2 && other < 2 && self.unit.as_ref().is_some_and(|unit| matches(unit, topic))
    }

    fn replicas<'a>(&'a self, topic: &'a str) -> impl Iterator<Item = &'a Link> {
        self.links.iter().filter(move |link| link.flow(topic) == Some(None))
    }

    fn has_two_sources(&self, topic: &str) -> bool {
        let links: Vec<&Link> = self.replicas(topic).collect();
        links.iter().any(|one| {
            links.iter().any(|other| {
                one.to == other.to && one.from != other.from && !self.decided(topic, one.from, other.from)
            })
        })
    }

    fn goes_round(&self, topic: &str) -> bool {
        let steps: Vec<(usize, usize)> = self
            .replicas(topic)
            .filter(|link| !self.decided(topic, link.from, link.to))
            .map(|link| (link.from, link.to))
            .collect();
        (0..SITES).any(|start| {
            let mut reached = vec![start];
            let mut next = 0;
            while let Some(at) = reached.get(next).copied() {
                for (_, to) in steps.iter().filter(|(from, _)| *from == at) {
                    if *to == start {
                        return true;
                    }
                    if !reached.contains(to) {
                        reached.push(*to);
                    }
                }
                next += 1;
            }
            false
        })
    }

    fn outsider(&self, topic: &str) -> bool {
        let in_unit = self.unit.as_ref().is_some_and(|unit| matches(unit, topic));
        in_unit && self.replicas(topic).any(|link| link.to < 2 && link.from >= 2)
    }
}

impl Link {
    /// Nothing, a replica (`Some(None)`), or a merged topic.
    fn flow(&self, topic: &str) -> Option<Option<&str>> {
        self.rules.iter().find(|(pattern, _)| matches(pattern, topic)).map(|(_, into)| into.as_deref())
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_at_checked(1) {
        None => name.is_empty(),
        Some(("*", rest)) => (0..=name.len()).any(|skip| matches(rest, &name[skip..])),
        Some((c, rest)) => name.strip_prefix(c).is_some_and(|name| matches(rest, name)),
    }
}

/// Every name over a, b and a letter that no pattern holds, up to five characters.
fn names() -> Vec<String> {
    let mut names = vec![String::new()];
    let mut longest = names.clone();
    for _ in 0..5 {
        longest = longest.iter().flat_map(|name| ["a", "b", "x"].map(|c| format!("{name}{c}"))).collect();
        names.extend(longest.iter().cloned());
    }
    names.remove(0);
    names
}

fn world() -> impl Strategy<Value = World> {
    let into = prop::option::weighted(0.2, prop::sample::select(vec!["a".to_owned(), "ab".to_owned()]));
    let rule = ("[ab*]{1,3}", into);
    let link = (0..SITES, 1..SITES, prop::collection::vec(rule, 1..3)).prop_map(|(from, step, rules)| Link {
        from,
        to: (from + step) % SITES,
        rules,
    });
    (prop::collection::vec(link, 1..6), prop::option::of("[ab*]{1,3}")).prop_map(|(mut links, unit)| {
        let mut pairs = Vec::new();
        links.retain(|link| {
            let fresh = !pairs.contains(&(link.from, link.to));
            pairs.push((link.from, link.to));
            fresh
        });
        World { links, unit }
    })
}

/// Names that the reports of a rule show; replica rings and merged rings share a rule, and only the first shows one.
fn shown(report: &topology::Report, rule: &str) -> Vec<String> {
    let of_rule = report.problems.iter().filter(|problem| problem.rule == rule);
    of_rule
        .filter_map(|problem| problem.message.split_once("such as `")?.1.split_once('`'))
        .map(|(name, _)| name.to_owned())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn what_is_wrong_for_some_name_is_reported_with_such_a_name(world in world()) {
        let report = match topology::load("world", &world.text()) {
            Ok(loaded) => loaded.report,
            Err(report) => report,
        };
        prop_assert_eq!(report.more, 0);
        type Wrong = fn(&World, &str) -> bool;
        let rules: [(&str, Wrong); 3] =
            [("two-sources", World::has_two_sources), ("cycle", World::goes_round), ("unit-outsider", World::outsider)];
        for (rule, wrong) in rules {
            let shown = shown(&report, rule);
            for name in &shown {
                prop_assert!(wrong(&world, name), "{rule} shows {name}\n{}\n{report}", world.text());
            }
            let missed = names().into_iter().find(|name| wrong(&world, name));
            prop_assert!(missed.is_none() || !shown.is_empty(), "{rule} misses {missed:?}\n{}\n{report}", world.text());
        }
    }
}
