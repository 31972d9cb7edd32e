//! Hearing of a home: a higher generation is adopted at once, whatever was being done; a lower one is answered.

use std::{collections::HashMap, mem};

use protocol::{Offset, PartitionId, TopicId, TopicName};

use super::{Unit, Work};
use crate::ownership::{
    generation::HomeGeneration,
    members::Datacenter,
    message::Message,
    positions::PartitionEnd,
    record::{Divergence, Fencing, OrphanedTail, State, StateName},
    report::{Outcome, StopReason},
};

/// A home, as somebody told it.
pub(super) struct Heard {
    generation: HomeGeneration,
    home: Datacenter,
    /// With where it started, if that was told too.
    start: Option<(HomeGeneration, Vec<PartitionEnd>)>,
}

impl Unit {
    pub(super) fn on_state(
        &mut self,
        from: &Datacenter,
        generation: HomeGeneration,
        home: Datacenter,
        state: StateName,
    ) {
        let heard = Heard { generation, home, start: None };
        if self.overrules(&heard) {
            self.adopt(from, heard);
        } else if generation < self.record.generation || heard.home != self.record.home {
            self.tell_home(from);
        } else {
            self.on_same_home(from, state);
        }
    }

    pub(super) fn on_promoted(
        &mut self,
        from: &Datacenter,
        generation: HomeGeneration,
        previous: HomeGeneration,
        home: Datacenter,
        starts: Vec<PartitionEnd>,
    ) {
        let heard = Heard { generation, home, start: Some((previous, starts)) };
        if self.overrules(&heard) {
            self.adopt(from, heard);
        } else if generation == self.record.generation && heard.home == self.record.home {
            self.fill_in(heard);
        } else {
            self.tell_home(from);
        }
    }

    fn on_same_home(&mut self, from: &Datacenter, state: StateName) {
        // It may not know where the home started.
        if state == StateName::Fencing && self.record.starts.is_some() {
            self.tell_home(from);
        }
        // One that is about to become the home is no witness that this one still is.
        if state != StateName::Promoting {
            self.confirm();
        }
    }

    /// Higher wins. Two homes of one generation cannot be, unless datacenters run with different member lists; then the
    /// one with the smaller name stays, everywhere.
    fn overrules(&self, heard: &Heard) -> bool {
        let same = heard.generation == self.record.generation;
        heard.generation > self.record.generation || (same && heard.home < self.record.home)
    }

    pub(super) fn tell_home(&mut self, to: &Datacenter) {
        let message = match &self.record.starts {
            Some(starts) => Message::Promoted {
                generation: self.record.generation,
                previous: self.record.previous,
                home: self.record.home.clone(),
                starts: starts.clone(),
            },
            None => self.state_message(),
        };
        self.send(to, message);
    }

    fn confirm(&mut self) {
        if self.record.state == State::Home && !self.confirmed {
            self.confirmed = true;
            self.publish();
        }
    }

    fn adopt(&mut self, from: &Datacenter, heard: Heard) {
        if heard.home == self.settings.here {
            // This datacenter was a home at a generation that its record does not know: the record is an old copy. What
            // that generation wrote may be gone with it, so it is not taken up again, and never used again.
            self.record.promised = self.record.promised.max(heard.generation);
            self.persist();
            return;
        }
        let before = (self.record.generation, self.record.starts.clone().unwrap_or_default());
        let reason = StopReason::Overtaken { home: heard.home.clone(), generation: heard.generation };
        let overtaken = match &self.record.state {
            State::Draining(_) => true,
            State::Promoting(promotion) => heard.generation > promotion.generation,
            _ => false,
        };
        if overtaken {
            self.give_up(reason);
        } else {
            self.end_opening(Outcome::Stopped { reason });
        }
        (self.record.generation, self.record.home) = (heard.generation, heard.home);
        (self.record.previous, self.record.starts) = match heard.start {
            Some((previous, starts)) => (previous, Some(starts)),
            None => (HomeGeneration::default(), None),
        };
        let was_home = matches!(&self.record.state, State::Home | State::Fencing(Fencing::Promised { .. }));
        if was_home {
            let (held, base) = before;
            self.record.state = State::Fencing(Fencing::Overruled { held, base });
        }
        self.persist();
        self.publish();
        // A home that restarted waits for somebody who confirms it.
        self.send(from, self.state_message());
        match &self.record.state {
            State::Fencing(_) if was_home => self.settle(),
            State::Fencing(_) => self.resolve_overruled(),
            _ => {}
        }
    }

