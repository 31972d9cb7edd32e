//! What was produced: every acknowledged event with its offset, and when it was readable at the other side. What the check
//! holds the logs against, and what lag is computed from.
//!
//! Times are microseconds of one monotonic clock.

use super::region::Region;

/// An event that a broker acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Acked {
    pub(super) offset: i64,
    /// The event's number.
    pub(super) number: u64,
    pub(super) at_us: u64,
    pub(super) region: Region,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    partitions: Vec<Partition>,
}

#[derive(Debug, Clone, Default)]
struct Partition {
    /// By offset.
    acked: Vec<Acked>,
    /// Acknowledgements of offsets that had been acknowledged before.
    overlaps: u64,
    /// From when on everything before an offset was readable in eu-west; both ascend.
    readable: Vec<Readable>,
}

#[derive(Debug, Clone, Copy)]
struct Readable {
    before: i64,
    at_us: u64,
}

impl Ledger {
    pub(super) fn new(partitions: i32) -> Self {
        Self { partitions: (0..partitions).map(|_| Partition::default()).collect() }
    }

    /// Events that got consecutive offsets from `base` on.
    pub(super) fn acknowledge(
        &mut self,
        (partition, base): (i32, i64),
        numbers: &[u64],
        at_us: u64,
        region: Region,
    ) {
        let Some(partition) = self.partition_mut(partition) else { return };
        for (offset, &number) in (base..).zip(numbers) {
            if partition.acked.last().is_some_and(|last| offset <= last.offset) {
                partition.overlaps += 1;
            } else {
                partition.acked.push(Acked { offset, number, at_us, region });
            }
        }
    }

    /// Everything before an offset was read in eu-west.
    pub(super) fn readable(&mut self, partition: i32, before: i64, at_us: u64) {
        let Some(partition) = self.partition_mut(partition) else { return };
        if before > partition.readable.last().map_or(0, |last| last.before) {
            partition.readable.push(Readable { before, at_us });
        }
    }

    /// The acknowledged events of each partition, by offset.
    pub(super) fn partitions(&self) -> impl Iterator<Item = &[Acked]> {
        self.partitions.iter().map(|partition| partition.acked.as_slice())
    }

    /// The offset after the last acknowledged event, of each partition.
    pub(super) fn ends(&self) -> Vec<i64> {
        self.partitions().map(|acked| acked.last().map_or(0, |last| last.offset + 1)).collect()
    }

    pub(super) fn acked_in(&self, region: Region) -> u64 {
        self.partitions().flatten().filter(|acked| acked.region == region).map(|_| 1).sum()
    }

    /// Whether the last events of some partition are this region's.
    pub(super) fn has_reached(&self, region: Region) -> bool {
        self.partitions().filter_map(|acked| acked.last()).any(|last| last.region == region)
    }

    /// Whether anything was readable in eu-west yet.
    pub(super) fn has_arrived(&self) -> bool {
        self.partitions.iter().any(|partition| partition.readable.last().is_some_and(|last| last.before > 0))
    }

    pub(super) fn acked(&self) -> u64 {
        self.partitions().map(|acked| acked.len() as u64).sum()
    }

    /// How many of us-east's events were readable in eu-west.
    pub(super) fn mirrored(&self) -> u64 {
        let of = |partition: &Partition| {
            let before = partition.readable.last().map_or(0, |last| last.before);
            let acked = partition.acked.iter().take_while(|acked| acked.offset < before);
            acked.filter(|acked| acked.region == Region::East).map(|_| 1).sum::<u64>()
        };
        self.partitions.iter().map(of).sum()
    }

    /// From acknowledged in us-east to readable in eu-west, for every event acknowledged since, ascending.
    pub(super) fn lags_us(&self, since_us: u64) -> Vec<u64> {
        let mut lags: Vec<u64> =
            self.partitions.iter().flat_map(|partition| partition.lags_us(since_us)).collect();
        lags.sort_unstable();
        lags
    }

