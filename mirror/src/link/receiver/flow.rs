//! From blocks to applies, and from applies to acks and credit.

use std::time::Duration;

use protocol::Offset;

use super::{
    Apply, ApplyFailure, Command, PartitionKey, Receiver,
    chain::{Link, Placed},
    partition::{Partition, Stage},
};
use crate::{
    link::{
        ApplyId,
        block::{Block, BlockHeader, Gaps, UnpackRules},
    },
    stop::StopReason,
};

/// An append under way.
#[derive(Debug)]
pub(super) struct Applying {
    key: PartitionKey,
    unpacked_bytes: usize,
}

impl Receiver {
    pub(super) fn handle_block(&mut self, now: Duration, block: Block) {
        let Some(connection) = &mut self.connection else { return };
        let bytes = block.wire_bytes();
        self.counters.blocks += 1;
        self.counters.wire_bytes += bytes;
        let noted =
            (connection.credit.receive(bytes)).and_then(|()| connection.arrivals.note(block.header.number));
        match noted {
            Err(error) => return self.close(error),
            Ok(false) => {
                self.counters.refused.repeated += 1;
                self.consume(now, bytes);
            }
            Ok(true) => self.place(now, block),
        }
        self.find_holes(now);
    }

    /// Puts a block where it belongs, or drops it and says why in the counters.
    fn place(&mut self, now: Duration, block: Block) {
        let bytes = block.wire_bytes();
        let header = block.header;
        let batch_bytes_max = self.settings.batch_bytes_max;
        let Some((key, partition)) = self.by_handle(header.handle) else {
            self.counters.refused.stale += 1;
            return self.consume(now, bytes);
        };
        if let Err(refusal) = check_header(partition, &header, batch_bytes_max) {
            self.consume(now, bytes);
            return self.refuse(now, key, refusal);
        }
        let Some(subscription) = &mut partition.subscription else { return };
        partition.lag.hear(now, header.source_end);
        let (placed, overlapping) = subscription.chain.insert(block);
        if subscription.chain.is_waiting() {
            self.waiting.insert(key);
        }
        match placed {
            Placed::Taken => {}
            Placed::Repeated => {
                self.counters.refused.repeated += 1;
                self.consume(now, bytes);
            }
            Placed::Overlapping => {
                self.counters.refused.overlapping += 1;
                self.consume(now, bytes);
            }
        }
        self.refuse_overlapping(now, overlapping);
        self.follow(now, key);
    }

    pub(super) fn refuse_overlapping(&mut self, now: Duration, bytes: u64) {
        if bytes > 0 {
            self.counters.refused.overlapping += 1;
            self.consume(now, bytes);
        }
    }

    fn refuse(&mut self, now: Duration, key: PartitionKey, refusal: Refusal) {
        let refused = &mut self.counters.refused;
        match refusal {
            Refusal::Foreign => refused.foreign += 1,
            Refusal::Stop(reason) => {
                match reason {
                    StopReason::LowerGeneration { .. } => refused.lower_generation += 1,
                    _ => refused.too_large += 1,
                }
                self.stop(now, key, reason);
            }
        }
    }

    /// Stops partitions whose missing block can no longer come.
    fn find_holes(&mut self, now: Duration) {
        let Some(connection) = &self.connection else { return };
        let contiguous = connection.arrivals.contiguous();
        let mut broken = Vec::new();
        self.waiting.retain(|key| {
            let subscription = self.partitions.get(key).and_then(|partition| partition.subscription.as_ref());
            let Some(subscription) = subscription else { return false };
            broken.extend(subscription.chain.hole(contiguous).map(|hole| (*key, hole)));
            subscription.chain.is_waiting()
        });
        for (key, (expected, found)) in broken {
            self.counters.refused.broken_chain += 1;
            self.stop(now, key, StopReason::BrokenChain { expected, found });
        }
    }

    /// Does what the partition's state asks for: applies what is in order, or advances the log start.
    pub(super) fn follow(&mut self, now: Duration, key: PartitionKey) {
        self.advance_start(key);
        if self.applying.contains(&key) {
            return;
        }
        let Some(partition) = self.partitions.get_mut(&key) else { return };
        let applied_end = partition.applied_end;
        let Some(subscription) = &mut partition.subscription else { return };
        let flows = matches!(subscription.stage, Stage::Flowing { .. });
        let waits = subscription.retry.is_some_and(|retry| !retry.trying);
        if !flows || waits || subscription.queued || subscription.chain.ready().is_empty() {
            return;
        }
        if let Some(found) = gap(subscription.chain.ready().front(), subscription.compacted) {
            self.counters.refused.gaps += 1;
            return self.stop(now, key, StopReason::UnexpectedGap { expected: applied_end, found });
        }
        subscription.queued = true;
        self.ready.push_back(key);
    }

    /// Called after every event: all applies that there is room for are under way then.
    pub(super) fn apply_ready(&mut self) {
        while self.applies.is_empty() || self.unpacked_under_way < self.settings.applies_bytes_max {
            let Some(key) = self.ready.pop_front() else { break };
            self.apply(key);
        }
    }

