//! The power goes, at any sync or between two; what was promised is found afterwards, and nothing else.

mod support;
#[path = "support/world.rs"]
mod world;

use core_log::storage::MemoryStorage;
use proptest::prelude::*;
use world::{World, check_disk, op};

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn promises_survive_a_cut_at_any_sync(ops in prop::collection::vec(op(), 1..40), seed in any::<u64>()) {
        let disk = MemoryStorage::new(seed);
        World::new(disk.clone()).run(&ops);
        for syncs in 0..disk.syncs() {
            let disk = MemoryStorage::new(seed);
            disk.after_syncs(syncs);
            let Some(world) = started(disk.clone(), &ops) else { continue };
            for cut in 0..3 {
                check_disk(disk.cut_power(seed.wrapping_add(cut)), &world.models);
            }
        }
    }

    #[test]
    fn promises_survive_a_cut_between_syncs(ops in prop::collection::vec(op(), 1..40), seed in any::<u64>()) {
        let mut world = World::new(MemoryStorage::new(seed));
        for op in &ops {
            world.run(std::slice::from_ref(op));
            check_disk(world.disk.cut_power(seed), &world.models);
        }
    }

    /// Recovery itself may be cut short, any number of times.
    #[test]
    fn promises_survive_cuts_during_recovery(ops in prop::collection::vec(op(), 1..30), seed in any::<u64>()) {
        let mut world = World::new(MemoryStorage::new(seed));
        world.run(&ops);
        let mut disk = world.disk.cut_power(seed);
        for cut in 0..8 {
            disk.after_syncs(cut);
            world::open_all(&disk);
            disk = disk.cut_power(seed.wrapping_add(cut));
        }
        check_disk(disk, &world.models);
    }
}

/// The world when the power went; `None` if it went before there was one.
fn started(disk: MemoryStorage, ops: &[world::Op]) -> Option<World> {
    let mut world = World::start(disk)?;
    world.run(ops);
    Some(world)
}
