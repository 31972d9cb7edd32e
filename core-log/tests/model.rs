//! Random operations while the power is on: logs agree with a model after each of them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may panic, also outside of its function"
)]

mod support;
#[path = "support/world.rs"]
#[allow(dead_code, reason = "every test binary uses its part")]
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
