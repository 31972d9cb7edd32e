//! The two datacenters and where they listen.

use std::{fmt, net::SocketAddr};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Region {
    East,
    West,
}

/// The listeners of one datacenter's node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Endpoints {
    pub(super) kafka: SocketAddr,
    pub(super) link: SocketAddr,
    pub(super) admin: SocketAddr,
}

impl Region {
    pub(super) const BOTH: [Self; 2] = [Self::East, Self::West];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::East => "us-east",
            Self::West => "eu-west",
        }
    }

    pub(super) fn node(self) -> &'static str {
        match self {
            Self::East => "east-1",
            Self::West => "west-1",
        }
    }

    pub(super) fn flag(self) -> &'static str {
        match self {
            Self::East => "--east",
            Self::West => "--west",
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
