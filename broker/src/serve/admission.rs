//! Who may connect: a cap over all connections and one for each address.

use std::{
    net::IpAddr,
    sync::{Arc, Weak},
};

use dashmap::DashMap;
use parking_lot::Mutex;

use super::budget::{Budget, PeerBudget};
use crate::settings::ConnectionSettings;

/// Counts connections and refuses those beyond the caps.
#[derive(Debug)]
pub(crate) struct Admission {
    connections_max: usize,
    per_address_max: usize,
    budget: Budget,
    connections: Mutex<usize>,
    addresses: DashMap<IpAddr, Address>,
}

#[derive(Debug)]
struct Address {
    connections: usize,
    budget: PeerBudget,
}

/// One admitted connection; its place is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Admitted {
    admission: Weak<Admission>,
    address: IpAddr,
    pub(crate) budget: PeerBudget,
}

/// Why a connection was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    TooMany,
    TooManyFromAddress,
}

impl Admission {
    pub(crate) fn new(settings: &ConnectionSettings) -> Arc<Self> {
        Arc::new(Self {
            connections_max: settings.connections_max,
            per_address_max: settings.connections_per_ip_max,
            budget: Budget::new(settings.in_flight_bytes_max),
            connections: Mutex::new(0),
            addresses: DashMap::new(),
        })
    }

    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr) -> Result<Admitted, Refused> {
        let mut connections = self.connections.lock();
        if *connections >= self.connections_max {
            return Err(Refused::TooMany);
        }
        let mut entry = self
            .addresses
            .entry(address)
            .or_insert_with(|| Address { connections: 0, budget: self.budget.for_peer() });
        if entry.connections >= self.per_address_max {
            return Err(Refused::TooManyFromAddress);
        }
        entry.connections += 1;
        *connections += 1;
        Ok(Admitted { admission: Arc::downgrade(self), address, budget: entry.budget.clone() })
    }

    fn release(&self, address: IpAddr) {
        let mut connections = self.connections.lock();
        *connections = connections.saturating_sub(1);
        self.addresses.remove_if_mut(&address, |_, entry| {
            entry.connections = entry.connections.saturating_sub(1);
            entry.connections == 0
        });
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        if let Some(admission) = self.admission.upgrade() {
            admission.release(self.address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(connections_max: usize, connections_per_ip_max: usize) -> Arc<Admission> {
        Admission::new(&ConnectionSettings {
            connections_max,
            connections_per_ip_max,
            ..ConnectionSettings::default()
        })
    }

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);

    #[test]
    fn a_full_broker_refuses_until_a_connection_goes() {
        let admission = admission(2, 2);
        let first = admission.admit(HERE).expect("the first of two");
        let _second = admission.admit(THERE).expect("the second of two");
        assert_eq!(admission.admit(HERE).err(), Some(Refused::TooMany));
        drop(first);
        assert!(admission.admit(HERE).is_ok());
    }

    #[test]
    fn one_address_has_a_cap_of_its_own() {
        let admission = admission(10, 1);
        let _first = admission.admit(HERE).expect("the first from here");
        assert_eq!(admission.admit(HERE).err(), Some(Refused::TooManyFromAddress));
        assert!(admission.admit(THERE).is_ok());
    }

    #[test]
    fn nothing_is_kept_of_an_address_without_connections() {
        let admission = admission(10, 10);
        drop(admission.admit(HERE));
        assert!(admission.addresses.is_empty());
    }
}
