//! Sender and receiver over a network that is reliable but for cut connections, and keeps no order between streams.

use proptest::prelude::*;
use rand::Rng;

use protocol::PartitionId;

use super::world::{PARTITIONS, World};
use crate::link::receiver::PartitionState;

/// A phase with faults, then one without, which must end with equal logs.
fn run(seed: u64) {
    let mut world = World::new(seed);
    world.connect();
    let steps = world.random.random_range(50..600);
    for _ in 0..steps {
        match world.random.random_range(0..60) {
            0 => world.connect(),
            1 => world.crash_target(),
            2 => world.crash_source(),
            3 => world.full = world.random.random(),
            4 => {
                let partition = PartitionId(world.random.random_range(0..PARTITIONS));
                world.trim_source(partition);
            }
            5..13 => world.append(),
            _ => {
                world.step();
            }
        }
    }
    world.full = false;
    (0..PARTITIONS).for_each(|partition| world.sync_source(PartitionId(partition)));
    world.connect();
    for _ in 0..200_000 {
        if world.is_done() {
            break;
        }
        world.step();
    }
    for partition in (0..PARTITIONS).map(PartitionId) {
        let view = world.view(partition);
        assert!(world.is_done(), "seed {seed}: {view:?}");
        assert!(!matches!(view.state, PartitionState::Stopped(_)), "seed {seed}: {view:?}");
    }
}

#[test]
fn logs_are_equal_after_reordering_lost_connections_crashes_and_full_disks() {
    (0..300).for_each(run);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn logs_are_equal_for_any_seed(seed in any::<u64>()) {
        run(seed);
    }
}
