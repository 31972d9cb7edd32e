//! Certificates as they are used: made on disk, loaded, and shown to each other.

mod files;
mod handshakes;
mod quic;
mod world;
