//! Two datacenters in network namespaces with an emulated link between them, which can be cut and made to lose packets.
//! The driver stands in both at once: nothing but what mirrors crosses the link.

use std::{
    net::{IpAddr, Ipv4Addr},
    path::Path,
    process::{self, Command},
    sync::Arc,
};

use super::place::{MirrorPlace, Place, Places};
use crate::{
    reach::Via,
    wan::{Change, Impairments, Layout, Plan, STATE_ROOT},
};

const SOURCE: &str = "source";
const TARGET: &str = "target";
const SEED: u64 = 1;
/// Least, at first and most: twice what 1 Gbit/s holds in 300 ms.
const TCP_BUFFERS: &str = "4096 131072 75000000";

/// Gone when it and its places are dropped.
pub(crate) struct Apart(Arc<Ground>);

/// Fields in the order in which they end.
struct Ground {
    _via: [Via; 2],
    layout: Layout,
}

/// A place at one end.
struct End {
    ground: Arc<Ground>,
    name: &'static str,
    address: Ipv4Addr,
}

impl Apart {
    /// Needs root.
    #[track_caller]
    pub(crate) fn by(impairments: &Impairments) -> Self {
        let name = format!("bench-{}", process::id());
        let plan = Plan::mesh(&name, &[SOURCE, TARGET], impairments).expect("the link is a possible one");
        let layout = Layout::up(&plan, SEED, Path::new(STATE_ROOT)).unwrap_or_else(|error| {
            panic!("a link between namespaces needs root, iproute2 and TUN: {error}")
        });
        let via = layout
            .report()
            .datacenters
            .iter()
            .map(|one| Via::namespace(one.address.into(), &one.namespace))
            .collect::<Vec<Via>>();
        let via = via.try_into().ok().expect("there are two of them");
        Self(Arc::new(Ground { _via: via, layout }))
    }

    pub(crate) fn places(&self) -> Places {
        let end = |name| {
            let address = self.0.layout.address(name).expect("it is one of the two");
            let end: Arc<dyn Place> = Arc::new(End { ground: Arc::clone(&self.0), name, address });
            end
        };
        Places { source: end(SOURCE), target: end(TARGET), mirror: MirrorPlace::Near }
    }

    /// How TCP does at both ends: its congestion control, and windows that no round trip here exhausts.
    #[track_caller]
    pub(crate) fn tune_tcp(&self, congestion: &str) {
        let settings =
            [("tcp_congestion_control", congestion), ("tcp_rmem", TCP_BUFFERS), ("tcp_wmem", TCP_BUFFERS)];
        for (end, (key, value)) in [SOURCE, TARGET].into_iter().flat_map(|end| settings.map(|set| (end, set)))
        {
            let mut shell = self.0.layout.command(end, Path::new("sh")).expect("it is one of the two");
            shell.arg("-c").arg(format!("echo '{value}' > /proc/sys/net/ipv4/{key}"));
            let output = shell.output().expect("there is a shell");
            let said = String::from_utf8_lossy(&output.stderr);
            let allowed = "see net.ipv4.tcp_allowed_congestion_control of the host";
            assert!(output.status.success(), "{key} does not take {value:?} ({allowed}): {said}");
        }
    }

    /// Bytes of packets that the source has sent to the target so far, lost ones included.
    #[track_caller]
    pub(crate) fn sent_bytes(&self) -> u64 {
        let report = self.0.layout.report();
        let direction = report.directions.iter().find(|direction| direction.from.as_str() == SOURCE);
        let counters = direction.and_then(|direction| direction.counters.as_ref());
        counters.expect("the link counts").received_bytes
    }

    /// Both directions alike.
    #[track_caller]
    pub(crate) fn change(&self, change: &Change) {
        self.0.layout.set_both(SOURCE, TARGET, change).expect("the link is there, and takes the values");
    }
}

impl Place for End {
    fn command(&self, program: &Path) -> Command {
        self.ground.layout.command(self.name, program).expect("it is one of the two")
    }

    fn address(&self) -> IpAddr {
        self.address.into()
    }
}
