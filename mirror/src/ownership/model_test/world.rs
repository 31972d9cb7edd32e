//! Datacenters whose disks, connections and drivers can fail at any moment; one topic of one partition.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use protocol::{Offset, PartitionId, TopicId, TopicName};

use super::laws;
use crate::ownership::{
    Command, Datacenter, Event, Failover, FailoverRefusal, FailoverReport, Gate, Members, Message,
    PartitionEnd, PartitionReport, Settings, Survey, Ticket, Unit, UnitRecord, UnitView, WhenApart,
};

/// A fault planted into the world, which the laws have to notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bug {
    /// The store says that a record is durable, and it is not.
    SkipPersist,
    /// Messages overtake the record that they rest on.
    PersistLast,
    /// A new home that is asked whether it gave up says yes.
    UnfenceAfterPromote,
    /// An `Unfence` is taken for that of any attempt.
    AnyUnfence,
    /// Every standby takes "the next" generation.
    NextGenerationForAll,
    /// Gates are left open at a fence.
    GateStaysOpen,
}

pub(super) struct Node {
    pub(super) name: Datacenter,
    members: Members,
    when_apart: WhenApart,
    pub(super) disk: Option<String>,
    /// What `disk` says, parsed once.
    stored: Option<UnitRecord>,
    pub(super) log: Vec<u64>,
    pub(super) unit: Option<Unit>,
    pub(super) inbox: VecDeque<Event>,
    pub(super) queue: VecDeque<Command>,
    pub(super) asked: Vec<Command>,
    pub(super) view: Option<UnitView>,
    /// Generations that this datacenter has answered `Fenced` to.
    pub(super) promises: BTreeSet<u64>,
}

pub(super) struct World {
    pub(super) nodes: Vec<Node>,
    pub(super) network: Vec<(usize, usize, Message)>,
    pub(super) connected: BTreeSet<(usize, usize)>,
    pub(super) now: Duration,
    pub(super) bug: Option<Bug>,
    /// Which datacenter has ever been durably the home of a generation.
    pub(super) homes: BTreeMap<u64, Datacenter>,
    pub(super) written: u64,
    pub(super) unplanned: bool,
    pub(super) answers: Vec<Result<FailoverReport, FailoverRefusal>>,
    pub(super) broken: Option<String>,
}

impl Node {
    pub(super) fn record(&self) -> Option<&UnitRecord> {
        self.stored.as_ref()
    }

    pub(super) fn is_open(&self) -> bool {
        self.view.as_ref().is_some_and(|view| view.gate == Gate::Open)
    }

    pub(super) fn end(&self) -> Vec<PartitionEnd> {
        let end = Offset(i64::try_from(self.log.len()).unwrap());
        vec![PartitionEnd {
            topic: TopicName::from("orders"),
            topic_id: TopicId::ZERO,
            partition: PartitionId(0),
            end,
        }]
    }

    fn settings(&self) -> Settings {
        Settings::new("orders", self.name.clone(), self.members.clone(), self.when_apart)
    }
}

impl World {
    pub(super) fn new(names: &[&str], when_apart: WhenApart, bug: Option<Bug>) -> Self {
        let all: Vec<Datacenter> = names.iter().map(|name| Datacenter::from(*name)).collect();
        let members = |own: &Datacenter| match bug {
            Some(Bug::NextGenerationForAll) => {
                let mut standbys: Vec<_> = all.iter().skip(1).cloned().collect();
                standbys.sort_by_key(|name| name != own);
                Members::new(all[0].clone(), standbys)
            }
            _ => Members::new(all[0].clone(), all.iter().skip(1).cloned()),
        };
        let node = |name: &Datacenter| Node {
            name: name.clone(),
            members: members(name),
            when_apart,
            disk: None,
            stored: None,
            log: Vec::new(),
            unit: None,
            inbox: VecDeque::new(),
            queue: VecDeque::new(),
            asked: Vec::new(),
            view: None,
            promises: BTreeSet::new(),
        };
        let mut world = Self {
            nodes: all.iter().map(node).collect(),
            network: Vec::new(),
            connected: BTreeSet::new(),
            now: Duration::ZERO,
            bug,
            homes: BTreeMap::new(),
            written: 0,
            unplanned: false,
            answers: Vec::new(),
            broken: None,
        };
        for at in 0..world.nodes.len() {
            world.restart(at);
        }
        world
    }

