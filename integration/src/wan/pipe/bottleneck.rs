//! The slowest line of the path: a rate, and a queue of finite length in front of it that drops what does not fit.

use std::{collections::VecDeque, time::Duration};

use super::Piece;

/// Longest that one piece may keep the line busy, if it can be cut: what shares a piece leaves the line together, so
/// this is how far a segment's release can be off. Half of it costs the driver half as much CPU again at 1 Gbit/s.
const PIECE_TIME: Duration = Duration::from_micros(500);
const NANOS_PER_SECOND: f64 = 1e9;

#[derive(Debug, Default)]
pub(crate) struct Bottleneck {
    /// None: everything passes at once.
    line: Option<Line>,
    waiting: VecDeque<Piece>,
    /// Bytes on the wire of all that waits, the piece on the line among them.
    waiting_bytes: u64,
    /// When the line is through with the first that waits; without any, when it was through with the last.
    free_at: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Line {
    bytes_per_second: f64,
    queue_bytes: u64,
}

impl Line {
    fn time(self, bytes: u64) -> Duration {
        Duration::from_nanos((bytes as f64 / self.bytes_per_second * NANOS_PER_SECOND) as u64)
    }
}

impl Bottleneck {
    /// A new rate holds from `now` on, for what waits and for the rest of what is on the line. Needs all that has left
    /// the line by then to have been taken.
    pub(crate) fn set(&mut self, now: Duration, bytes_per_second: Option<f64>, queue_bytes: u64) {
        let line = bytes_per_second.map(|bytes_per_second| Line { bytes_per_second, queue_bytes });
        let rest = self.free_at.saturating_sub(now);
        if !self.waiting.is_empty() {
            let scale = match (self.line, line) {
                (Some(old), Some(new)) => old.bytes_per_second / new.bytes_per_second,
                _ => 0.0,
            };
            self.free_at = now + rest.mul_f64(scale);
        }
        self.line = line;
    }

    /// How many segments of this size a piece should have at most.
    pub(crate) fn piece_segments(&self, segment_bytes: usize) -> usize {
        let Some(line) = self.line else { return usize::MAX };
        let bytes = line.bytes_per_second * PIECE_TIME.as_secs_f64();
        ((bytes / segment_bytes.max(1) as f64) as usize).max(1)
    }

    /// Bytes for which the queue has room; whole segments are taken or dropped, so it is never exceeded.
    pub(crate) fn room(&self) -> u64 {
        self.line.map_or(u64::MAX, |line| line.queue_bytes.saturating_sub(self.waiting_bytes))
    }

    pub(crate) fn waiting_bytes(&self) -> u64 {
        self.waiting_bytes
    }

    pub(crate) fn offer(&mut self, now: Duration, piece: Piece) {
        if self.waiting.is_empty() {
            let start = self.free_at.max(now);
            self.free_at = self.after(start, &piece);
        }
        self.waiting_bytes += piece.wire_bytes;
        self.waiting.push_back(piece);
    }

    /// The next piece that has left the line by `now`, and when it did.
    pub(crate) fn take(&mut self, now: Duration) -> Option<(Duration, Piece)> {
        let left_at = self.next_leaving()?;
        if left_at > now {
            return None;
        }
        let piece = self.waiting.pop_front()?;
        self.waiting_bytes -= piece.wire_bytes;
        if let Some(next) = self.waiting.front() {
            self.free_at = self.after(left_at, next);
        }
        Some((left_at, piece))
    }

    /// When the first that waits leaves the line.
    pub(crate) fn next_leaving(&self) -> Option<Duration> {
        (!self.waiting.is_empty()).then_some(self.free_at)
    }

    fn after(&self, start: Duration, piece: &Piece) -> Duration {
        self.line.map_or(start, |line| start + line.time(piece.wire_bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// 1,000 bytes a millisecond.
    fn line() -> Bottleneck {
        let mut line = Bottleneck::default();
        line.set(Duration::ZERO, Some(1e6), 10_000);
        line
    }

    fn piece(wire_bytes: u64) -> Piece {
        Piece { bytes: Vec::new(), wire_bytes, segments: 1, late: false }
    }

    fn leaving(line: &mut Bottleneck) -> Vec<Duration> {
        std::iter::from_fn(|| line.take(Duration::MAX)).map(|(at, _)| at).collect()
    }

    #[test]
    fn pieces_leave_one_after_the_other_at_the_rate() {
        let mut line = line();
        for _ in 0..3 {
            line.offer(ms(5), piece(2_000));
        }
        assert_eq!(line.room(), 4_000);
        assert_eq!(line.take(ms(6)).map(|(at, _)| at), None);
        assert_eq!(leaving(&mut line), [ms(7), ms(9), ms(11)]);
        assert_eq!(line.room(), 10_000);
    }

    #[test]
    fn an_idle_line_starts_when_something_comes() {
        let mut line = line();
        line.offer(ms(0), piece(1_000));
        assert_eq!(leaving(&mut line), [ms(1)]);
        line.offer(ms(100), piece(1_000));
        assert_eq!(leaving(&mut line), [ms(101)]);
    }

    #[test]
    fn a_new_rate_holds_for_the_rest_of_the_piece_and_for_all_behind_it() {
        let mut line = line();
        line.offer(ms(0), piece(4_000));
        line.offer(ms(0), piece(4_000));
        line.set(ms(2), Some(2e6), 10_000);
        assert_eq!(leaving(&mut line), [ms(3), ms(5)]);
    }

    #[test]
    fn without_a_rate_what_waits_leaves_at_once() {
        let mut line = line();
        line.offer(ms(0), piece(4_000));
        line.offer(ms(0), piece(4_000));
        line.set(ms(1), None, 0);
        assert_eq!(leaving(&mut line), [ms(1), ms(1)]);
        line.offer(ms(7), piece(4_000));
        assert_eq!(leaving(&mut line), [ms(7)]);
        assert_eq!(line.room(), u64::MAX);
    }

    #[test]
    fn a_piece_is_half_a_millisecond_but_at_least_a_segment() {
        assert_eq!(line().piece_segments(100), 5);
        assert_eq!(line().piece_segments(1_500), 1);
        assert_eq!(Bottleneck::default().piece_segments(1_500), usize::MAX);
    }
}