    /// How far this is from every event of `produced` having been acknowledged exactly once: lost ones, repeated ones, and
    /// offsets that were given twice.
    pub(super) fn unaccounted(&self, produced: u64) -> u64 {
        let mut numbers: Vec<u64> = self.partitions().flatten().map(|acked| acked.number).collect();
        let acked = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        let repeated = (acked - numbers.len()) as u64;
        let overlaps: u64 = self.partitions.iter().map(|partition| partition.overlaps).sum();
        produced.abs_diff(numbers.len() as u64) + repeated + overlaps
    }

    /// How long nothing was acknowledged between the last event of us-east and the first of eu-west.
    pub(super) fn pause_us(&self) -> Option<u64> {
        let times = |region: Region| {
            self.partitions().flatten().filter(move |acked| acked.region == region).map(|acked| acked.at_us)
        };
        let (last, first) = (times(Region::East).max()?, times(Region::West).min()?);
        Some(first.saturating_sub(last))
    }

    fn partition_mut(&mut self, partition: i32) -> Option<&mut Partition> {
        self.partitions.get_mut(usize::try_from(partition).ok()?)
    }
}

impl Partition {
    fn lags_us(&self, since_us: u64) -> impl Iterator<Item = u64> {
        // Acknowledgements of one partition come in order, so times ascend as offsets do.
        let first = self.acked.partition_point(|acked| acked.at_us < since_us);
        let offset = self.acked.get(first).map_or(i64::MAX, |acked| acked.offset);
        let from = self.readable.partition_point(|readable| readable.before <= offset);
        let mut readable = self.readable.iter().skip(from).peekable();
        let events = self.acked.iter().skip(first).filter(|acked| acked.region == Region::East);
        events.map_while(move |acked| {
            while readable.next_if(|readable| readable.before <= acked.offset).is_some() {}
            // A reader may see a record before the producer has seen its acknowledgement: no lag.
            readable.peek().map(|readable| readable.at_us.saturating_sub(acked.at_us))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger() -> Ledger {
        let mut ledger = Ledger::new(2);
        ledger.acknowledge((0, 0), &[0, 1], 100, Region::East);
        ledger.acknowledge((1, 0), &[2], 110, Region::East);
        ledger.acknowledge((0, 2), &[3], 200, Region::East);
        ledger
    }

    #[test]
    fn lag_is_from_acknowledged_to_readable() {
        let mut ledger = ledger();
        ledger.readable(0, 1, 130);
        ledger.readable(0, 3, 190);
        ledger.readable(1, 1, 115);
        assert_eq!(ledger.lags_us(0), [0, 5, 30, 90]);
        assert_eq!(ledger.lags_us(105), [0, 5]);
        assert_eq!(ledger.mirrored(), 4);
    }

    #[test]
    fn what_is_not_readable_yet_has_no_lag_and_is_not_mirrored() {
        let mut ledger = ledger();
        ledger.readable(0, 2, 150);
        assert_eq!(ledger.lags_us(0), [50, 50]);
        assert_eq!(ledger.mirrored(), 2);
    }

    #[test]
    fn events_of_the_new_home_have_no_part_in_lag() {
        let mut ledger = ledger();
        ledger.acknowledge((1, 1), &[4], 300, Region::West);
        ledger.readable(1, 2, 310);
        assert_eq!(ledger.lags_us(0), [200]);
        assert_eq!((ledger.mirrored(), ledger.acked_in(Region::West), ledger.acked()), (1, 1, 5));
        assert_eq!(ledger.pause_us(), Some(100));
        assert_eq!(ledger.ends(), [3, 2]);
    }

    #[test]
    fn every_event_is_accounted_for_once_or_counted() {
        assert_eq!(ledger().unaccounted(4), 0);
        assert_eq!(ledger().unaccounted(6), 2, "two were never acknowledged");
        let mut repeated = ledger();
        repeated.acknowledge((1, 1), &[3], 300, Region::West);
        assert_eq!(repeated.unaccounted(4), 1, "one was acknowledged twice");
    }

    #[test]
    fn an_offset_given_twice_is_a_lost_record() {
        let mut ledger = ledger();
        ledger.acknowledge((0, 2), &[4], 300, Region::West);
        assert_eq!(ledger.unaccounted(5), 2, "the offset, and the event that has none");
    }
}
