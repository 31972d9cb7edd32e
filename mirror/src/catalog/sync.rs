//! The catalog of one link: after every event, each topic it touches is compared with what is here, and the difference asked for.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use protocol::{PartitionId, TopicId, TopicName};

use super::{
    command::{Command, Notice},
    event::{Event, LocalCatalog, SourceTopic},
    internal::is_internal,
    rules::{Flow, Rules},
    stop::TopicStop,
    tracked::{Comparison, ReadyAt, Wish, compare},
};

/// First and longest pause after a command failed that may be tried again.
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub struct CatalogSync {
    topics: BTreeMap<TopicId, Tracked>,
    /// Which of them has a name now.
    named: HashMap<TopicName, TopicId>,
    /// When which of them is to be tried again; it may be gone by then.
    retries: BTreeSet<(Duration, TopicId)>,
    /// Ids that a name had at the source, in this life.
    earlier: BTreeMap<TopicName, BTreeSet<TopicId>>,
    local: Option<LocalCatalog>,
    /// Counts the local catalogs heard of.
    local_version: u64,
    /// Topics named since the listing began.
    listing: Option<BTreeSet<TopicId>>,
}

#[derive(Debug)]
struct Tracked {
    source: SourceTopic,
    /// The source has deleted it.
    missing: bool,
    ready: Option<ReadyAt>,
    stop: Option<TopicStop>,
    /// A command is under way, asked for at this local version.
    asked: Option<u64>,
    refused: Option<String>,
    retry_at: Option<Duration>,
    pause: Duration,
    skipped: BTreeSet<String>,
    surplus: Option<usize>,
    internal_told: bool,
}

/// For status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicRow {
    pub name: TopicName,
    pub id: TopicId,
    pub partitions: usize,
    /// Partitions that can be subscribed.
    pub ready: usize,
    pub stop: Option<TopicStop>,
    pub skipped_configs: Vec<String>,
}

impl CatalogSync {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn handle(&mut self, now: Duration, event: Event, rules: &impl Rules, out: &mut Vec<Command>) {
        match event {
            Event::Connected => self.listing = Some(BTreeSet::new()),
            Event::Disconnected => self.listing = None,
            Event::Topic(source) => self.on_topic(source, rules, out),
            Event::TopicGone { id } => self.on_gone(id, rules, out),
            Event::Complete => {
                let Some(named) = self.listing.take() else { return };
                let gone: Vec<_> = self.topics.keys().filter(|id| !named.contains(id)).copied().collect();
                for id in gone {
                    self.on_gone(id, rules, out);
                }
            }
            Event::Local(local) => {
                self.local = Some(local);
                self.local_version = self.local_version.saturating_add(1);
                self.reconsider_all(rules, out);
            }
            Event::FlowsChanged => self.reconsider_all(rules, out),
            Event::Done { id, skipped_configs } => self.on_done(id, skipped_configs, rules, out),
            Event::Failed { id, what, again } => self.on_failed(now, id, what, again, rules, out),
            Event::DeadlinePassed => self.on_deadline(now, rules, out),
        }
    }

    /// When [`Event::DeadlinePassed`] is due.
    pub fn next_deadline(&self) -> Option<Duration> {
        self.retries.first().map(|(at, _)| *at)
    }

    pub fn rows(&self) -> impl Iterator<Item = TopicRow> {
        self.topics.values().map(|topic| TopicRow {
            name: topic.source.name.clone(),
            id: topic.source.id,
            partitions: topic.source.leader_epochs.len(),
            ready: topic.ready.as_ref().map_or(0, |ready| ready.count),
            stop: topic.stop.clone(),
            skipped_configs: topic.skipped.iter().cloned().collect(),
        })
    }

