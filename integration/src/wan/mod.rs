//! wan
mod counters;
mod impairments;
mod pipe;
pub use counters::Counters;
pub use impairments::{BadValue, Change, Impairments};
