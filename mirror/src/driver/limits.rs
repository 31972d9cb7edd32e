//! What bounds the driver's memory and work, and how the bounds relate.

use std::time::Duration;

/// The largest payload of a block on the wire.
pub(crate) const BLOCK_BYTES_MAX: usize = 1 << 20;

/// A stream carries one block and its header, so this window never makes a sender wait. At most ~2,000 full packets, of which
/// at most half can be separated by gaps: quinn closes a connection that has 1,024 gaps in one stream.
pub(crate) const STREAM_WINDOW_BYTES: u32 = 1_200_000;
const _: () = assert!(STREAM_WINDOW_BYTES as usize > BLOCK_BYTES_MAX + (64 << 10));
const _: () = assert!(STREAM_WINDOW_BYTES < 2_900_000);

/// Wire bytes a receiver grants beyond what it has consumed: twice the product of 1 Gbit/s and 250 ms.
pub(crate) const CREDIT_BYTES: u64 = 64 << 20;

/// Flow control above the credit, for the control stream and the headers of blocks.
pub(crate) const CONTROL_WINDOW_BYTES: u64 = 4 << 20;

/// Blocks on their way at once. Small live blocks have a stream each, so this bounds them where the credit does not.
pub(crate) const BLOCK_STREAMS_MAX: u32 = 1_024;

/// The dialler's control stream, and nothing else.
pub(crate) const CONTROL_STREAMS_MAX: u32 = 1;

pub(crate) const SOCKET_BUFFER_BYTES: usize = 4 << 20;

/// Tried on every path: an Ethernet frame less the headers of IPv6 and UDP.
pub(crate) const MTU_EVERYWHERE: u16 = 1_452;
/// Tried where the route's first hop takes as much. Larger packets are worth a factor of two to three in a link's CPU time; above
/// 6,500 quinn's segmentation offload breaks.
pub(crate) const MTU_MAX: u16 = 6_500;
/// Headers of IPv6 and UDP.
pub(crate) const DATAGRAM_HEADER_BYTES: u32 = 48;

/// A peer that is silent for so long is gone. Several keep-alives must fit, since some get lost.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(6);
pub(crate) const KEEP_ALIVE: Duration = Duration::from_millis(1_500);
const _: () = assert!(KEEP_ALIVE.as_millis() * 3 < IDLE_TIMEOUT.as_millis());

/// Between a first failed attempt to reach a peer and the second; doubles with each.
pub(crate) const REDIAL_MIN: Duration = Duration::from_millis(100);
/// Jitter included. Short: a silent peer paces the dials by itself, and after a cut every second here is one of standing still.
pub(crate) const REDIAL_MAX: Duration = Duration::from_secs(2);

/// Memory that blocks are read into, in pieces of this size.
pub(crate) const ARENA_BYTES: usize = 4 << 20;
const _: () = assert!(ARENA_BYTES >= 2 * BLOCK_BYTES_MAX);

/// What the transport is handed, in congestion windows. One is in flight. A block counts whole until all of it is acknowledged, which
/// takes one of them two round trips longer than its packets for each loss in a row, and at 0.1 % every second block of 1 MiB
/// has one: with two windows the path ran dry (200 Mbit/s, 150 ms: 85 % of the line instead of 91 %). Live records do not stand
/// behind what is handed over, since their streams go first.
pub(crate) const TRANSPORT_FILLS: u64 = 4;

/// Control messages go before all blocks.
pub(crate) const CONTROL_PRIORITY: i32 = i32::MAX;

/// From the end of the control stream to the end of the connection.
pub(crate) const CONTROL_END: Duration = Duration::from_secs(1);

/// From the first packet of a connection to the end of its handshake.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// From a connection to the peer's hello.
pub(crate) const HELLO_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections of peers at once, handshakes included. A node has a handful.
pub(crate) const CONNECTIONS_MAX: usize = 256;

/// How long a node that goes down waits for its peers to hear of it.
pub(crate) const SHUTDOWN_WAIT: Duration = Duration::from_secs(1);

/// Of one piece of an ownership message; well below what a control message may have.
pub(super) const OWNERSHIP_PIECE_BYTES: usize = 256 << 10;
/// Of a whole one: some hundred thousand partitions and positions.
pub(super) const OWNERSHIP_MESSAGE_BYTES_MAX: usize = 64 << 20;
/// Failovers that wait to be begun.
pub(super) const VERBS: usize = 16;
/// Before a unit whose record could not be stored is tried again.
pub(super) const OWNERSHIP_RETRY: Duration = Duration::from_secs(2);
