//! Between what bounds a window lies, whatever was measured.

/// First window: 45 packets, several round trips of doubling less than the standard's ten. Both ends of a link are ours and
/// speak rarely enough to each other for the first burst to be harmless.
pub(super) const WINDOW_INITIAL: u64 = 64 * 1024;
/// Below six packets a lost one is not noticed by the acknowledgements of three later ones, but by a timeout.
pub(super) const WINDOW_PACKETS_MIN: f64 = 6.0;
/// Only a declared rate goes lower: two packets in flight, for a receiver answers every second one at once and others late. quinn
/// sends nothing that would fill the window to the byte, hence the third.
pub(super) const WINDOW_PACKETS_MIN_DECLARED: f64 = 3.0;
/// 10 Gbit/s over 800 ms. Well below 4 GiB, from where on quinn paces no more.
pub(super) const WINDOW_MAX: f64 = (1u64 << 30) as f64;
/// A window below this much time of the measured rate is eaten by timers and wake-ups: on loopback the path holds next to
/// nothing, and what has to be covered is the hosts' own latency. Does nothing on paths longer than this, and gives way to
/// losses as the headroom does: a switch may hold less than hosts do.
pub(super) const HOST_LATENCY_SECS: f64 = 0.001;
/// Round trips count as at least this long: a clock that stood still says nothing about a path.
pub(super) const RTT_MIN_SECS: f64 = 10e-6;

const _: () = assert!(WINDOW_INITIAL as f64 <= WINDOW_MAX);
const _: () = assert!(WINDOW_PACKETS_MIN_DECLARED <= WINDOW_PACKETS_MIN);
// The largest UDP payload times the packets of the floor still fits below the ceiling.
const _: () = assert!(WINDOW_PACKETS_MIN * (u16::MAX as f64) < WINDOW_MAX);
