//! The driver of one group: waits for a request, a finished write or a deadline, lets the core decide, does what it says.

use std::{collections::HashMap, future, sync::Arc, time::Duration};

use protocol::GroupId;
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    core::{Answer, Command, Event, Group, Ticket},
    limits,
    registry::{Call, Registry},
    write_queue::{Finished, WriteQueue},
};
use crate::record_log::RecordLog;

pub(super) struct Actor {
    number: u64,
    id: GroupId,
    group: Group,
    log: Arc<dyn RecordLog>,
    writes: WriteQueue,
    calls: mpsc::Receiver<Call>,
    waiting: HashMap<Ticket, oneshot::Sender<Answer>>,
    tickets: u64,
    closing: watch::Receiver<bool>,
    registry: Arc<Registry>,
}

enum Wake {
    Written(Finished),
    Deadline,
    Call(Call),
    Closing,
}

impl Actor {
    pub(super) fn new(
        number: u64,
        id: GroupId,
        group: Group,
        log: Arc<dyn RecordLog>,
        calls: mpsc::Receiver<Call>,
        closing: watch::Receiver<bool>,
        registry: Arc<Registry>,
    ) -> Self {
        let writes = WriteQueue::new(log.clone());
        let waiting = HashMap::new();
        Self { number, id, group, log, writes, calls, waiting, tickets: 0, closing, registry }
    }

    pub(super) async fn run(mut self, wishes: Vec<Command>) {
        self.carry_out(wishes);
        loop {
            match self.wake().await {
                Wake::Written(finished) => self.on_written(finished),
                Wake::Deadline => self.on_deadline(),
                Wake::Call(call) => self.on_call(call),
                Wake::Closing => return self.close().await,
            }
            if self.group.is_blank() && self.registry.retire(&self.id, self.number, &self.calls) {
                return self.pass_on_late_calls().await;
            }
        }
    }

    async fn wake(&mut self) -> Wake {
        let until_deadline = self.until_deadline();
        tokio::select! {
            biased;
            finished = self.writes.finished() => Wake::Written(finished),
            _ = self.closing.wait_for(|closing| *closing) => Wake::Closing,
            () = sleep(until_deadline) => Wake::Deadline,
            Some(call) = self.calls.recv(), if self.writes.has_room() => Wake::Call(call),
        }
    }

    fn until_deadline(&self) -> Option<Duration> {
        let deadline = self.group.next_deadline()?;
        Some(deadline.saturating_sub(self.registry.clock.monotonic()))
    }

    /// Heartbeats that already wait here count before anybody is found silent.
    fn on_deadline(&mut self) {
        for _ in 0..limits::INBOX_MAX {
            let Ok(call) = self.calls.try_recv() else { break };
            self.on_call(call);
        }
        self.handle(Event::DeadlinePassed);
    }

    /// The gate is asked here, in the order in which the group decides: what comes after [`Request::SettledOffsets`] was asked
    /// behind a shut gate is refused, however long ago it was let in.
    fn on_call(&mut self, call: Call) {
        let refusal = self.registry.refusal(&self.id).and_then(|error| call.request.refusal(error));
        if let Some(refusal) = refusal {
            let _ = call.answer.send(refusal);
            return;
        }
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.waiting.insert(ticket, call.answer);
        self.handle(Event::Request(ticket, call.request));
    }

    fn on_written(&mut self, finished: Finished) {
        if let Err(error) = &finished.result {
            tracing::warn!(group = %self.id, %error, "group records could not be stored");
        }
        for write in finished.writes {
            self.handle(Event::Written(write, finished.result.clone()));
        }
    }

    fn handle(&mut self, event: Event) {
        let before = (self.group.state(), self.group.generation());
        let mut wishes = Vec::new();
        self.group.handle(self.registry.now(), event, &mut wishes);
        let after = (self.group.state(), self.group.generation());
        if before != after {
            let members = self.group.member_count();
            tracing::info!(
                group = %self.id, from = before.0.name(), to = after.0.name(), generation = %after.1, members,
                "group changed state"
            );
        }
        self.carry_out(wishes);
    }

