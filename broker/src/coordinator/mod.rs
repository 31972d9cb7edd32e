//! State that clients share through the broker: consumer groups.

pub mod group;
