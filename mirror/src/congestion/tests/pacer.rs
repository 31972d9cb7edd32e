//! quinn's pacer: a token bucket of two milliseconds that fills at 1.25 windows a round trip.

use super::sender::PACKET_BYTES;

const NANOS_PER_SEC: f64 = 1e9;
const BURST_NANOS: f64 = 2e6;
const BURST_PACKETS_MIN: f64 = 10.0;
const BURST_PACKETS_MAX: f64 = 256.0;
const WINDOWS_PER_RTT: f64 = 1.25;
/// The runtime's timers.
const TICK_NANOS: u64 = 1_000_000;

#[derive(Default)]
pub(super) struct Pacer {
    tokens: f64,
    filled_at: u64,
}

impl Pacer {
    /// Takes a packet's tokens, or says when to come again.
    pub(super) fn take(&mut self, now: u64, window: f64, rtt_secs: f64) -> Result<(), u64> {
        let rtt_nanos = rtt_secs * NANOS_PER_SEC;
        let capacity = (window * BURST_NANOS / rtt_nanos)
            .clamp(BURST_PACKETS_MIN * PACKET_BYTES as f64, BURST_PACKETS_MAX * PACKET_BYTES as f64);
        if self.tokens < PACKET_BYTES as f64 {
            let rtts = (now - self.filled_at) as f64 / rtt_nanos;
            self.tokens = (self.tokens + WINDOWS_PER_RTT * window * rtts).min(capacity);
            self.filled_at = now;
        }
        if self.tokens >= PACKET_BYTES as f64 {
            self.tokens -= PACKET_BYTES as f64;
            return Ok(());
        }
        let wait = (capacity - self.tokens) / window * rtt_nanos / WINDOWS_PER_RTT;
        Err((now + wait as u64 + 1).next_multiple_of(TICK_NANOS))
    }
}
