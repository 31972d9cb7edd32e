//! Random operations while the power is on: logs agree with a model after each of them.

mod support;
#[path = "support/world.rs"]
mod world;

use core_log::storage::MemoryStorage;
use proptest::prelude::*;
use world::{World, op};

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn logs_agree_with_the_model(ops in prop::collection::vec(op(), 1..60)) {
        World::new(MemoryStorage::new(1)).run(&ops);
    }
}
