//! Sender and receiver over a network that is reliable but for cut connections, and keeps no order between streams.

use proptest::prelude::*;
use rand::Rng;

use protocol::PartitionId;

use super::world::{PARTITIONS, Seen, World};
use crate::link::receiver::PartitionState;

/// A phase with faults, then one without, which must end with equal logs.
fn run(seed: u64) -> Seen {
    let mut world = World::new(seed);
    world.connect();
    let steps = world.random.random_range(100..1500);
    for _ in 0..steps {
        match world.random.random_range(0..400) {
            0 | 1 => world.connect(),
            2 => world.crash_target(),
            3 => world.crash_source(),
            4..8 => world.full = world.random.random(),
            8..16 => {
                let partition = PartitionId(world.random.random_range(0..PARTITIONS));
                world.trim_source(partition);
            }
            16..30 => world.append(),
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
    world.seen
}

#[test]
fn logs_are_equal_after_reordering_lost_connections_crashes_and_full_disks() {
    let seen: Vec<Seen> = (0..200).map(run).collect();
    let count = |of: fn(&Seen) -> u64| seen.iter().filter(|seen| of(seen) > 0).count();
    let counts = [
        count(|seen| seen.ahead_of_predecessor),
        count(|seen| seen.fragments),
        count(|seen| seen.compressed),
        count(|seen| seen.started_later),
        count(|seen| seen.starts_advanced),
        count(|seen| seen.no_space),
        count(|seen| seen.lost_applies),
    ];
    assert!(counts.iter().all(|count| *count > 20), "each happens in many runs: {counts:?}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in 0..10 {
        assert_eq!(format!("{:?}", run(seed)), format!("{:?}", run(seed)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn logs_are_equal_for_any_seed(seed in any::<u64>()) {
        run(seed);
    }
}
