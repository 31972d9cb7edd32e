//! Lifetimes and bounds.

use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The root signs datacenter CAs only, and stays offline.
pub const ROOT_LIFETIME: Duration = Duration::from_secs(DAY.as_secs() * 3650);
/// A datacenter's CA signs its nodes.
pub const DATACENTER_LIFETIME: Duration = Duration::from_secs(DAY.as_secs() * 1825);
/// A node's certificate, unless told otherwise.
pub const NODE_LIFETIME: Duration = Duration::from_secs(DAY.as_secs() * 30);
pub const NODE_LIFETIME_MIN: Duration = Duration::from_secs(60);
pub const NODE_LIFETIME_MAX: Duration = Duration::from_secs(DAY.as_secs() * 397);

/// A certificate begins this much before it is made, so that a peer whose clock is a little behind accepts it.
pub const BACKDATING: Duration = Duration::from_secs(5 * 60);

/// A certificate expires soon when less than this part of its lifetime is left.
pub const EXPIRING_PART: u32 = 3;

/// Longest file that is read: a chain of two certificates has two kilobytes.
pub const FILE_BYTES_MAX: u64 = 64 * 1024;
/// Longest identity that is looked at.
pub const IDENTITY_BYTES_MAX: usize = 512;
/// Certificates a peer may show beside its own.
pub const CHAIN_MAX: usize = 4;
/// RFC 1035: a label of a host name, and a name.
pub const LABEL_MAX: usize = 63;

const _: () = assert!(NODE_LIFETIME.as_secs() < DATACENTER_LIFETIME.as_secs());
const _: () = assert!(DATACENTER_LIFETIME.as_secs() < ROOT_LIFETIME.as_secs());
const _: () = assert!(4 * LABEL_MAX < IDENTITY_BYTES_MAX);
