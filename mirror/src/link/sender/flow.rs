//! From the schedule over reads to blocks: what moves while there is room.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use super::{
    Class, Command, ReadBatches, ReadFailure, Sender, SourceEnds,
    budget::READ_BYTES,
    micros,
    schedule::QUANTUM_BYTES,
    subscription::Turn,
    units::{Cut, Unit},
};
use crate::{
    link::{
        BlockNumber, Handle, ReadId,
        block::{BlockHeader, Codec, HEADER_SIZE, OutgoingBlock},
        limits::BLOCK_BYTES_MAX,
    },
    stop::StopReason,
};

/// Priorities of live blocks start here and fall by one with each, those of back-fill start at 0: a block begun earlier
/// is finished earlier.
const LIVE_PRIORITY: i32 = 1 << 30;

/// What is under way.
#[derive(Debug, Default)]
pub(super) struct Flow {
    reads: BTreeMap<ReadId, Reading>,
    next_read: u64,
    blocks: BTreeMap<BlockNumber, InTransport>,
    next_number: u64,
    /// Batches larger than what their read was charged for, until the credit is there.
    awaiting_credit: VecDeque<Unit>,
    /// Charged, but for more than the transport takes at once.
    live: VecDeque<Unit>,
    backfill: VecDeque<Unit>,
    live_begun: i32,
    backfill_begun: i32,
    /// Partitions that hold too much of the credit.
    pub(super) held: BTreeSet<Handle>,
}

#[derive(Debug)]
struct Reading {
    handle: Handle,
    class: Class,
}

#[derive(Debug)]
struct InTransport {
    handle: Handle,
    bytes: u64,
}

impl Flow {
    /// Drops what was not sent of a subscription; answers what credit that was charged. The fragments of a batch that
    /// did go are dropped by the receiver, with the subscription.
    pub(super) fn forget(&mut self, handle: Handle) -> u64 {
        self.awaiting_credit.retain(|unit| unit.handle != handle);
        self.held.remove(&handle);
        let mut refund = 0;
        for queue in [&mut self.live, &mut self.backfill] {
            queue.retain(|unit| {
                let drops = unit.handle == handle;
                if drops {
                    let sent = usize::from(unit.fragments_sent);
                    let begun = (sent * (BLOCK_BYTES_MAX + HEADER_SIZE)) as u64;
                    refund += unit.wire_bytes().saturating_sub(begun);
                }
                !drops
            });
        }
        refund
    }
}

impl Sender {
    /// Puts a partition that has records into the schedule, if it is not under way there already.
    pub(super) fn queue(&mut self, handle: Handle) {
        let live_bytes_max = self.settings.live_bytes_max;
        let Some(open) = self.open_mut(handle) else { return };
        if matches!(open.turn, Turn::Queued | Turn::Reading(_)) {
            return;
        }
        if !open.has_more() {
            open.turn = Turn::Idle;
            open.deficit = 0;
            open.sent_behind = 0;
            return;
        }
        open.turn = Turn::Queued;
        open.class = if open.sent_behind <= live_bytes_max { Class::Live } else { Class::Backfill };
        let (class, goes_on) = (open.class, open.deficit > 0);
        if goes_on {
            self.schedule.push_front(class, handle);
        } else {
            self.schedule.push_back(class, handle);
        }
    }

    /// Called after every event: all that there is room for is under way then.
    pub(super) fn send_and_read(&mut self, now: Duration) {
        self.charge_waiting();
        self.send_units(now);
        while self.flow.awaiting_credit.is_empty() && !self.closed {
            let live_room = self.budget.has_room(READ_BYTES);
            // Back-fill leaves room for a live block at any time.
            let backfill_room = self.budget.has_room(2 * READ_BYTES);
            let Some((class, handle)) = self.schedule.take(live_room, backfill_room) else { break };
            self.read(class, handle);
        }
    }

