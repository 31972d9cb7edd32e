//! The groups that have an actor, and how to reach it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use core_log::clock::Clock;
use dashmap::{DashMap, Entry};
use protocol::{ErrorCode, GroupId};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::{
    actor::Actor,
    core::{Answer, Command, Group, GroupEvent, Now, Request, Rules},
    limits,
};
use crate::{
    gate::{Gate, GroupGate},
    record_log::RecordLog,
};

/// A request on its way to a group's actor.
pub(super) struct Call {
    pub(super) request: Request,
    pub(super) answer: oneshot::Sender<Answer>,
}

/// What every actor shares.
pub(super) struct Registry {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) rules: Arc<Rules>,
    pub(super) gate: Arc<dyn Gate>,
    pub(super) events: broadcast::Sender<GroupEvent>,
    actors: DashMap<GroupId, Address>,
    actors_made: AtomicU64,
    closing: watch::Sender<bool>,
}

/// The group's actor ended by a fault of ours.
#[derive(Debug)]
pub(super) struct Crashed;

#[derive(Clone)]
struct Address {
    actor: u64,
    inbox: mpsc::Sender<Call>,
}

impl Registry {
    pub(super) fn new(clock: Arc<dyn Clock>, rules: Arc<Rules>, gate: Arc<dyn Gate>) -> Self {
        Self {
            clock,
            rules,
            gate,
            events: broadcast::Sender::new(limits::EVENTS_MAX),
            actors: DashMap::new(),
            actors_made: AtomicU64::new(0),
            closing: watch::Sender::new(false),
        }
    }

    pub(super) fn now(&self) -> Now {
        Now { monotonic: self.clock.monotonic(), wall_ms: self.clock.wall_ms() }
    }

    /// Why nobody but the broker itself may change the group now.
    pub(super) fn refusal(&self, group: &GroupId) -> Option<ErrorCode> {
        match self.gate.group(group.as_str()) {
            GroupGate::Open => None,
            GroupGate::Fenced => Some(ErrorCode::NOT_COORDINATOR),
        }
    }

    pub(super) fn contains(&self, group: &GroupId) -> bool {
        self.actors.contains_key(group)
    }

    pub(super) fn ids(&self) -> Vec<GroupId> {
        self.actors.iter().map(|entry| entry.key().clone()).collect()
    }

    pub(super) fn is_closing(&self) -> bool {
        *self.closing.borrow()
    }

    /// Hands the call to the group's actor, which is made if there is none.
    pub(super) async fn send(
        self: &Arc<Self>,
        group: &GroupId,
        log: &Arc<dyn RecordLog>,
        mut call: Call,
    ) -> Result<(), Crashed> {
        loop {
            let Address { actor, inbox } = self.address(group, log);
            match inbox.send(call).await {
                Ok(()) => return Ok(()),
                Err(mpsc::error::SendError(returned)) => call = returned,
            }
            // The actor retired between look-up and sending, and the next look-up makes another. Or it is gone without
            // having retired: what it knew must be read from the log again.
            if self.is_closing() || self.actors.get(group).is_some_and(|found| found.actor == actor) {
                return Err(Crashed);
            }
        }
    }

    /// Makes the actor of a group that was loaded. When its partition is loaded `again`, only a crashed one is replaced.
    pub(super) fn adopt(
        self: &Arc<Self>,
        id: GroupId,
        group: Group,
        wishes: Vec<Command>,
        log: &Arc<dyn RecordLog>,
        again: bool,
    ) {
        match self.actors.entry(id.clone()) {
            Entry::Vacant(vacant) if !again => {
                vacant.insert(self.spawn(id, group, wishes, log));
            }
            Entry::Occupied(mut occupied) if occupied.get().inbox.is_closed() => {
                occupied.insert(self.spawn(id, group, wishes, log));
            }
            Entry::Vacant(_) | Entry::Occupied(_) => {}
        }
    }

    /// Forgets crashed actors among the groups that `is_meant`: the log knew nothing of them.
    pub(super) fn forget_crashed(&self, is_meant: impl Fn(&GroupId) -> bool) {
        self.actors.retain(|id, address| !(address.inbox.is_closed() && is_meant(id)));
    }

    /// Takes an actor's address out, unless a call has come in meanwhile.
    pub(super) fn retire(&self, group: &GroupId, actor: u64, inbox: &mpsc::Receiver<Call>) -> bool {
        self.actors.remove_if(group, |_, address| address.actor == actor && inbox.is_empty()).is_some()
    }

    /// Tells every actor to finish what is being written, and waits until they have.
    pub(super) async fn close(&self) {
        self.closing.send_replace(true);
        self.actors.clear();
        self.closing.closed().await;
    }

    fn address(self: &Arc<Self>, group: &GroupId, log: &Arc<dyn RecordLog>) -> Address {
        if let Some(address) = self.actors.get(group) {
            return address.clone();
        }
        let id = group.detached();
        let entry = self.actors.entry(id.clone());
        let address = entry.or_insert_with(|| {
            let group = Group::new(id.clone(), self.rules.clone());
            self.spawn(id, group, Vec::new(), log)
        });
        address.clone()
    }

    fn spawn(
        self: &Arc<Self>,
        id: GroupId,
        group: Group,
        wishes: Vec<Command>,
        log: &Arc<dyn RecordLog>,
    ) -> Address {
        let actor = self.actors_made.fetch_add(1, Ordering::Relaxed);
        let (inbox, calls) = mpsc::channel(limits::INBOX_MAX);
        let closing = self.closing.subscribe();
        let made = Actor::new(actor, id, group, log.clone(), calls, closing, self.clone());
        tokio::spawn(made.run(wishes));
        Address { actor, inbox }
    }
}

#[cfg(test)]
impl Registry {
    pub(super) fn crash(&self, group: &GroupId) {
        let (inbox, _) = mpsc::channel(1);
        if let Some(mut address) = self.actors.get_mut(group) {
            address.inbox = inbox;
        }
    }
}
