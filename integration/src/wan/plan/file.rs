//! A layout's file: its form, and what is wrong with one, by line.

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use super::{
    super::impairments::{Change, Impairments},
    DEFAULT_NAME, DEVICE_MTU, LinkPlan, Name, Plan, pairs,
};

const FILE_BYTES_MAX: usize = 256 << 10;
/// What IPv4 needs to come up on a device, and what a packet's length field holds.
const DEVICE_MTU_RANGE: std::ops::RangeInclusive<u16> = 576..=65_520;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Option<Spanned<String>>,
    datacenters: Vec<Spanned<String>>,
    /// Of every direction, before what its link says.
    defaults: Option<Spanned<Change>>,
    /// Absent: every pair.
    links: Option<Vec<LinkEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkEntry {
    between: Spanned<Vec<String>>,
    device_mtu: Option<Spanned<u16>>,
    /// Of both directions.
    both: Option<Spanned<Change>>,
    /// Of what the named end sends.
    #[serde(default)]
    from: BTreeMap<String, Spanned<Change>>,
}

/// What is wrong with a plan, and where in its file if it has one.
#[derive(Debug, PartialEq)]
pub struct PlanError {
    place: Option<(u64, u64)>,
    what: String,
}

impl PlanError {
    pub(crate) fn anywhere(what: impl fmt::Display) -> Self {
        Self { place: None, what: what.to_string() }
    }

    fn at(location: Location, what: impl fmt::Display) -> Self {
        let place = (location.line() > 0).then(|| (location.line(), location.column()));
        Self { place, what: what.to_string() }
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((line, column)) = self.place {
            write!(f, "line {line}, column {column}: ")?;
        }
        f.write_str(&self.what)
    }
}

impl std::error::Error for PlanError {}

pub(super) fn parse(text: &str) -> Result<Plan, PlanError> {
    if text.len() > FILE_BYTES_MAX {
        return Err(PlanError::anywhere(format!("the file is longer than {FILE_BYTES_MAX} bytes")));
    }
    let options = serde_saphyr::options! { with_snippet: false };
    let file: File =
        serde_saphyr::from_str_with_options(text, options).map_err(|error| match error.location() {
            Some(location) => PlanError::at(location, without_place(&error.to_string())),
            None => PlanError::anywhere(error),
        })?;
    let name = match &file.name {
        None => Name::new(DEFAULT_NAME).map_err(PlanError::anywhere)?,
        Some(name) => name_at(name)?,
    };
    let datacenters = file.datacenters.iter().map(name_at).collect::<Result<Vec<Name>, PlanError>>()?;
    let plan = Plan { name, datacenters, links: Vec::new() };
    plan.check_datacenters()?;
    let links = links(&file, &plan.datacenters)?;
    Ok(Plan { links, ..plan })
}

/// The library's messages end with their place, which is said in front.
fn without_place(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(what, _)| what)
}

fn name_at(text: &Spanned<String>) -> Result<Name, PlanError> {
    Name::new(&text.value).map_err(|error| PlanError::at(text.referenced, error))
}

fn links(file: &File, datacenters: &[Name]) -> Result<Vec<LinkPlan>, PlanError> {
    let base = match &file.defaults {
        None => Impairments::default(),
        Some(defaults) => changed(&Impairments::default(), defaults)?,
    };
    let Some(entries) = &file.links else {
        let alike =
            |ends| LinkPlan { ends, device_mtu: DEVICE_MTU, directions: [base.clone(), base.clone()] };
        return Ok(pairs(datacenters.len()).map(alike).collect());
    };
    let mut links: Vec<LinkPlan> = Vec::new();
    for entry in entries {
        let link = link(entry, datacenters, &base)?;
        let same = |other: &LinkPlan| other.ends == link.ends || other.ends == [link.ends[1], link.ends[0]];
        if links.iter().any(same) {
            let what = format!("there is a link between {} already", entry.between.value.join(" and "));
            return Err(PlanError::at(entry.between.referenced, what));
        }
        links.push(link);
    }
    Ok(links)
}

fn link(entry: &LinkEntry, datacenters: &[Name], base: &Impairments) -> Result<LinkPlan, PlanError> {
    let place = entry.between.referenced;
    let [first, second] = entry.between.value.as_slice() else {
        return Err(PlanError::at(place, "a link is between two datacenters: [ONE, OTHER]"));
    };
    let index = |name: &String| {
        let found = datacenters.iter().position(|other| other.as_str() == name);
        found.ok_or_else(|| PlanError::at(place, format!("{name} is not one of the datacenters")))
    };
    let ends = [index(first)?, index(second)?];
    if ends[0] == ends[1] {
        return Err(PlanError::at(place, format!("{first} needs no link to itself")));
    }
    let device_mtu = match &entry.device_mtu {
        None => DEVICE_MTU,
        Some(mtu) if DEVICE_MTU_RANGE.contains(&mtu.value) => mtu.value,
        Some(mtu) => {
            let (least, most) = DEVICE_MTU_RANGE.into_inner();
            let what = format!("device_mtu is {}, and must be from {least} to {most}", mtu.value);
            return Err(PlanError::at(mtu.referenced, what));
        }
    };
    if let Some((name, change)) = entry.from.iter().find(|(name, _)| *name != first && *name != second) {
        return Err(PlanError::at(change.referenced, format!("{name} is no end of this link")));
    }
    let both = match &entry.both {
        None => base.clone(),
        Some(change) => changed(base, change)?,
    };
    let direction = |sender: &String| match entry.from.get(sender) {
        None => Ok(both.clone()),
        Some(change) => changed(&both, change),
    };
    Ok(LinkPlan { ends, device_mtu, directions: [direction(first)?, direction(second)?] })
}