    fn carry_out(&mut self, wishes: Vec<Command>) {
        for wish in wishes {
            match wish {
                Command::Answer(ticket, answer) => {
                    // Whoever asked may be gone: a closed connection does not cancel what it asked for.
                    if let Some(waiting) = self.waiting.remove(&ticket) {
                        let _ = waiting.send(answer);
                    }
                }
                Command::Write(write, records) => self.writes.push(write, records),
                Command::Announce(events) => {
                    for event in events {
                        // An error only says that nobody follows the groups.
                        let _ = self.registry.events.send(event);
                    }
                }
            }
        }
    }

    /// Finishes what is being written; whoever else waits hears that the coordinator is gone.
    async fn close(mut self) {
        while !self.writes.is_empty() {
            let finished = self.writes.finished().await;
            self.on_written(finished);
        }
    }

    /// Calls that came in after the address was taken out go to the group's next actor.
    async fn pass_on_late_calls(mut self) {
        self.calls.close();
        while let Some(call) = self.calls.recv().await {
            // Whoever asked hears that nobody answers, and asks again.
            let _ = self.registry.send(&self.id, &self.log, call).await;
        }
    }
}

async fn sleep(until_deadline: Option<Duration>) {
    match until_deadline {
        Some(wait) => tokio::time::sleep(wait).await,
        None => future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use protocol::{ErrorCode, GenerationId, MemberId};
    use tokio::time::Instant;

    use super::*;
    use crate::{
        coordinator::group::{
            core::{Heartbeat, Identity, LoadedGroup, Request, Rules},
            records::{GroupMetadata, StoredMember},
            tests::{MemoryTopic, TokioClock, rules},
        },
        gate::OpenGate,
    };

    fn one_member(rules: Arc<Rules>, registry: &Registry) -> Group {
        let member = StoredMember {
            member_id: MemberId::from("a"),
            instance_id: None,
            client_id: "c".into(),
            client_host: "/h".into(),
            rebalance_timeout_ms: 60_000,
            session_timeout_ms: 10_000,
            subscription: bytes::Bytes::new(),
            assignment: bytes::Bytes::new(),
        };
        let metadata = GroupMetadata {
            protocol_type: "consumer".into(),
            generation: GenerationId(1),
            protocol: Some("range".into()),
            leader: None,
            state_since_ms: None,
            members: vec![member],
        };
        let loaded = LoadedGroup { metadata: Some(metadata), ..Default::default() };
        Group::loaded(GroupId::from("g"), rules, loaded, registry.now(), &mut Vec::new())
    }

    #[tokio::test(start_paused = true)]
    async fn a_heartbeat_that_waits_in_the_inbox_counts_before_the_deadline() {
        let rules = Arc::new(rules());
        let registry =
            Arc::new(Registry::new(Arc::new(TokioClock(Instant::now())), rules.clone(), Arc::new(OpenGate)));
        let group = one_member(rules, &registry);
        let (inbox, calls) = mpsc::channel(1);
        let (_open, closing) = watch::channel(false);
        let log = MemoryTopic::new(1).logs[0].clone();
        let mut actor = Actor::new(0, GroupId::from("g"), group, log, calls, closing, registry);

        let who = Identity { member_id: MemberId::from("a"), instance_id: None };
        let request = Request::Heartbeat(Heartbeat { who, generation: GenerationId(1) });
        let (answer, mut answered) = oneshot::channel();
        assert!(inbox.try_send(Call { request, answer }).is_ok());
        // The machine slept for longer than the session.
        tokio::time::advance(Duration::from_secs(11)).await;
        actor.on_deadline();
        assert!(matches!(answered.try_recv(), Ok(Answer::Heartbeat(ErrorCode::NONE))));
        assert_eq!(actor.group.member_count(), 1);
    }
}