    fn fill_in(&mut self, heard: Heard) {
        let Some((previous, starts)) = heard.start else { return };
        if self.record.starts.is_none() {
            (self.record.previous, self.record.starts) = (previous, Some(starts));
            self.persist();
        }
        self.resolve_overruled();
    }

    /// Both known, what is here and where the home started: then this is a standby, or diverged.
    pub(super) fn resolve_overruled(&mut self) {
        let State::Fencing(Fencing::Overruled { held, base }) = &self.record.state else { return };
        let ends = match mem::replace(&mut self.work, Work::Nothing) {
            Work::AwaitStarts { ends } => ends,
            Work::Nothing => return self.settle(),
            other => {
                self.work = other;
                return;
            }
        };
        let Some(starts) = &self.record.starts else {
            self.work = Work::AwaitStarts { ends };
            return;
        };
        let tails = tails(&ends, starts, *held, self.record.previous, base);
        let divergence = Divergence { held: *held, tails };
        self.record.state =
            if divergence.tails.is_empty() { State::Standby } else { State::Diverged(divergence) };
        self.persist();
        self.publish();
    }

    pub(super) fn on_tail_found(
        &mut self,
        topic: &TopicName,
        partition: PartitionId,
        common: Offset,
        end: Offset,
    ) {
        let tail = OrphanedTail {
            topic: topic.as_str().to_owned(),
            partition: partition.0,
            common: common.0,
            end: end.0,
        };
        if let State::Draining(_) = &self.record.state {
            let what = format!("{topic}-{partition} holds records that the old home does not have");
            self.give_up(StopReason::StepFailed { what });
        }
        match &mut self.record.state {
            State::Standby => {
                let held = self.record.previous;
                self.record.state = State::Diverged(Divergence { held, tails: vec![tail] });
            }
            State::Diverged(divergence) => {
                let same =
                    |known: &OrphanedTail| known.topic == tail.topic && known.partition == tail.partition;
                if divergence.tails.contains(&tail) {
                    return;
                }
                divergence.tails.retain(|known| !same(known));
                divergence.tails.push(tail);
            }
            _ => return,
        }
        self.persist();
        self.publish();
    }
}

/// What is here and not in the home's log, from which it started as `starts` says, following generation `previous`.
/// This datacenter wrote at generation `held`, from `base` on.
///
/// * `held == previous`: the new home had followed this one, so its log was a prefix of this one.
/// * `held > previous`: it had not heard of this one, so the logs are one only up to `base`.
/// * `held < previous`: there were other homes in between, whose starts are not known here. The link finds out: it
///   compares epochs before anything is mirrored, and says so as `TailFound`.
fn tails(
    ends: &[PartitionEnd],
    starts: &[PartitionEnd],
    held: HomeGeneration,
    previous: HomeGeneration,
    base: &[PartitionEnd],
) -> Vec<OrphanedTail> {
    if held < previous {
        return Vec::new();
    }
    let (starts, base) = (by_partition(starts), by_partition(base));
    let start_of = |list: &HashMap<_, Offset>, of: &PartitionEnd| {
        list.get(&(of.topic_id, of.partition)).copied().unwrap_or(Offset::ZERO)
    };
    let tail_of = |end: &PartitionEnd| {
        let start = start_of(&starts, end);
        let common = if held > previous { start.min(start_of(&base, end)) } else { start };
        (end.end > common).then(|| OrphanedTail {
            topic: end.topic.as_str().to_owned(),
            partition: end.partition.0,
            common: common.0,
            end: end.end.0,
        })
    };
    ends.iter().filter_map(tail_of).collect()
}

fn by_partition(ends: &[PartitionEnd]) -> HashMap<(TopicId, PartitionId), Offset> {
    ends.iter().map(|end| ((end.topic_id, end.partition), end.end)).collect()
}
