//! What bounds the work a topology file can cause. The file is the operator's own, but it also arrives from templates, from a
//! repository and from a fuzzer: whatever it holds, reading it costs a bounded time and never a panic.

/// Longest file that is read at all.
pub const FILE_BYTES_MAX: usize = 1 << 20;
/// Most values (scalars, lists and maps together) in a file.
pub const VALUES_MAX: usize = 20_000;
/// Deepest nesting; the schema needs six levels.
pub const DEPTH_MAX: usize = 16;
/// Problems that are reported one by one; the rest is counted.
pub const PROBLEMS_MAX: usize = 100;
/// Steps that all pattern comparisons of a file may take together. A world of a hundred links and a thousand patterns needs a
/// hundredth of it.
pub const PATTERN_STEPS_MAX: u64 = 20_000_000;

/// Kafka's own limits for a topic name, and ours for a group name.
pub const TOPIC_NAME_MAX: usize = 249;
pub const GROUP_NAME_MAX: usize = 255;
/// RFC 1035: a label of a host name.
pub const LABEL_MAX: usize = 63;
/// RFC 1035: a whole host name.
pub const HOST_MAX: usize = 253;

/// A broker id is datacenter id x 1000 + node number.
pub const NODES_PER_DATACENTER_MAX: usize = 999;
pub const DATACENTER_ID_MAX: u32 = 2_147_483;

pub const RATE_BITS_MIN: u64 = 1_000;
pub const RATE_BITS_MAX: u64 = 1_000_000_000_000;

const _: () = assert!(DATACENTER_ID_MAX as i64 * 1000 <= i32::MAX as i64, "a broker id fits Kafka's int32");
const _: () = assert!(PROBLEMS_MAX < VALUES_MAX);
