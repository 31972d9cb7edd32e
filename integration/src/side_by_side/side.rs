//! The two that are compared, and the worlds that each of them can set up.

use std::sync::Arc;

use tempfile::TempDir;

use super::{
    node::Node,
    place::{Place, Places},
    process::Process,
    service::Service,
};
use crate::load::topic;

/// When a broker acknowledges a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Acks {
    /// Once it is in the kernel's page cache.
    PageCache,
    /// Once it is on the disk.
    Synced,
}

impl Acks {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PageCache => "page-cache acks",
            Self::Synced => "synced acks",
        }
    }
}

/// What a world with two datacenters is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Topics `m.*` and all groups flow from source to target.
    Mirror,
    /// The same, and processes are killed.
    Faults,
    /// The same, and the target can become the home of all of it.
    Failover,
}

pub(crate) trait Side {
    fn name(&self) -> &'static str;

    /// Configs of a topic that is acknowledged so.
    fn configs(&self, acks: Acks) -> &'static topic::Configs;

    /// A broker that stands alone, not yet started.
    fn broker(&self, place: &Arc<dyn Place>) -> Lone;

    /// Two datacenters, running.
    fn world(&self, places: &Places, purpose: Purpose) -> World;

    /// Makes the target the home, the source being gone.
    fn fail_over(&self, world: &World);

    /// Bytes that came to the target's datacenter so far, where they are counted.
    fn wire_bytes(&self, world: &World) -> Option<f64>;
}

/// A broker and its data.
pub(crate) struct Lone {
    pub(crate) node: Node,
    pub(crate) _folder: TempDir,
}

/// Two brokers with what mirrors between them, and their data.
pub(crate) struct World {
    pub(crate) source: Node,
    pub(crate) target: Node,
    /// `None`: the brokers do it themselves.
    pub(crate) mirror: Option<Service>,
    pub(crate) _folder: TempDir,
}

impl World {
    pub(crate) fn processes(&self) -> Vec<&Process> {
        let mirror = self.mirror.as_ref().map(Service::process);
        [self.source.process(), self.target.process()].into_iter().chain(mirror).collect()
    }

    /// Whoever takes records from the source stands still until [`Self::release`].
    pub(crate) fn hold(&self) {
        self.taker().pause();
    }

    pub(crate) fn release(&self) {
        self.taker().resume();
    }

    /// Ends what mirrors without a word; the broker of the target where that does.
    pub(crate) fn kill_mirror(&mut self) {
        match &mut self.mirror {
            Some(mirror) => mirror.kill(),
            None => self.target.kill(),
        }
    }

    #[track_caller]
    pub(crate) fn spawn_mirror(&mut self) {
        match &mut self.mirror {
            Some(mirror) => mirror.spawn(),
            None => self.target.spawn(),
        }
    }

    fn taker(&self) -> &Process {
        self.mirror.as_ref().map_or_else(|| self.target.process(), Service::process)
    }
}
