//! The running links of a layout: a device at each end, a pump for each direction.

use std::{sync::Arc, time::Instant};

use super::{
    error::{HostError, LayoutError},
    host::{namespace, tun::Tun},
    impairments::{Change, Impairments},
    pipe::Pipe,
    plan::{Name, Plan},
    pump::{Dead, Pump},
    report::DirectionReport,
};

pub(super) struct Links {
    directions: Vec<Direction>,
}

struct Direction {
    from: Name,
    to: Name,
    device: String,
    pump: Pump,
}

impl Links {
    /// Opens the devices in namespaces that are there, by datacenter, and starts the pumps.
    pub(super) fn start(plan: &Plan, namespaces: &[String], seed: u64) -> Result<Self, LayoutError> {
        let epoch = Instant::now();
        let mut directions = Vec::new();
        for (number, link) in plan.links.iter().enumerate() {
            let device = format!("wan{number}");
            let open = |end: usize| Tun::open(&namespaces[link.ends[end]], &device, link.device_mtu);
            let tuns = [Arc::new(open(0)?), Arc::new(open(1)?)];
            for (from, to) in [(0, 1), (1, 0)] {
                let (sender, receiver) = (link.ends[from], link.ends[to]);
                let (from_address, to_address) = (Plan::address(sender), Plan::address(receiver));
                namespace::route(&namespaces[sender], &device, from_address, to_address)?;
                let pipe = Pipe::new(direction_seed(seed, number, from), link.directions[from].clone());
                let pump = Pump::start(pipe, Arc::clone(&tuns[from]), Arc::clone(&tuns[to]), epoch);
                directions.push(Direction {
                    from: plan.datacenters[sender].clone(),
                    to: plan.datacenters[receiver].clone(),
                    device: device.clone(),
                    pump: pump.map_err(|error| HostError::new("a thread for a link", error))?,
                });
            }
        }
        Ok(Self { directions })
    }

    /// Changes what happens to what `from` sends to `to`; the settings after it.
    pub(super) fn change(&self, from: &str, to: &str, change: &Change) -> Result<Impairments, LayoutError> {
        let (from, to) = (from.to_owned(), to.to_owned());
        let found = self.directions.iter().find(|one| one.from.as_str() == from && one.to.as_str() == to);
        let Some(direction) = found else { return Err(LayoutError::NoLink { from, to }) };
        match direction.pump.change(change.clone()) {
            Ok(changed) => Ok(changed?),
            Err(Dead) => Err(LayoutError::DeadLink { from, to }),
        }
    }

    pub(super) fn report(&self) -> Vec<DirectionReport> {
        let report = |direction: &Direction| {
            let (impairments, counters) = match direction.pump.look() {
                Ok((impairments, counters)) => (impairments, Some(counters)),
                Err(Dead) => (Impairments::default(), None),
            };
            DirectionReport {
                from: direction.from.clone(),
                to: direction.to.clone(),
                device: direction.device.clone(),
                impairments,
                counters,
            }
        };
        self.directions.iter().map(report).collect()
    }
}

/// Each direction of each link has decisions of its own.
fn direction_seed(seed: u64, link: usize, end: usize) -> u64 {
    seed.wrapping_mul(1_000_003).wrapping_add((link * 2 + end) as u64)
}
