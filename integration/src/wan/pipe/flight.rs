//! The packets on their way, in the order of their arrival.

use std::{collections::VecDeque, time::Duration};

use super::Piece;

#[derive(Debug, Default)]
pub(crate) struct Flight {
    /// By their time of arrival; of equal ones the first to leave is first.
    pieces: VecDeque<(Duration, Piece)>,
    bytes: u64,
    /// The latest arrival of a piece that keeps its order: none arrives before it.
    in_order_from: Duration,
}

impl Flight {
    /// A piece that would arrive then, and `late` after that if it is one that others overtake.
    pub(crate) fn add(&mut self, arrival: Duration, late: Duration, piece: Piece) {
        self.in_order_from = self.in_order_from.max(arrival);
        let arrival = if piece.late { self.in_order_from + late } else { self.in_order_from };
        self.bytes += piece.wire_bytes;
        match self.pieces.back() {
            Some((last, _)) if *last > arrival => {
                let at = self.pieces.partition_point(|(other, _)| *other <= arrival);
                self.pieces.insert(at, (arrival, piece));
            }
            _ => self.pieces.push_back((arrival, piece)),
        }
    }

    pub(crate) fn take(&mut self, now: Duration) -> Option<(Duration, Piece)> {
        if self.next_arrival()? > now {
            return None;
        }
        let (arrival, piece) = self.pieces.pop_front()?;
        self.bytes -= piece.wire_bytes;
        Some((arrival, piece))
    }

    pub(crate) fn next_arrival(&self) -> Option<Duration> {
        self.pieces.front().map(|(arrival, _)| *arrival)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn piece(name: u64, late: bool) -> Piece {
        Piece { bytes: Vec::new(), wire_bytes: name, segments: 1, late }
    }

    fn arrivals(flight: &mut Flight) -> Vec<(Duration, u64)> {
        std::iter::from_fn(|| flight.take(Duration::MAX)).map(|(at, piece)| (at, piece.wire_bytes)).collect()
    }

    #[test]
    fn a_shorter_way_overtakes_nothing() {
        let mut flight = Flight::default();
        flight.add(ms(30), ms(0), piece(1, false));
        flight.add(ms(10), ms(0), piece(2, false));
        flight.add(ms(40), ms(0), piece(3, false));
        assert_eq!(flight.bytes(), 6);
        assert_eq!(arrivals(&mut flight), [(ms(30), 1), (ms(30), 2), (ms(40), 3)]);
        assert_eq!(flight.bytes(), 0);
    }

    #[test]
    fn a_late_one_is_overtaken_by_those_behind_it() {
        let mut flight = Flight::default();
        flight.add(ms(10), ms(5), piece(1, true));
        flight.add(ms(11), ms(5), piece(2, false));
        flight.add(ms(12), ms(5), piece(3, false));
        flight.add(ms(16), ms(5), piece(4, false));
        assert_eq!(arrivals(&mut flight), [(ms(11), 2), (ms(12), 3), (ms(15), 1), (ms(16), 4)]);
    }

    #[test]
    fn nothing_arrives_before_its_time() {
        let mut flight = Flight::default();
        flight.add(ms(10), ms(0), piece(1, false));
        assert!(flight.take(ms(9)).is_none());
        assert_eq!(flight.next_arrival(), Some(ms(10)));
        assert!(flight.take(ms(10)).is_some());
    }
}
