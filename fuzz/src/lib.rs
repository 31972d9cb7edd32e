//! What the fuzzers do, apart from the fuzzers: each target is a plain function of bytes in [`targets`].
//!
//! ```text
//! fuzz_targets/*.rs (cargo fuzz, nightly)   ─┐
//! protocol/tests/fuzz_smoke.rs (cargo test) ─┴─> targets ──> apis, sample, entropy
//! ```
//!
//! Seeds: `corpus/<target>/`, written by [`seeds`] (`cargo test -p protocol --test fuzz_smoke` says how).
//! Run one target: `cargo +nightly fuzz run request -- -max_total_time=60`.

pub mod apis;
pub mod entropy;
pub mod sample;
pub mod seeds;
pub mod targets;
