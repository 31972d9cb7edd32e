//! Where a datacenter's processes run, and at which address they are reached.
//!
//! On this machine every place is the loopback interface. A scenario with a network between the datacenters gives places
//! of its own: a place in a network namespace prefixes the command (`ip netns exec NAME …`) and has the namespace's
//! address. The driver need not have a route there: `reach` opens its connections. Nothing else in here knows where a process is.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    process::Command,
    sync::Arc,
};

use crate::ports;

pub trait Place {
    /// A command that runs a program there; arguments follow.
    fn command(&self, program: &Path) -> Command;

    /// What processes there listen on, and others reach them at.
    fn address(&self) -> IpAddr;

    /// An address with a port that nobody has.
    fn free(&self) -> SocketAddr {
        SocketAddr::new(self.address(), ports::free().port())
    }
}

/// The machine that the driver runs on.
pub struct Here;

/// The places of a world with two datacenters.
pub struct Places {
    pub source: Arc<dyn Place>,
    pub target: Arc<dyn Place>,
    pub mirror: MirrorPlace,
}

/// Where a mirror runs that is a process of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MirrorPlace {
    /// Near both.
    Near,
    /// Beside the target; a line to the source.
    FarFromSource,
    /// Beside the source; a line to the target, for which it compresses or not.
    FarFromTarget { compresses: bool },
}

impl Place for Here {
    fn command(&self, program: &Path) -> Command {
        Command::new(program)
    }

    fn address(&self) -> IpAddr {
        Ipv4Addr::LOCALHOST.into()
    }
}

impl Places {
    pub fn here() -> Self {
        Self { source: Arc::new(Here), target: Arc::new(Here), mirror: MirrorPlace::Near }
    }
}