    fn on_topic(&mut self, mut source: SourceTopic, rules: &impl Rules, out: &mut Vec<Command>) {
        source.name = source.name.detached();
        let id = source.id;
        if let Some(named) = &mut self.listing {
            named.insert(id);
        }
        // Deleted and created again: only the newer one is still there to be told of.
        if let Some(older) = self.named.insert(source.name.clone(), id).filter(|older| *older != id) {
            if let Some(mut topic) = self.topics.remove(&older) {
                let stop = TopicStop::SourceIdChanged { name: source.name.clone(), was: older, now: id };
                topic.make_ready(older, None, Some(&stop), out);
            }
            self.earlier.entry(source.name.clone()).or_default().insert(older);
        }
        match self.topics.get_mut(&id) {
            Some(topic) => {
                topic.missing = false;
                topic.refused = None;
                topic.source = source;
            }
            None => {
                self.topics.insert(id, Tracked::new(source));
            }
        }
        self.reconsider(id, rules, out);
    }

    /// What is here is kept; so is the reason, for as long as the topic is.
    fn on_gone(&mut self, id: TopicId, rules: &impl Rules, out: &mut Vec<Command>) {
        let Some(topic) = self.topics.get_mut(&id) else { return };
        topic.missing = true;
        self.reconsider(id, rules, out);
    }

    fn on_done(&mut self, id: TopicId, skipped: Vec<String>, rules: &impl Rules, out: &mut Vec<Command>) {
        let Some(topic) = self.topics.get_mut(&id) else { return };
        let Some(asked_at) = topic.asked.take() else { return };
        topic.pause = Duration::ZERO;
        let keys: Vec<String> = skipped.into_iter().filter(|key| topic.skipped.insert(key.clone())).collect();
        if !keys.is_empty() {
            out.push(Command::Notice(Notice::ConfigsSkipped { topic: topic.source.name.clone(), keys }));
        }
        // Otherwise the local catalog that shows the change is still to come.
        if self.local_version > asked_at {
            self.reconsider(id, rules, out);
        }
    }

    fn on_failed(
        &mut self,
        now: Duration,
        id: TopicId,
        what: String,
        again: bool,
        rules: &impl Rules,
        out: &mut Vec<Command>,
    ) {
        let Some(topic) = self.topics.get_mut(&id) else { return };
        if topic.asked.take().is_none() {
            return;
        }
        if again {
            topic.pause = topic.pause.saturating_mul(2).clamp(PAUSE_MIN, PAUSE_MAX);
            let at = now.saturating_add(topic.pause);
            topic.retry_at = Some(at);
            self.retries.insert((at, id));
        } else {
            topic.refused = Some(what);
            self.reconsider(id, rules, out);
        }
    }

    fn on_deadline(&mut self, now: Duration, rules: &impl Rules, out: &mut Vec<Command>) {
        while let Some((_, id)) = self.retries.first().copied().filter(|(at, _)| *at <= now) {
            self.retries.pop_first();
            if let Some(topic) = self.topics.get_mut(&id) {
                topic.retry_at = None;
            }
            self.reconsider(id, rules, out);
        }
    }

    fn reconsider_all(&mut self, rules: &impl Rules, out: &mut Vec<Command>) {
        for id in self.topics.keys().copied().collect::<Vec<_>>() {
            // What was refused may be possible now.
            if let Some(topic) = self.topics.get_mut(&id) {
                topic.refused = None;
            }
            self.reconsider(id, rules, out);
        }
    }

    fn forget(&mut self, id: TopicId, name: &TopicName) {
        self.topics.remove(&id);
        if self.named.get(name) == Some(&id) {
            self.named.remove(name);
        }
    }

    fn reconsider(&mut self, id: TopicId, rules: &impl Rules, out: &mut Vec<Command>) {
        let (Some(topic), Some(local)) = (self.topics.get_mut(&id), &self.local) else { return };
        let name = topic.source.name.clone();
        if is_internal(name.as_str()) {
            topic.tell_internal(out);
            return;
        }
        let Some(flow) = rules.flow(&name) else {
            topic.make_ready(id, None, None, out);
            topic.set_stop(None, out);
            if topic.missing {
                self.forget(id, &name);
            }
            return;
        };
        let target = match &flow {
            Flow::Replica => &name,
            Flow::Merged { into } => into,
        };
        if topic.missing && local.get(target).is_none() {
            topic.make_ready(id, None, Some(&TopicStop::SourceMissing { name: name.clone() }), out);
            self.forget(id, &name);
            return;
        }
        let none = BTreeSet::new();
        let earlier = self.earlier.get(&name).unwrap_or(&none);
        topic.act(&flow, local, earlier, self.local_version, out);
    }
}