fn changed(base: &Impairments, change: &Spanned<Change>) -> Result<Impairments, PlanError> {
    let impairments = base.with(&change.value);
    impairments.check().map_err(|error| PlanError::at(change.referenced, error))?;
    Ok(impairments)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(text: &str) -> String {
        parse(text).expect_err("it is wrong").to_string()
    }

    #[test]
    fn a_whole_file_is_read() {
        let plan = parse(
            "name: demo\n\
             datacenters: [us-east, eu-west, ap-south]\n\
             defaults: { delay_ms: 10 }\n\
             links:\n\
             - between: [us-east, eu-west]\n\
             \x20 device_mtu: 9000\n\
             \x20 both: { delay_ms: 75, rate_mbit: 200 }\n\
             \x20 from:\n\
             \x20   us-east: { loss: 0.001 }\n\
             - between: [eu-west, ap-south]\n",
        )
        .unwrap();
        assert_eq!(plan.name.as_str(), "demo");
        assert_eq!(plan.links.len(), 2);
        let [there, back] = &plan.links[0].directions;
        assert_eq!(there.to_string(), "delay_ms=75 loss=0.001 rate_mbit=200");
        assert_eq!(back.to_string(), "delay_ms=75 rate_mbit=200");
        assert_eq!(plan.links[0].device_mtu, 9_000);
        assert_eq!(plan.links[1].ends, [1, 2]);
        assert_eq!(plan.links[1].directions[0].to_string(), "delay_ms=10");
    }

    #[test]
    fn without_links_every_pair_has_one() {
        let plan = parse("datacenters: [a, b, c]\ndefaults:\n  loss: 0.5\n").unwrap();
        assert_eq!(plan.links.len(), 3);
        assert_eq!(plan.name.as_str(), DEFAULT_NAME);
        assert_eq!(plan.links[2].directions[1].loss, 0.5);
        assert_eq!(parse("datacenters: [a, b]\nlinks: []\n").unwrap().links.len(), 0);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let links = |entry: &str| complaint(&format!("datacenters: [a, b]\nlinks:\n- {entry}\n"));
        assert_eq!(links("between: [a, c]"), "line 3, column 12: c is not one of the datacenters");
        assert_eq!(links("between: [a, a]"), "line 3, column 12: a needs no link to itself");
        assert!(links("between: [a]").contains("between two"));
        assert!(
            links("between: [a, b]\n- between: [b, a]").starts_with("line 4, column 12: there is a link")
        );
        let wrong = links("between: [a, b]\n  both: { loss: 2 }");
        assert_eq!(wrong, "line 4, column 9: loss is 2, and must be from 0 to 1");
        let wrong = links("between: [a, b]\n  from:\n    c: { loss: 0.1 }");
        assert_eq!(wrong, "line 5, column 8: c is no end of this link");
        assert!(
            links("between: [a, b]\n  device_mtu: 12").starts_with("line 4, column 15: device_mtu is 12")
        );
        assert!(complaint("datacenters: [a, A]\n").starts_with("line 1, column 18: \"A\" is no name"));
        assert!(complaint("datacenters: [a, a]\n").contains("a is there twice"));
        assert!(complaint("datacenters: []\n").contains("from 1 to 32"));
    }

    #[test]
    fn what_is_not_of_the_form_is_refused_with_its_line() {
        let unknown = complaint("datacenters: [a, b]\nlink: []\n");
        assert!(unknown.starts_with("line 2, column 1: ") && unknown.contains("link"), "{unknown}");
        let unknown = complaint("datacenters: [a]\ndefaults:\n  los: 1\n");
        assert!(unknown.starts_with("line 3, column 3: ") && unknown.contains("los"), "{unknown}");
        let twice = complaint("datacenters: [a]\ndatacenters: [b]\n");
        assert!(twice.starts_with("line 2") && twice.contains("duplicate"), "{twice}");
        assert!(complaint("datacenters: [a\n").starts_with("line "));
        assert!(!complaint("").is_empty());
        assert!(complaint(&"#".repeat(FILE_BYTES_MAX + 1)).contains("longer"));
        assert!(complaint(&"[".repeat(10_000)).len() < 1_000);
    }
}
