//! Whether `codec: auto` compresses now: which is scarcer, the line or the processors.
//!
//! On a path between sites the line is, and what crosses it may be paid for by the byte: blocks are compressed. Within a site
//! (loopback, jumbo frames) a byte that travels plain costs less processor time than one that is compressed and unpacked, as long as
//! packets are large: measured at 6,500 bytes, both ends together, 1.5 s/GB plain and 2.7 s/GB with zstd; at 1,452 bytes they
//! are equal. There blocks go plain, unless that shows a slow line after all; then compression is given some time.

use std::time::Duration;

/// Paths with a longer round trip lead out of the site.
const NEAR: Duration = Duration::from_millis(2);
/// Packets from this size on make plain bytes cheap.
const LARGE_PACKET_BYTES: u16 = 4_000;
/// A line of 1 Gbit/s carries less than this, and five times as much compressed. No more than that: hosts that are short of processor
/// time are slow as well, and would be slower for compressing.
const SLOW_BYTES_PER_SECOND: f64 = 130e6;
/// How long a line has to be slow, and how long it is spared then before it is tried again.
const TRIAL: Duration = Duration::from_secs(2);
const SPARED: Duration = Duration::from_secs(30);
/// So much under way keeps a line busy; with less it may be the source that is slow.
const BUSY_BYTES: u64 = 2 << 20;
/// A line is slow steadily. When nothing arrives for so long it is the peer that pauses.
const PAUSE: Duration = Duration::from_millis(250);

/// What is known of the path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    pub(super) least_rtt: Duration,
    pub(super) packet_bytes: u16,
}

/// Of one connection.
#[derive(Debug, Default)]
pub(super) struct Thrift {
    under_way: u64,
    trial: Option<Trial>,
    spared_until: Option<Duration>,
}

/// Since the line became busy, or since the trial before.
#[derive(Debug)]
struct Trial {
    since: Duration,
    latest: Duration,
    delivered: u64,
}

impl Thrift {
    /// Whether the next block is compressed, if it may be.
    pub(super) fn compresses(&mut self, now: Duration, way: Way) -> bool {
        if way.least_rtt >= NEAR || way.packet_bytes < LARGE_PACKET_BYTES {
            self.trial = None;
            return true;
        }
        if self.spared_until.is_some_and(|until| now >= until) {
            (self.spared_until, self.trial) = (None, None);
        }
        self.spared_until.is_some()
    }

    /// A block was given to the transport.
    pub(super) fn handle_written(&mut self, now: Duration, bytes: u64) {
        self.under_way = self.under_way.saturating_add(bytes);
        if self.under_way >= BUSY_BYTES && self.trial.is_none() {
            self.trial = Some(Trial::new(now));
        }
    }

    /// A block has arrived whole.
    pub(super) fn handle_delivered(&mut self, now: Duration, bytes: u64) {
        self.under_way = self.under_way.saturating_sub(bytes);
        let Some(trial) = &mut self.trial else { return };
        if now.saturating_sub(trial.latest) >= PAUSE {
            *trial = Trial::new(now);
        }
        trial.latest = now;
        trial.delivered = trial.delivered.saturating_add(bytes);
        let took = now.saturating_sub(trial.since);
        if took >= TRIAL {
            if trial.delivered as f64 / took.as_secs_f64() < SLOW_BYTES_PER_SECOND {
                self.spared_until.get_or_insert(now.saturating_add(SPARED));
            }
            *trial = Trial::new(now);
        }
        if self.under_way < BUSY_BYTES {
            self.trial = None;
        }
    }
}

impl Trial {
    fn new(now: Duration) -> Self {
        Self { since: now, latest: now, delivered: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: Way = Way { least_rtt: Duration::from_micros(80), packet_bytes: 6_479 };
    const BLOCK: u64 = 1 << 20;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Keeps `blocks` under way from `from` until `until`, one delivered every `pace`.
    fn run(thrift: &mut Thrift, (from, until): (u64, u64), pace: u64, blocks: u64) {
        (0..blocks).for_each(|_| thrift.handle_written(ms(from), BLOCK));
        for at in (from..until).step_by(pace as usize) {
            thrift.handle_delivered(ms(at), BLOCK);
            thrift.handle_written(ms(at), BLOCK);
        }
        (0..blocks).for_each(|_| thrift.handle_delivered(ms(until), BLOCK));
    }

    #[test]
    fn a_far_path_and_one_of_small_packets_are_spared() {
        let mut thrift = Thrift::default();
        assert!(!thrift.compresses(ms(0), LOOPBACK));
        assert!(thrift.compresses(ms(0), Way { least_rtt: ms(2), ..LOOPBACK }));
        assert!(thrift.compresses(ms(0), Way { packet_bytes: 1_452, ..LOOPBACK }));
    }

    #[test]
    fn a_near_line_that_proves_slow_is_spared_for_a_while_and_tried_again() {
        let mut thrift = Thrift::default();
        run(&mut thrift, (0, 2_200), 10, 4); // 105 MB/s
        assert!(thrift.compresses(ms(2_200), LOOPBACK));
        assert!(thrift.compresses(ms(31_000), LOOPBACK));
        assert!(!thrift.compresses(ms(32_010), LOOPBACK));
        run(&mut thrift, (32_010, 34_500), 10, 4);
        assert!(thrift.compresses(ms(34_500), LOOPBACK), "slow still");
    }

    #[test]
    fn a_peer_that_pauses_is_no_slow_line() {
        let mut thrift = Thrift::default();
        run(&mut thrift, (0, 5_000), 300, 4);
        assert!(!thrift.compresses(ms(5_000), LOOPBACK));
    }

    #[test]
    fn a_fast_line_is_not_and_neither_is_one_that_has_little_to_carry() {
        let mut thrift = Thrift::default();
        run(&mut thrift, (0, 5_000), 5, 4); // 210 MB/s
        assert!(!thrift.compresses(ms(5_000), LOOPBACK));
        run(&mut thrift, (5_000, 10_000), 100, 1); // 10 MB/s, one block at a time
        assert!(!thrift.compresses(ms(10_000), LOOPBACK));
    }
}
