//! What an operator can set about the links of a node, with the defaults.

use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

use super::limits;

/// How the links of a node use the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TransportSettings {
    /// Bytes of blocks that a source may have sent and this node not yet applied, for each connection. Bounds the memory of both
    /// ends. At least twice the link's rate times its round trip, or the link is not filled.
    pub credit_bytes: u64,
    /// Kernel buffers of the UDP socket, each way. The kernel may grant less (`net.core.rmem_max`, `wmem_max`).
    pub socket_buffer_bytes: usize,
    /// The largest UDP payload to try on the path. More than 1452 is tried only where the route's first hop takes it.
    pub mtu_max: u16,
    /// A peer that says nothing for so long is given up and dialled again.
    pub idle_timeout_ms: u64,
    /// How often a quiet connection says that it is there; at most a third of the idle time.
    pub keep_alive_ms: u64,
    pub congestion: Congestion,
    /// Bytes a second that each connection may send, where only a part of the line is for the link.
    pub rate_max_bytes_per_sec: Option<NonZeroU64>,
    /// Threads that read, check, pack and unpack blocks.
    pub worker_threads: usize,
}

/// Who decides how much may be on its way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Congestion {
    /// Our own, which random loss does not slow down.
    #[default]
    Link,
    /// quinn's CUBIC, which shares a line with TCP as TCP does, and falls to a twentieth of it at 0.1 % loss.
    Cubic,
}

impl Default for TransportSettings {
    fn default() -> Self {
        Self {
            credit_bytes: limits::CREDIT_BYTES,
            socket_buffer_bytes: limits::SOCKET_BUFFER_BYTES,
            mtu_max: limits::MTU_MAX,
            idle_timeout_ms: millis(limits::IDLE_TIMEOUT),
            keep_alive_ms: millis(limits::KEEP_ALIVE),
            congestion: Congestion::default(),
            rate_max_bytes_per_sec: None,
            worker_threads: 2,
        }
    }
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
