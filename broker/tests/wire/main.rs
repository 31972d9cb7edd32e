//! What a client sees on the wire, file by file.

mod client;
mod connection;
mod epochs;
mod fetch;
mod offsets;
mod produce;
mod restart;