    pub(super) fn restart(&mut self, at: usize) {
        let now = self.now;
        let node = &mut self.nodes[at];
        if node.unit.is_some() {
            return;
        }
        let mut unit = Unit::open(node.settings(), node.disk.as_deref()).unwrap();
        let mut out = Vec::new();
        unit.start(now, &mut out);
        node.unit = Some(unit);
        self.enqueue(at, out);
    }

    pub(super) fn crash(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        node.unit = None;
        node.view = None;
        node.inbox.clear();
        node.queue.clear();
        node.asked.clear();
        for other in 0..self.nodes.len() {
            self.disconnect(at, other);
        }
    }

    pub(super) fn connect(&mut self, one: usize, other: usize) {
        let up = |at: usize| self.nodes[at].unit.is_some();
        if one == other || !up(one) || !up(other) || !self.connected.insert((one.min(other), one.max(other)))
        {
            return;
        }
        for (at, peer) in [(one, other), (other, one)] {
            let peer = self.nodes[peer].name.clone();
            self.nodes[at].inbox.push_back(Event::PeerConnected(peer));
        }
    }

    pub(super) fn disconnect(&mut self, one: usize, other: usize) {
        if !self.connected.remove(&(one.min(other), one.max(other))) {
            return;
        }
        for (at, peer) in [(one, other), (other, one)] {
            let peer = self.nodes[peer].name.clone();
            if self.nodes[at].unit.is_some() {
                self.nodes[at].inbox.push_back(Event::PeerLost(peer));
            }
        }
    }

    /// One command carried out, or one event handled.
    pub(super) fn step(&mut self, at: usize) {
        let now = self.now;
        let node = &mut self.nodes[at];
        let Some(unit) = &mut node.unit else { return };
        if let Some(command) = node.queue.pop_front() {
            self.carry_out(at, command);
        } else if let Some(event) = node.inbox.pop_front() {
            let mut out = Vec::new();
            unit.handle(now, event, &mut out);
            self.enqueue(at, out);
        }
        laws::check(self);
    }

    fn enqueue(&mut self, at: usize, mut commands: Vec<Command>) {
        if self.bug == Some(Bug::PersistLast) {
            commands.sort_by_key(|command| matches!(command, Command::Persist { .. }));
        }
        self.nodes[at].queue.extend(commands);
    }

    fn carry_out(&mut self, at: usize, command: Command) {
        laws::before(self, at, &command);
        let node = &mut self.nodes[at];
        match command {
            Command::Persist { record } => {
                if self.bug != Some(Bug::SkipPersist) || node.disk.is_none() {
                    node.stored = Some(UnitRecord::parse("orders", &record).unwrap());
                    node.disk = Some(record);
                }
            }
            Command::Publish { round, view } => {
                let stays = self.bug == Some(Bug::GateStaysOpen) && node.is_open();
                node.view = if stays { node.view.take() } else { Some(view) };
                node.inbox.push_back(Event::Published { round });
            }
            Command::Send { to, message } => self.send(at, &to, message),
            Command::Cancel { round } => {
                node.asked.retain(|asked| !matches!(asked, Command::Drain { round: r, .. } if *r <= round));
            }
            Command::Answer { answer, .. } => self.answers.push(*answer),
            Command::Survey { .. }
            | Command::Settle { .. }
            | Command::Drain { .. }
            | Command::ApplyGroups { .. }
            | Command::ForgetProducers { .. }
            | Command::AdvanceProducerIds { .. }
            | Command::RaiseEpochs { .. } => node.asked.push(command),
        }
    }

    fn send(&mut self, at: usize, to: &Datacenter, message: Message) {
        let to = self.nodes.iter().position(|node| node.name == *to).unwrap();
        let message = match message {
            Message::Promoted { generation, .. } if self.bug == Some(Bug::UnfenceAfterPromote) => {
                Message::Unfence { request: crate::ownership::RequestId(generation.0), generation }
            }
            message => message,
        };
        if let Message::Fenced { generation, .. } = &message {
            self.nodes[at].promises.insert(generation.0);
        }
        if self.connected.contains(&(at.min(to), at.max(to))) {
            self.network.push((at, to, message));
        }
    }