impl Tracked {
    fn new(source: SourceTopic) -> Self {
        Self {
            source,
            missing: false,
            ready: None,
            stop: None,
            asked: None,
            refused: None,
            retry_at: None,
            pause: Duration::ZERO,
            skipped: BTreeSet::new(),
            surplus: None,
            internal_told: false,
        }
    }

    fn act(
        &mut self,
        flow: &Flow,
        local: &LocalCatalog,
        earlier: &BTreeSet<TopicId>,
        local_version: u64,
        out: &mut Vec<Command>,
    ) {
        let id = self.source.id;
        let compared = match self.missing {
            true => Err(TopicStop::SourceMissing { name: self.source.name.clone() }),
            false => compare(&self.source, flow, local, &self.skipped, earlier),
        };
        let Comparison { wish, ready, surplus } = match compared {
            Ok(comparison) => comparison,
            Err(stop) => {
                self.make_ready(id, None, Some(&stop), out);
                return self.set_stop(Some(stop), out);
            }
        };
        self.make_ready(id, ready, None, out);
        self.tell_surplus(surplus, out);
        let refused = self.refused.clone().filter(|_| wish.is_some());
        self.set_stop(refused.map(|what| TopicStop::Refused { what }), out);
        let Some(wish) = wish else { return };
        if self.asked.is_some() || self.retry_at.is_some() || self.refused.is_some() {
            return;
        }
        self.asked = Some(local_version);
        let topic = self.source.clone();
        out.push(match wish {
            Wish::Create => Command::CreateReplica { topic },
            Wish::Follow => Command::FollowReplica { topic },
            Wish::EnsureMerged { into } => {
                let partitions = topic.leader_epochs.len();
                Command::EnsureMerged { into, partitions, source: topic }
            }
        });
    }

    /// Withdraws what is no longer ready, then announces what is newly so.
    fn make_ready(
        &mut self,
        topic_id: TopicId,
        ready: Option<ReadyAt>,
        stop: Option<&TopicStop>,
        out: &mut Vec<Command>,
    ) {
        let place = |at: &ReadyAt| (at.target.clone(), at.target_id, at.merged);
        let before = self.ready.as_ref().map_or(0, |at| at.count);
        let after = ready.as_ref().map_or(0, |at| at.count);
        let kept =
            if self.ready.as_ref().map(place) == ready.as_ref().map(place) { before.min(after) } else { 0 };
        for partition in partitions(kept, before) {
            out.push(Command::Withdraw { topic_id, partition, stop: stop.cloned() });
        }
        if let Some(ReadyAt { target, target_id, merged, .. }) = &ready {
            for partition in partitions(kept, after) {
                let (target, target_id, merged) = (target.clone(), *target_id, *merged);
                out.push(Command::Ready { topic_id, partition, target, target_id, merged });
            }
        }
        self.ready = ready;
    }

    fn set_stop(&mut self, stop: Option<TopicStop>, out: &mut Vec<Command>) {
        if self.stop == stop {
            return;
        }
        let topic = self.source.name.clone();
        out.push(Command::Notice(match &stop {
            Some(stop) => Notice::Stopped { topic, stop: stop.clone() },
            None => Notice::Resumed { topic },
        }));
        self.stop = stop;
    }

    fn tell_surplus(&mut self, surplus: Option<usize>, out: &mut Vec<Command>) {
        if self.surplus != surplus
            && let Some(target) = surplus
        {
            let (topic, source_has) = (self.source.name.clone(), self.source.leader_epochs.len());
            out.push(Command::Notice(Notice::MorePartitionsHere { topic, target, source_has }));
        }
        self.surplus = surplus;
    }

    fn tell_internal(&mut self, out: &mut Vec<Command>) {
        if !std::mem::replace(&mut self.internal_told, true) {
            out.push(Command::Notice(Notice::InternalExcluded { topic: self.source.name.clone() }));
        }
    }
}

fn partitions(from: usize, to: usize) -> impl Iterator<Item = PartitionId> {
    (from..to).filter_map(|index| i32::try_from(index).ok().map(PartitionId))
}
