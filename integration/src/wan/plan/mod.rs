//! What to lay out: datacenters, and links with impairments in each direction. Pure; the file's form is in `file`.

mod file;
mod name;

use std::net::Ipv4Addr;

use super::impairments::Impairments;

pub use file::PlanError;
pub use name::{BOTH, Name, NotAName};

/// The layout's name where none is given.
pub const DEFAULT_NAME: &str = "wan";
/// What endpoints take for the path's MTU where none is given: Ethernet's.
const DEVICE_MTU: u16 = 1_500;
/// Each pair of datacenters may have two threads.
const DATACENTERS_MAX: usize = 32;
/// The network for benchmarks (RFC 2544): routed nowhere.
const NETWORK: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 0);

#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub name: Name,
    pub(crate) datacenters: Vec<Name>,
    pub(crate) links: Vec<LinkPlan>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LinkPlan {
    /// Indexes of datacenters.
    pub(crate) ends: [usize; 2],
    pub(crate) device_mtu: u16,
    /// What happens to what the first end sends, and the second.
    pub(crate) directions: [Impairments; 2],
}

impl Plan {
    /// Every datacenter with a link to every other, all alike.
    ///
    /// # Errors
    ///
    /// If a name or a value is not one.
    pub fn mesh(name: &str, datacenters: &[&str], impairments: &Impairments) -> Result<Self, PlanError> {
        let names: Result<Vec<Name>, NotAName> = datacenters.iter().map(|name| Name::new(name)).collect();
        let names = names.map_err(PlanError::anywhere)?;
        impairments.check().map_err(PlanError::anywhere)?;
        let links = pairs(names.len())
            .map(|ends| LinkPlan {
                ends,
                device_mtu: DEVICE_MTU,
                directions: [impairments.clone(), impairments.clone()],
            })
            .collect();
        let plan = Self { name: Name::new(name).map_err(PlanError::anywhere)?, datacenters: names, links };
        plan.check_datacenters()?;
        Ok(plan)
    }

    /// Reads a layout's file.
    ///
    /// # Errors
    ///
    /// If it is no YAML, or not of the layout's form, or contradicts itself; with the line where it shows.
    pub fn from_yaml(text: &str) -> Result<Self, PlanError> {
        file::parse(text)
    }

    /// The address of a datacenter, by its index.
    pub(crate) fn address(datacenter: usize) -> Ipv4Addr {
        Ipv4Addr::from_bits(NETWORK.to_bits() + 1 + datacenter as u32)
    }

    fn check_datacenters(&self) -> Result<(), PlanError> {
        if self.datacenters.is_empty() || self.datacenters.len() > DATACENTERS_MAX {
            let found = self.datacenters.len();
            return Err(PlanError::anywhere(format!(
                "datacenters: there are {found}, and must be from 1 to {DATACENTERS_MAX}"
            )));
        }
        let mut sorted = self.datacenters.clone();
        sorted.sort();
        match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(PlanError::anywhere(format!("datacenters: {} is there twice", pair[0]))),
            None => Ok(()),
        }
    }
}

/// Each pair of indexes once.
fn pairs(count: usize) -> impl Iterator<Item = [usize; 2]> {
    (0..count).flat_map(move |first| (first + 1..count).map(move |second| [first, second]))
}

#[test]
fn a_mesh_links_every_pair_once_and_numbers_its_addresses() {
    let plan = Plan::mesh("m", &["a", "b", "c"], &Impairments::default()).unwrap();
    let ends: Vec<[usize; 2]> = plan.links.iter().map(|link| link.ends).collect();
    assert_eq!(ends, [[0, 1], [0, 2], [1, 2]]);
    assert_eq!(Plan::address(0), Ipv4Addr::new(198, 18, 0, 1));
    assert_eq!(Plan::address(31), Ipv4Addr::new(198, 18, 0, 32));
    assert!(Plan::mesh("m", &["a", "a"], &Impairments::default()).is_err());
    assert!(Plan::mesh("m", &[], &Impairments::default()).is_err());
}
