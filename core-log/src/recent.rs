//! The newest batches of all logs, in memory under one budget. Oldest go first, whichever log they are of.
//!
//! A kept batch is a slice of the request frame that brought it and keeps that frame alive. The batches of a frame come
//! and go together, so what is really held exceeds the budget by a frame at most.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use parking_lot::Mutex;

use protocol::{Offset, batch::BatchHeader};

use crate::{Batches, ReadLimit};

/// What the bookkeeping of a batch costs, about: two queue entries and the buffer's own header.
const OVERHEAD_BYTES: usize = 160;

/// The budget: batches of all logs in the order they came. Only the appender fills it.
pub(crate) struct Recent {
    bytes_max: usize,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    kept: VecDeque<Kept>,
    bytes: usize,
    next_id: u64,
}

struct Kept {
    log: Arc<RecentOfLog>,
    id: u64,
    bytes: usize,
}

/// One log's part: consecutive batches up to its log end.
#[derive(Debug, Default)]
pub(crate) struct RecentOfLog {
    batches: Mutex<VecDeque<RecentBatch>>,
}

#[derive(Debug)]
struct RecentBatch {
    id: u64,
    base: Offset,
    next: Offset,
    bytes: Bytes,
}

impl Recent {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, queue: Mutex::default() }
    }

    pub(crate) fn push(&self, log: &Arc<RecentOfLog>, base: Offset, next: Offset, bytes: Bytes) {
        let cost = bytes.len() + OVERHEAD_BYTES;
        let mut queue = self.queue.lock();
        queue.next_id += 1;
        let id = queue.next_id;
        log.batches.lock().push_back(RecentBatch { id, base, next, bytes });
        queue.kept.push_back(Kept { log: Arc::clone(log), id, bytes: cost });
        queue.bytes += cost;
        while queue.bytes > self.bytes_max {
            let Some(oldest) = queue.kept.pop_front() else { break };
            queue.bytes -= oldest.bytes;
            oldest.log.evict(oldest.id);
        }
    }
}

impl RecentOfLog {
    /// `None` if the batch that holds `from` is not in memory. The caller has checked that `from` is in range.
    pub(crate) fn read(&self, from: Offset, limit: ReadLimit) -> Option<Batches> {
        let batches = self.batches.lock();
        let first = batches.partition_point(|batch| batch.next <= from);
        // In a log with gaps an offset may lie before the first batch kept without being in it.
        if first == 0 && batches.front().is_none_or(|batch| batch.base > from) {
            return None;
        }
        let mut found = Batches::empty_at(from);
        for batch in batches.range(first..) {
            let fits = found.bytes + batch.bytes.len() <= limit.max_bytes;
            if batch.next > limit.until || !(fits || found.is_empty() && limit.at_least_one) {
                break;
            }
            found.bytes += batch.bytes.len();
            found.next_offset = batch.next;
            found.pieces.push(batch.bytes.clone());
        }
        Some(found)
    }

    /// Keeps the log's newest batch, within the budget of all.
    pub(crate) fn push_for(self: &Arc<Self>, recent: &Recent, header: &BatchHeader, bytes: Bytes) {
        recent.push(self, header.base_offset, header.next_offset(), bytes);
    }

    /// Forgets batches that end after `offset`.
    pub(crate) fn truncate(&self, offset: Offset) {
        let mut batches = self.batches.lock();
        while batches.back().is_some_and(|batch| batch.next > offset) {
            batches.pop_back();
        }
    }

    pub(crate) fn clear(&self) {
        *self.batches.lock() = VecDeque::new();
    }

    fn evict(&self, id: u64) {
        let mut batches = self.batches.lock();
        while batches.front().is_some_and(|batch| batch.id <= id) {
            batches.pop_front();
        }
        if batches.is_empty() {
            batches.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(max_bytes: usize, until: i64) -> ReadLimit {
        ReadLimit { max_bytes, until: Offset(until), at_least_one: true }
    }

    fn push(recent: &Recent, log: &Arc<RecentOfLog>, base: i64, next: i64, size: usize) {
        recent.push(log, Offset(base), Offset(next), Bytes::from(vec![0; size]));
    }

    #[test]
    fn the_oldest_batch_of_any_log_goes_first() {
        let recent = Recent::new(3 * (100 + OVERHEAD_BYTES));
        let (a, b) = (Arc::new(RecentOfLog::default()), Arc::new(RecentOfLog::default()));
        push(&recent, &a, 0, 10, 100);
        push(&recent, &b, 0, 10, 100);
        push(&recent, &a, 10, 20, 100);
        push(&recent, &b, 10, 20, 100);
        assert_eq!(a.read(Offset(5), limit(1000, 100)), None);
        assert_eq!(a.read(Offset(10), limit(1000, 100)).unwrap().bytes, 100);
        assert_eq!(b.read(Offset(5), limit(1000, 100)).unwrap().next_offset, Offset(20));
    }

    #[test]
    fn whole_batches_from_the_one_that_holds_the_offset_within_the_limits() {
        let recent = Recent::new(1 << 20);
        let log = Arc::new(RecentOfLog::default());
        for i in 0..4 {
            push(&recent, &log, i * 10, i * 10 + 10, 100);
        }
        let read =
            |from, limit| log.read(Offset(from), limit).map(|found| (found.bytes, found.next_offset.0));
        assert_eq!(read(15, limit(250, 100)), Some((200, 30)));
        assert_eq!(read(15, limit(1000, 39)), Some((200, 30)), "until is in the middle of a batch");
        assert_eq!(read(15, limit(10, 100)), Some((100, 20)), "at least one");
        assert_eq!(read(15, ReadLimit { at_least_one: false, ..limit(10, 100) }), Some((0, 15)));
        log.truncate(Offset(20));
        assert_eq!(read(0, limit(1000, 100)), Some((200, 20)));
    }
}