    fn apply(&mut self, key: PartitionKey) {
        let (apply_bytes_max, batch_bytes_max) =
            (self.settings.apply_bytes_max, self.settings.batch_bytes_max);
        let Some(partition) = self.partitions.get_mut(&key) else { return };
        let Some(subscription) = &mut partition.subscription else { return };
        subscription.queued = false;
        let mut blocks = Vec::new();
        let mut unpacked_bytes = 0;
        for link in subscription.chain.ready() {
            let fits = unpacked_bytes + link.unpacked_bytes <= apply_bytes_max;
            // A gap that may not be is found when its turn comes: what is before it is applied first.
            let joins = fits && gap(Some(link), subscription.compacted).is_none();
            if !blocks.is_empty() && !joins {
                break;
            }
            unpacked_bytes += link.unpacked_bytes;
            blocks.extend(link.blocks().cloned());
        }
        let gaps = if subscription.compacted { Gaps::Allowed } else { Gaps::Refused };
        let rules = UnpackRules { from: partition.applied_end, gaps, batch_bytes_max };
        let apply = ApplyId(self.next_apply);
        self.next_apply += 1;
        self.unpacked_under_way += unpacked_bytes;
        self.counters.applies += 1;
        self.applies.insert(apply, Applying { key, unpacked_bytes });
        self.applying.insert(key);
        let (mode, generation) = (partition.mode, partition.generation);
        self.commands.push_back(Command::Apply(Apply { apply, key, mode, generation, blocks, rules }));
    }

    pub(super) fn handle_applied(
        &mut self,
        now: Duration,
        apply: ApplyId,
        end: Offset,
        result: Result<(), ApplyFailure>,
    ) {
        let Some(Applying { key, unpacked_bytes }) = self.applies.remove(&apply) else { return };
        self.unpacked_under_way -= unpacked_bytes;
        self.applying.remove(&key);
        self.touched.insert(key);
        let Some(partition) = self.partitions.get_mut(&key) else { return };
        partition.applied_end = partition.applied_end.max(end);
        let Some(subscription) = &mut partition.subscription else {
            // The connection was lost, or the home moved, meanwhile.
            return match result {
                Err(ApplyFailure::Stop(reason)) if partition.stopped.is_none() => self.stop(now, key, reason),
                _ => self.begin(key),
            };
        };
        if result.is_ok() {
            subscription.retry = None;
        }
        let bytes = subscription.chain.take_applied(partition.applied_end);
        if result.is_ok() {
            self.counters.unpacked_bytes += unpacked_bytes as u64;
        }
        self.consume(now, bytes);
        match result {
            Ok(()) => self.follow(now, key),
            Err(ApplyFailure::Wait(why)) => self.retry_later(now, key, why),
            Err(ApplyFailure::Stop(reason)) => {
                match reason {
                    StopReason::UnexpectedGap { .. } => self.counters.refused.gaps += 1,
                    StopReason::BadBlock { .. } => self.counters.refused.bad += 1,
                    _ => {}
                }
                self.stop(now, key, reason);
            }
        }
    }

    pub(super) fn handle_durable(&mut self, now: Duration, key: PartitionKey, end: Offset) {
        let due = now + self.settings.ack_delay;
        let Some(partition) = self.partitions.get_mut(&key) else { return };
        let grew = end > partition.durable_end;
        partition.note_durable(end);
        if grew && let Some(subscription) = &partition.subscription {
            self.outbox.ack(subscription.handle, due);
        }
        self.advance_start(key);
    }

    /// Bytes that were applied or dropped may be sent anew.
    pub(super) fn consume(&mut self, now: Duration, bytes: u64) {
        if bytes == 0 {
            return;
        }
        if let Some(connection) = &mut self.connection {
            connection.credit.consume(bytes);
            self.outbox.delay(now + self.settings.ack_delay);
        }
    }
}

/// Why a block is not taken.
enum Refusal {
    Foreign,
    Stop(StopReason),
}

fn check_header(partition: &Partition, header: &BlockHeader, batch_bytes_max: usize) -> Result<(), Refusal> {
    let key = PartitionKey { topic_id: header.topic_id, partition: header.partition };
    if key != partition.key {
        return Err(Refusal::Foreign);
    }
    let (given, known) = (header.generation, partition.generation);
    if given != known {
        // One of the two sides is behind, and must hear of the new home first.
        let (given, known) = (given.min(known), given.max(known));
        return Err(Refusal::Stop(StopReason::LowerGeneration { given, known }));
    }
    let bytes = header.whole_bytes as usize;
    if header.is_fragment() && bytes > batch_bytes_max {
        let (offset, bytes, limit) = (header.first_offset, bytes as u64, batch_bytes_max as u64);
        return Err(Refusal::Stop(StopReason::BatchTooLarge { offset, bytes, limit }));
    }
    Ok(())
}

/// Where the records go on after offsets that should not be missing.
fn gap(link: Option<&Link>, compacted: bool) -> Option<Offset> {
    let link = link?;
    (!compacted && link.first_offset > link.previous_end).then_some(link.first_offset)
}