    fn read(&mut self, class: Class, handle: Handle) {
        let credit_room = self.budget.credit_room();
        let weight = self.weight(handle);
        let read = ReadId(self.flow.next_read);
        let Some(open) = self.open_mut(handle) else { return };
        if open.holds_too_much(credit_room) {
            open.turn = Turn::Held;
            self.flow.held.insert(handle);
            return;
        }
        if open.deficit <= 0 {
            open.deficit += QUANTUM_BYTES * i64::from(weight);
        }
        open.turn = Turn::Reading(read);
        let (from, until) = (open.position, open.ends.end);
        self.flow.next_read += 1;
        self.flow.reads.insert(read, Reading { handle, class });
        self.budget.charge_credit(READ_BYTES);
        self.budget.charge_transport(READ_BYTES);
        self.commands.push_back(Command::Read { read, handle, from, until, bytes_max: BLOCK_BYTES_MAX });
    }

    fn weight(&self, handle: Handle) -> u32 {
        let subscription = self.subscriptions.get(&handle);
        subscription
            .and_then(|subscription| self.weights.get(&subscription.asked.topic_id))
            .copied()
            .unwrap_or(1)
    }

    pub(super) fn handle_read(
        &mut self,
        now: Duration,
        read: ReadId,
        result: Result<ReadBatches, ReadFailure>,
    ) {
        let Some(Reading { handle, class }) = self.flow.reads.remove(&read) else { return };
        self.budget.refund_credit(READ_BYTES);
        self.budget.release_transport(READ_BYTES);
        let batch_bytes_max = self.settings.batch_bytes_max;
        let Some(open) = self.open_mut(handle) else { return };
        open.turn = Turn::Idle;
        let (position, until, compacted) = (open.position, open.ends.end, open.compacted);
        let pieces = match result {
            Ok(ReadBatches { pieces }) => pieces,
            Err(failure) => return self.refuse(handle, read_stop(failure, position)),
        };
        if pieces.iter().all(bytes::Bytes::is_empty) {
            // A gap at the end of a compacted log: there is nothing until the log grows.
            return;
        }
        let cut = Cut { handle, class, position, until, compacted, batch_bytes_max };
        let (units, stop) = cut.units(pieces);
        for unit in units {
            if let Some(open) = self.open_mut(handle) {
                open.deficit -= i64::try_from(unit.bytes).unwrap_or(i64::MAX);
            }
            self.admit(now, unit);
        }
        match stop {
            Some(reason) => self.refuse(handle, reason),
            None => self.queue(handle),
        }
    }

    /// Charges a unit if its credit is there; what is small was charged when it was read.
    fn admit(&mut self, now: Duration, unit: Unit) {
        let bytes = unit.wire_bytes();
        if self.open_mut(unit.handle).is_none() {
            return; // An earlier batch of the same read ended the subscription.
        }
        if bytes > self.budget.credit_window() {
            let limit = self.budget.credit_window();
            let reason =
                StopReason::BatchTooLarge { offset: unit.first_offset, bytes: unit.bytes as u64, limit };
            return self.refuse(unit.handle, reason);
        }
        let position = unit.last_offset.plus(1);
        if let Some(open) = self.open_mut(unit.handle) {
            open.position = position;
        }
        self.flow.awaiting_credit.push_back(unit);
        self.charge_waiting();
        self.send_units(now);
    }

    fn charge_waiting(&mut self) {
        while let Some(unit) = self.flow.awaiting_credit.front()
            && self.budget.credit_room() >= unit.wire_bytes()
            && let Some(unit) = self.flow.awaiting_credit.pop_front()
        {
            self.budget.charge_credit(unit.wire_bytes());
            match unit.class {
                Class::Live => self.flow.live.push_back(unit),
                Class::Backfill => self.flow.backfill.push_back(unit),
            }
        }
    }

