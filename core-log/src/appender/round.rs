//! One round: appends of many tickets, sorted by log, written, synced, answered.

use std::{collections::HashMap, sync::Arc};

use tokio::sync::oneshot;

use crate::{
    Ack, Append, AppendError,
    append::Outcome,
    flush::Flusher,
    journal::{Entry, Journal},
    log::Log,
    writer::{self, Item, Slot},
};

#[derive(Default)]
pub(super) struct Round {
    tickets: Vec<Pending>,
    groups: Vec<Group>,
    /// Where a log's group is.
    by_log: HashMap<u64, usize>,
    bytes: usize,
}

/// A ticket that is not answered yet.
struct Pending {
    ack: Ack,
    outcomes: Vec<Option<Outcome>>,
    answer: Option<oneshot::Sender<Vec<Outcome>>>,
}

/// What the round brings for one log.
struct Group {
    log: Arc<Log>,
    items: Vec<Item>,
    slots: Vec<Slot>,
}

impl Round {
    pub(super) fn add(&mut self, appends: Vec<Append>, ack: Ack, answer: oneshot::Sender<Vec<Outcome>>) {
        let ticket = self.tickets.len();
        self.tickets.push(Pending { ack, outcomes: vec![None; appends.len()], answer: Some(answer) });
        for (part, append) in appends.into_iter().enumerate() {
            let slot = Slot { ticket, part };
            self.bytes += append.batch.len();
            let groups = &mut self.groups;
            let at = *self.by_log.entry(append.log.key).or_insert_with(|| {
                groups.push(Group { log: Arc::clone(&append.log), items: Vec::new(), slots: Vec::new() });
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(at) {
                group.slots.push(slot);
                group.items.push(Item { slot, batch: append.batch, place: append.place });
            }
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the logs that were appended to.
    pub(super) fn run(mut self, now_ms: i64, journal: &mut Journal, flusher: &mut Flusher) -> Vec<Arc<Log>> {
        self.write(now_ms);
        self.answer(Ack::Written);
        self.sync(journal, flusher);
        self.answer(Ack::Synced);
        self.groups.into_iter().map(|group| group.log).collect()
    }

    fn write(&mut self, now_ms: i64) {
        for group in &mut self.groups {
            let items = std::mem::take(&mut group.items);
            let outcomes = writer::append(&group.log, &mut group.log.writer.lock(), items, now_ms);
            for (slot, outcome) in outcomes {
                let place =
                    self.tickets.get_mut(slot.ticket).and_then(|ticket| ticket.outcomes.get_mut(slot.part));
                if let Some(place) = place {
                    *place = Some(outcome);
                }
            }
        }
    }

    /// By one sync of the journal, where that is less than the logs' own.
    fn sync(&mut self, journal: &mut Journal, flusher: &mut Flusher) {
        if self.is_for_the_journal() {
            let entries = self.take_entries();
            let written = journal.write(&entries, flusher).is_ok();
            for entry in &entries {
                let mut writer = entry.log.writer.lock();
                match written {
                    true => writer::journaled(entry.log, &mut writer),
                    false => writer.dirty.waits(None),
                }
            }
        }
        self.sync_logs();
    }

    /// The journal spares syncs now and writes all bytes twice. A sync costs about what writing so many bytes does.
    fn is_for_the_journal(&self) -> bool {
        const BYTES_PER_SYNC: usize = 128 * 1024;
        const SYNCS_MIN: usize = 3;
        let (mut syncs, mut bytes) = (0, 0);
        for group in self.groups.iter().filter(|group| group.log.config().sync) {
            let writer = group.log.writer.lock();
            if writer.dirty.can_be_journaled() {
                syncs += writer.dirty.syncs();
                bytes += writer.dirty.piece_bytes();
            }
        }
        syncs >= SYNCS_MIN && bytes <= syncs * BYTES_PER_SYNC
    }

    fn take_entries(&self) -> Vec<Entry<'_>> {
        let due = self.groups.iter().filter(|group| group.log.config().sync).filter_map(|group| {
            let mut writer = group.log.writer.lock();
            let pieces = writer.dirty.can_be_journaled().then(|| writer.dirty.take_pieces())?;
            Some(Entry { log: &group.log, pieces })
        });
        due.collect()
    }

    /// What is durable nowhere yet.
    fn sync_logs(&mut self) {
        for group in &self.groups {
            let mut writer = group.log.writer.lock();
            // A duplicate's original may have been written without a sync: then it is due now.
            let ends = group.log.ends();
            let is_durable = ends.durable_end == ends.log_end && !writer.dirty.has_batches();
            if !group.log.config().sync || is_durable {
                continue;
            }
            let Err(reason) = writer::sync(&group.log, &mut writer) else { continue };
            for slot in &group.slots {
                let place =
                    self.tickets.get_mut(slot.ticket).and_then(|ticket| ticket.outcomes.get_mut(slot.part));
                if let Some(outcome @ Some(Ok(_))) = place {
                    *outcome = Some(Err(AppendError::Offline(Arc::clone(&reason))));
                }
            }
        }
    }

    fn answer(&mut self, ack: Ack) {
        for ticket in self.tickets.iter_mut().filter(|ticket| ticket.ack == ack) {
            let outcomes = std::mem::take(&mut ticket.outcomes);
            let outcomes = outcomes.into_iter().map(|outcome| outcome.unwrap_or(Err(AppendError::Closed)));
            if let Some(answer) = ticket.answer.take() {
                // Nobody may be waiting any more.
                let _ = answer.send(outcomes.collect());
            }
        }
    }
}