    pub(super) fn deliver(&mut self, index: usize) {
        let (from, to, mut message) = self.network.remove(index);
        if let (Some(Bug::AnyUnfence), Message::Unfence { generation, .. }) = (self.bug, &mut message)
            && let Some(record) = self.nodes[to].record()
        {
            *generation = record.promised;
        }
        let from = self.nodes[from].name.clone();
        if self.nodes[to].unit.is_some() {
            self.nodes[to].inbox.push_back(Event::Received { from, message });
        }
    }

    /// The driver finishes something that it was asked for.
    pub(super) fn answer(&mut self, at: usize, index: usize, fails: bool) {
        if index >= self.nodes[at].asked.len() {
            return;
        }
        let asked = self.nodes[at].asked.remove(index);
        let node = &mut self.nodes[at];
        let ends = node.end();
        let event = match asked {
            Command::Survey { round } | Command::Settle { round } | Command::ForgetProducers { round }
                if fails =>
            {
                Event::Failed { round, what: "the disk is offline".to_owned() }
            }
            Command::Survey { round } => {
                let partition = PartitionReport::new("orders", 0, None, ends[0].end.0);
                Event::Surveyed { round, survey: Survey { partitions: vec![partition], groups: Vec::new() } }
            }
            Command::Settle { round } => Event::Settled { round, ends, groups: Vec::new() },
            Command::Drain { round, until } => {
                node.asked.push(Command::Drain { round, until });
                Event::Progress { round, ends }
            }
            Command::ApplyGroups { round, .. } => Event::GroupsApplied { round, groups: Vec::new() },
            Command::ForgetProducers { round } => Event::ProducersForgotten { round, largest: None },
            Command::AdvanceProducerIds { round, .. } => Event::ProducerIdsAdvanced { round },
            Command::RaiseEpochs { round } => Event::EpochsRaised { round },
            Command::Persist { .. }
            | Command::Publish { .. }
            | Command::Send { .. }
            | Command::Cancel { .. }
            | Command::Answer { .. } => unreachable!("carried out at once"),
        };
        node.inbox.push_back(event);
    }

    pub(super) fn order(&mut self, at: usize, unplanned: bool, dry_run: bool) {
        self.unplanned |= unplanned;
        let to = self.nodes[at].name.clone();
        if self.nodes[at].unit.is_some() {
            let verb = Failover { ticket: Ticket(0), to, dry_run, unplanned };
            self.nodes[at].inbox.push_back(Event::Failover(verb));
        }
    }

    pub(super) fn write(&mut self, at: usize) {
        if self.nodes[at].is_open() {
            self.written += 1;
            let record = self.written;
            self.nodes[at].log.push(record);
        }
    }

    /// One record over the link, if both ends agree that it carries the topic; or its finding that the logs went apart.
    pub(super) fn replicate(&mut self, at: usize) {
        let Some(view) = self.nodes[at].view.clone() else { return };
        let name = self.nodes[at].name.clone();
        let Some(source) = self.nodes.iter().position(|node| node.name == view.home) else { return };
        let agreed = |view: Option<&UnitView>| view.and_then(|view| view.flow(&view.home, &name));
        let (here, there) = (agreed(Some(&view)), agreed(self.nodes[source].view.as_ref()));
        let linked = self.connected.contains(&(at.min(source), at.max(source)));
        if view.gate == Gate::Fenced || here.is_none() || here != there || !linked {
            return;
        }
        let (ours, theirs) = (&self.nodes[at].log, &self.nodes[source].log);
        let common = ours.iter().zip(theirs).take_while(|(one, other)| one == other).count();
        if common < ours.len() {
            let offset = |count: usize| Offset(i64::try_from(count).unwrap());
            let (common, end) = (offset(common), offset(ours.len()));
            let event =
                Event::TailFound { topic: TopicName::from("orders"), partition: PartitionId(0), common, end };
            self.nodes[at].inbox.push_back(event);
        } else if let Some(next) = theirs.get(common).copied() {
            self.nodes[at].log.push(next);
        }
    }

    pub(super) fn pass_time(&mut self, by: Duration) {
        self.now += by;
        let now = self.now;
        for node in &mut self.nodes {
            let due =
                node.unit.as_ref().and_then(Unit::next_deadline).is_some_and(|deadline| deadline <= now);
            if due {
                node.inbox.push_back(Event::DeadlinePassed);
            }
        }
    }
}