    fn send_units(&mut self, now: Duration) {
        for class in [Class::Live, Class::Backfill] {
            while let Some(mut unit) = self.next_unit(class) {
                let payload = unit.next_payload();
                let bytes = payload.iter().map(bytes::Bytes::len).sum::<usize>();
                let wire_bytes = (HEADER_SIZE + bytes) as u64;
                if !self.budget.transport_takes(wire_bytes) {
                    self.units(class).push_front(unit);
                    break;
                }
                self.budget.charge_transport(wire_bytes);
                self.send_block(now, &unit, payload, bytes);
                unit.fragments_sent += 1;
                if unit.fragments_sent < unit.fragment_count() {
                    self.units(class).push_front(unit);
                }
            }
        }
    }

    fn next_unit(&mut self, class: Class) -> Option<Unit> {
        self.units(class).pop_front()
    }

    fn units(&mut self, class: Class) -> &mut VecDeque<Unit> {
        match class {
            Class::Live => &mut self.flow.live,
            Class::Backfill => &mut self.flow.backfill,
        }
    }

    fn send_block(&mut self, now: Duration, unit: &Unit, pieces: Vec<bytes::Bytes>, bytes: usize) {
        let number = BlockNumber(self.flow.next_number);
        let Some(subscription) = self.subscriptions.get_mut(&unit.handle) else { return };
        let Some(open) = &mut subscription.open else { return };
        let wire_bytes = (HEADER_SIZE + bytes) as u64;
        let header = BlockHeader {
            codec: Codec::Plain,
            fragment_index: unit.fragments_sent,
            fragment_count: unit.fragment_count(),
            handle: unit.handle,
            number,
            topic_id: subscription.asked.topic_id,
            partition: subscription.asked.partition,
            leader_epoch: unit.leader_epoch,
            generation: subscription.asked.generation,
            previous_end: unit.previous_end,
            first_offset: unit.first_offset,
            last_offset: unit.last_offset,
            source_end: open.ends.end,
            source_clock: micros(now),
            wire_bytes: bytes as u32, // At most a block.
            unpacked_bytes: bytes as u32,
            whole_bytes: if unit.fragment_count() > 1 { unit.bytes } else { bytes } as u32,
        };
        open.note_sent(number, unit.last_offset.plus(1), wire_bytes);
        open.note_told(SourceEnds { end: open.ends.end, ..open.told });
        let priority = match unit.class {
            Class::Live => {
                self.flow.live_begun = self.flow.live_begun.saturating_add(1);
                LIVE_PRIORITY.saturating_sub(self.flow.live_begun)
            }
            Class::Backfill => {
                self.flow.backfill_begun = self.flow.backfill_begun.saturating_add(1);
                0_i32.saturating_sub(self.flow.backfill_begun)
            }
        };
        self.flow.next_number += 1;
        self.flow.blocks.insert(number, InTransport { handle: unit.handle, bytes: wire_bytes });
        let compressible = unit.compressible;
        self.commands.push_back(Command::Send(OutgoingBlock { header, pieces, compressible, priority }));
    }

    pub(super) fn handle_packed(&mut self, number: BlockNumber, wire_bytes: u64) {
        let Some(block) = self.flow.blocks.get_mut(&number) else { return };
        let refund = block.bytes.saturating_sub(wire_bytes);
        block.bytes -= refund;
        let handle = block.handle;
        self.budget.refund_credit(refund);
        self.budget.release_transport(refund);
        if let Some(open) = self.open_mut(handle) {
            open.note_packed(number, refund);
        }
    }

    pub(super) fn handle_finished(&mut self, number: BlockNumber) {
        if let Some(block) = self.flow.blocks.remove(&number) {
            self.budget.release_transport(block.bytes);
        }
    }
}

fn read_stop(failure: ReadFailure, position: protocol::Offset) -> StopReason {
    match failure {
        ReadFailure::OutOfRange { log_start, .. } if log_start > position => {
            StopReason::SourceTrimmed { from: position, until: log_start }
        }
        ReadFailure::OutOfRange { log_end, .. } => {
            StopReason::SourceRewound { position, source_end: log_end }
        }
        ReadFailure::Damaged { what } => StopReason::SourceDamaged { offset: position, what },
        ReadFailure::Offline { what } => StopReason::SourceOffline { what },
        ReadFailure::Gone => StopReason::TopicGone,
    }
}
