//! One subscribed partition, and whether it may be.

use std::{collections::VecDeque, time::Duration};

use protocol::{LeaderEpoch, Offset};

use super::{Class, SourceEnds, SourceView, SubscriptionView};
use crate::{
    link::{BlockNumber, ReadId, wire::Subscribe},
    stop::StopReason,
};

#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) asked: Subscribe,
    /// `None` until the source's log was looked at.
    pub(super) open: Option<Open>,
}

/// A partition whose records flow.
#[derive(Debug)]
pub(super) struct Open {
    /// The chain: what was sent so far ends here.
    pub(super) position: Offset,
    pub(super) ends: SourceEnds,
    pub(super) compacted: bool,
    pub(super) acked: Offset,
    pub(super) class: Class,
    pub(super) turn: Turn,
    /// Of the deficit round robin.
    pub(super) deficit: i64,
    /// Sent since the partition last was at its end.
    pub(super) sent_behind: u64,
    /// Blocks that are not durable at the target yet.
    unacked: VecDeque<Unacked>,
    unacked_bytes: u64,
    /// What the target knows of the ends.
    pub(super) told: SourceEnds,
    /// Since when it does not know the newest.
    pub(super) untold_since: Option<Duration>,
}

/// Whose move it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing to read until the ends change.
    Idle,
    /// In the schedule.
    Queued,
    /// Out of the schedule: too much of the credit is held by this partition.
    Held,
    Reading(ReadId),
}

#[derive(Debug)]
struct Unacked {
    number: BlockNumber,
    next_offset: Offset,
    bytes: u64,
}

impl Subscription {
    pub(super) fn view(&self) -> Option<SubscriptionView> {
        let open = self.open.as_ref()?;
        Some(SubscriptionView {
            handle: self.asked.handle,
            topic_id: self.asked.topic_id,
            partition: self.asked.partition,
            generation: self.asked.generation,
            class: open.class,
            position: open.position,
            acked: open.acked,
            end: open.ends.end,
        })
    }
}

impl Open {
    pub(super) fn new(start: Offset, ends: SourceEnds, compacted: bool) -> Self {
        Self {
            position: start,
            ends,
            compacted,
            acked: start,
            class: Class::Backfill,
            turn: Turn::Idle,
            deficit: 0,
            // Until it was at its end once, it is back-filled.
            sent_behind: u64::MAX,
            unacked: VecDeque::new(),
            unacked_bytes: 0,
            told: ends,
            untold_since: None,
        }
    }

    pub(super) fn has_more(&self) -> bool {
        self.position < self.ends.end
    }

    /// A block goes out; the position has been moved when it was cut.
    pub(super) fn note_sent(&mut self, number: BlockNumber, next_offset: Offset, bytes: u64) {
        self.unacked.push_back(Unacked { number, next_offset, bytes });
        self.unacked_bytes += bytes;
        self.sent_behind = self.sent_behind.saturating_add(bytes);
        if !self.has_more() {
            self.sent_behind = 0;
        }
    }

    /// The block turned out smaller.
    pub(super) fn note_packed(&mut self, number: BlockNumber, refund: u64) {
        if let Ok(at) = self.unacked.binary_search_by_key(&number, |block| block.number)
            && let Some(block) = self.unacked.get_mut(at)
        {
            block.bytes = block.bytes.saturating_sub(refund);
            self.unacked_bytes = self.unacked_bytes.saturating_sub(refund);
        }
    }

    /// `false`: nothing new.
    pub(super) fn note_acked(&mut self, durable_end: Offset) -> bool {
        // A target can only have what was sent.
        let acked = durable_end.min(self.position);
        if acked <= self.acked {
            return false;
        }
        self.acked = acked;
        while let Some(block) = self.unacked.front()
            && block.next_offset <= acked
        {
            self.unacked_bytes = self.unacked_bytes.saturating_sub(block.bytes);
            self.unacked.pop_front();
        }
        true
    }

    /// Whether the partition holds so much that the others would go without: one target log that takes nothing must
    /// not stop its siblings. What is left shrinks with each such partition, but something always is.
    pub(super) fn holds_too_much(&self, credit_room: u64) -> bool {
        self.unacked_bytes > credit_room.saturating_mul(4)
    }

    /// Told by a block or a watermark.
    pub(super) fn note_told(&mut self, told: SourceEnds) {
        self.told = told;
        if self.told == self.ends {
            self.untold_since = None;
        }
    }
}

/// Where the subscription starts, if the two logs agree so far. `current` is the epoch that the source would write at now.
pub(super) fn check(
    asked: &Subscribe,
    view: &SourceView,
    current: Option<LeaderEpoch>,
) -> Result<Offset, StopReason> {
    let SourceEnds { log_start, end } = view.ends;
    let position = asked.next_offset;
    if position > end {
        return Err(beyond(asked, view, current));
    }
    if asked.fresh {
        return Ok(position.max(log_start));
    }
    if position < log_start {
        return Err(StopReason::SourceTrimmed { from: position, until: log_start });
    }
    if let Some(epoch) = asked.last_epoch {
        check_epoch(epoch, position, view)?;
    }
    Ok(position)
}

/// Why the target holds more than the source: it follows another history, which the source's next records will not continue,
/// or the source is an earlier copy of itself.
fn beyond(asked: &Subscribe, view: &SourceView, current: Option<LeaderEpoch>) -> StopReason {
    let (position, end) = (asked.next_offset, view.ends.end);
    match asked.last_epoch {
        Some(epoch) if current > Some(epoch) => {
            let common = view.epoch_end.map_or(view.ends.log_start, |(_, ended)| ended.min(end));
            StopReason::Diverged { common, position, epoch }
        }
        _ => StopReason::SourceRewound { position, source_end: end },
    }
}

/// The record before `position` is of `epoch` at the target: so it must be here, if it is still there.
fn check_epoch(epoch: LeaderEpoch, position: Offset, view: &SourceView) -> Result<(), StopReason> {
    let common = match view.epoch_end {
        Some((found, ended)) if found == epoch && ended >= position => return Ok(()),
        Some((_, ended)) => ended.min(position),
        // The record is gone here with its epoch: nothing can be said against it.
        None if position <= view.ends.log_start => return Ok(()),
        None => view.ends.log_start,
    };
    Err(StopReason::Diverged { common, position, epoch })
}
