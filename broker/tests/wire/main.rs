//! What a client sees on the wire, file by file.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

mod client;
mod connection;
mod epochs;
mod fetch;
mod gates;
mod offsets;
mod produce;
mod restart;
