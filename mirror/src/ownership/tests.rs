//! One side at a time: events in, commands out.

use std::{collections::BTreeMap, time::Duration};

use protocol::{GroupId, Offset, PartitionId, ProducerId, TopicId, TopicName};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn settings(here: &str, when_apart: WhenApart) -> Settings {
    Settings::new("orders", here.into(), Members::new("a".into(), ["b".into()]), when_apart)
}

fn end(end: i64) -> Vec<PartitionEnd> {
    vec![PartitionEnd {
        topic: TopicName::from("orders.eu"),
        topic_id: TopicId::ZERO,
        partition: PartitionId(0),
        end: Offset(end),
    }]
}

fn position(offset: i64) -> GroupPosition {
    GroupPosition {
        group: GroupId::from("checkout"),
        topic: TopicName::from("orders.eu"),
        topic_id: TopicId::ZERO,
        partition: PartitionId(0),
        offset: Offset(offset),
        metadata: String::new(),
    }
}

fn verb(to: &str) -> Failover {
    Failover { ticket: Ticket(1), to: to.into(), dry_run: false, unplanned: false }
}

fn from(peer: &str, message: Message) -> Event {
    Event::Received { from: peer.into(), message }
}

/// A unit and what it has said: the record as it is stored, the view as it is published, the rest as commands.
struct Bench {
    unit: Unit,
    now: Duration,
    stored: Option<String>,
    view: Option<UnitView>,
    /// Of the last `Publish`.
    published: Round,
    out: Vec<Command>,
}

impl Bench {
    fn start(here: &str, when_apart: WhenApart, stored: Option<String>) -> Self {
        let unit = Unit::open(settings(here, when_apart), stored.as_deref()).unwrap();
        let mut bench =
            Self { unit, now: Duration::ZERO, stored, view: None, published: Round(0), out: Vec::new() };
        let mut out = Vec::new();
        bench.unit.start(bench.now, &mut out);
        bench.take(out);
        bench
    }

    fn new(here: &str) -> Self {
        Self::start(here, WhenApart::Wait, None)
    }

    fn restart(&self, here: &str, when_apart: WhenApart) -> Self {
        Self::start(here, when_apart, self.stored.clone())
    }

    fn take(&mut self, out: Vec<Command>) {
        self.out.clear();
        for command in out {
            match command {
                Command::Persist { record } => self.stored = Some(record),
                Command::Publish { round, view } => (self.published, self.view) = (round, Some(view)),
                command => self.out.push(command),
            }
        }
    }

    fn tell(&mut self, event: Event) -> &mut Self {
        let mut out = Vec::new();
        self.unit.handle(self.now, event, &mut out);
        self.take(out);
        self
    }

    fn gate(&self) -> Gate {
        self.view.clone().unwrap().gate
    }

    fn state(&self) -> StateName {
        UnitRecord::parse("orders", self.stored.as_deref().unwrap()).unwrap().state.name()
    }

    fn generation(&self) -> u64 {
        UnitRecord::parse("orders", self.stored.as_deref().unwrap()).unwrap().generation.0
    }

    /// The round of the one command that waits for an answer.
    fn round(&self) -> Round {
        let round = |command: &Command| match command {
            Command::Survey { round }
            | Command::Settle { round }
            | Command::Drain { round, .. }
            | Command::ApplyGroups { round, .. }
            | Command::ForgetProducers { round }
            | Command::AdvanceProducerIds { round, .. }
            | Command::RaiseEpochs { round } => Some(*round),
            _ => None,
        };
        self.out.iter().find_map(round).unwrap()
    }

    fn sent(&self) -> Vec<&Message> {
        let message = |command: &'_ Command| matches!(command, Command::Send { .. });
        self.out
            .iter()
            .filter(|command| message(command))
            .map(|command| match command {
                Command::Send { message, .. } => message,
                _ => unreachable!("filtered"),
            })
            .collect()
    }

    fn answer(&self) -> Result<FailoverReport, FailoverRefusal> {
        let answer = |command: &Command| match command {
            Command::Answer { answer, .. } => Some((**answer).clone()),
            _ => None,
        };
        self.out.iter().find_map(answer).unwrap()
    }

    /// `b`, connected, with a planned failover that waits for the fence.
    fn draining() -> Self {
        let mut b = Self::new("b");
        b.tell(Event::PeerConnected("a".into())).tell(Event::Failover(verb("b")));
        let round = b.round();
        b.tell(Event::Surveyed { round, survey: Survey::default() });
        b
    }

    fn fenced(&mut self, source_end: i64) -> &mut Self {
        let (request, generation) = (RequestId(2), HomeGeneration(2));
        let message =
            Message::Fenced { request, generation, ends: end(source_end), groups: vec![position(9)] };
        self.tell(from("a", message))
    }

    fn finish_promotion(&mut self, ends: i64) -> &mut Self {
        let round = self.round();
        self.tell(Event::Settled { round, ends: end(ends), groups: Vec::new() });
        let round = self.round();
        self.tell(Event::ProducersForgotten { round, largest: Some(ProducerId(77)) });
        assert!(matches!(self.out.as_slice(), [Command::AdvanceProducerIds { beyond: ProducerId(77), .. }]));
        let round = self.round();
        self.tell(Event::ProducerIdsAdvanced { round });
        let round = self.round();
        self.tell(Event::EpochsRaised { round })
    }

    /// The gates obey.
    fn opened(&mut self) -> &mut Self {
        let round = self.published;
        self.tell(Event::Published { round })
    }
}

#[test]
fn a_planned_failover_fences_drains_moves_groups_raises_the_barrier_and_opens() {
    let mut b = Bench::draining();
    assert_eq!((b.state(), b.gate()), (StateName::Draining, Gate::ReadOnly { home: "a".into() }));
    assert_eq!(b.sent(), [&Message::Fence { request: RequestId(2), generation: HomeGeneration(2) }]);
    b.now += SECOND;
    b.fenced(10);
    assert!(matches!(b.out.as_slice(), [Command::Drain { .. }]));
    let round = b.round();
    b.tell(Event::Progress { round, ends: end(9) });
    assert_eq!(b.out, []);
    b.tell(Event::Progress { round, ends: end(10) });
    let positions = vec![position(9)];
    assert_eq!(b.out, [Command::Cancel { round }, Command::ApplyGroups { round: b.round(), positions }]);
    let row = GroupReport {
        group: "checkout".to_owned(),
        topic: "orders.eu".to_owned(),
        partition: 0,
        committed_source: 9,
        committed_target: Some(9),
        clamped: false,
    };
    let round = b.round();
    b.tell(Event::GroupsApplied { round, groups: vec![row.clone()] });
    assert_eq!((b.state(), b.gate()), (StateName::Promoting, Gate::Fenced), "the mirror's writes end too");
    b.finish_promotion(10);
    assert_eq!((b.state(), b.generation(), b.gate()), (StateName::Home, 2, Gate::Open));
    let (generation, previous) = (HomeGeneration(2), HomeGeneration(1));
    assert_eq!(b.sent(), [&Message::Promoted { generation, previous, home: "b".into(), starts: end(10) }]);
    b.now += SECOND;
    b.opened();
    let report = b.answer().unwrap();
    assert_eq!((report.outcome, report.rpo_records, report.rto_ms), (Outcome::Moved, 0, 2_000));
    assert_eq!(report.partitions, [PartitionReport::new("orders.eu", 0, Some(10), 10)]);
    assert_eq!(report.groups, [row]);
    let steps: Vec<_> = report.steps.iter().map(|step| step.step).collect();
    use Step::*;
    assert_eq!(steps, [Survey, Fence, Drain, Groups, Close, Barrier, Open]);

    let again = b.tell(Event::Failover(verb("b"))).answer().unwrap();
    assert_eq!((again.outcome, again.rto_ms), (Outcome::AlreadyHome, 2_000), "repeated: what stands");
}

#[test]
fn the_old_home_closes_before_it_answers_and_follows_once_it_hears_of_the_new_one() {
    let mut a = Bench::new("a");
    assert_eq!(a.gate(), Gate::Open);
    let (request, generation) = (RequestId(2), HomeGeneration(2));
    a.tell(from("b", Message::Fence { request, generation }));
    assert_eq!((a.state(), a.gate(), a.sent().len()), (StateName::Fencing, Gate::Fenced, 0));
    let (round, groups) = (a.round(), vec![position(9)]);
    a.tell(Event::Settled { round, ends: end(10), groups: groups.clone() });
    assert_eq!(a.sent(), [&Message::Fenced { request, generation, ends: end(10), groups }]);

    let mut a = a.restart("a", WhenApart::Quarantine);
    assert_eq!(a.gate(), Gate::Fenced, "a promise outlives a restart, under every policy");
    let (previous, starts) = (HomeGeneration(1), end(10));
    a.tell(from("b", Message::Promoted { generation, previous, home: "b".into(), starts }));
    let round = a.round();
    a.tell(Event::Settled { round, ends: end(10), groups: Vec::new() });
    assert_eq!((a.state(), a.generation()), (StateName::Standby, 2));
    assert_eq!(a.view.clone().unwrap().flow(&"b".into(), &"a".into()), Some(generation));
    assert_eq!(a.view.clone().unwrap().flow(&"a".into(), &"b".into()), None);

    a.tell(from("b", Message::Fence { request, generation }));
    assert!(matches!(a.sent().as_slice(), [Message::Refused { .. }, Message::State { .. }]));
}

#[test]
fn an_unplanned_failover_counts_what_is_lost_and_the_old_home_keeps_its_orphaned_tail() {
    let mut b = Bench::new("b");
    b.tell(Event::Failover(verb("b")));
    assert_eq!(b.answer(), Err(FailoverRefusal::OldHomeUnreachable { home: "a".into() }));
    b.tell(Event::Failover(Failover { unplanned: true, ..verb("b") }));
    let partitions = vec![PartitionReport::new("orders.eu", 0, Some(10), 6)];
    let round = b.round();
    b.tell(Event::Surveyed { round, survey: Survey { partitions, groups: Vec::new() } });
    // The mirror's last write came after the survey.
    b.finish_promotion(7).opened();
    let report = b.answer().unwrap();
    assert_eq!((report.rpo_records, report.rpo_complete, report.planned), (3, true, false));

    let mut a = Bench::new("a").restart("a", WhenApart::Quarantine);
    assert_eq!(a.gate(), Gate::Open, "admitted, to be set aside");
    let mut b = b.restart("b", WhenApart::Wait);
    b.tell(from(
        "a",
        Message::State { generation: HomeGeneration(1), home: "a".into(), state: StateName::Home },
    ));
    let told = b.sent()[0].clone();
    a.tell(from("b", told));
    assert_eq!(a.gate(), Gate::Fenced);
    let round = a.round();
    a.tell(Event::Settled { round, ends: end(12), groups: Vec::new() });
    let status = a.unit.status();
    assert_eq!(status.state, StateName::Diverged);
    let tail = OrphanedTail { topic: "orders.eu".to_owned(), partition: 0, common: 7, end: 12 };
    assert_eq!(status.divergence.unwrap().tails, [tail]);
    a.tell(Event::Failover(Failover { unplanned: true, ..verb("a") }));
    let refusal = FailoverRefusal::Diverged { here: "a".into(), home: "b".into(), records: 5 };
    assert_eq!(a.answer(), Err(refusal));
}

#[test]
fn a_returning_home_that_waits_opens_only_when_a_standby_confirms_it() {
    let mut a = Bench::new("a").restart("a", WhenApart::Wait);
    assert_eq!(a.gate(), Gate::Fenced);
    a.tell(Event::Failover(verb("a")));
    assert_eq!(a.answer(), Err(FailoverRefusal::NotHeardYet { here: "a".into() }));
    let heard = |state| Message::State { generation: HomeGeneration(1), home: "a".into(), state };
    a.tell(from("b", heard(StateName::Promoting)));
    assert_eq!(a.gate(), Gate::Fenced, "b is about to be the home");
    a.tell(from("b", heard(StateName::Standby)));
    assert_eq!(a.gate(), Gate::Open);

    let mut a = a.restart("a", WhenApart::Wait);
    a.tell(Event::Failover(Failover { unplanned: true, ..verb("a") }));
    assert_eq!((a.gate(), a.generation()), (Gate::Open, 1), "the operator's word");
}

#[test]
fn a_drain_without_progress_stops_with_numbers_and_lets_the_old_home_go() {
    let mut b = Bench::draining();
    b.fenced(10);
    let round = b.round();
    b.now += 15 * SECOND;
    b.tell(Event::Progress { round, ends: end(4) });
    b.now += 15 * SECOND;
    b.tell(Event::DeadlinePassed);
    assert_eq!(b.out, [], "progress gives it more time");
    b.now += 5 * SECOND;
    b.tell(Event::DeadlinePassed);
    let report = b.answer().unwrap();
    let reason = StopReason::DrainStalled { records_missing: 6 };
    assert_eq!((report.outcome, report.rpo_records), (Outcome::Stopped { reason }, 6));
    assert_eq!(b.state(), StateName::Standby);
    let (request, generation) = (RequestId(2), HomeGeneration(2));
    assert_eq!(b.sent(), [&Message::Unfence { request, generation }]);

    let mut a = Bench::new("a");
    a.tell(from("b", Message::Fence { request, generation }));
    a.tell(from("b", Message::Unfence { request, generation: HomeGeneration(4) }));
    assert_eq!(a.gate(), Gate::Fenced, "no proof for another generation");
    a.tell(from("b", Message::Unfence { request, generation }));
    assert_eq!((a.gate(), a.generation()), (Gate::Open, 1));
    a.tell(from("b", Message::Fence { request, generation }));
    assert_eq!(a.gate(), Gate::Open, "a late fence of an attempt that was given up");

    // The unfence was lost: whoever is fenced asks again, also a daemon that has restarted since.
    let mut b = b.restart("b", WhenApart::Wait);
    b.fenced(10);
    assert!(b.sent().contains(&&Message::Unfence { request, generation }));
    b.tell(Event::PeerConnected("a".into())).tell(Event::Failover(verb("b")));
    let round = b.round();
    b.tell(Event::Surveyed { round, survey: Survey::default() });
    let next = Message::Fence { request: RequestId(4), generation: HomeGeneration(4) };
    assert_eq!(b.sent(), [&next], "a generation is tried once");
}

#[test]
fn a_planned_failover_can_be_forced_on_the_way_and_resumes_after_a_crash() {
    let mut b = Bench::draining();
    b.fenced(10);
    let round = b.round();
    b.tell(Event::Progress { round, ends: end(4) });
    b.tell(Event::Failover(Failover { unplanned: true, ticket: Ticket(2), ..verb("b") }));
    assert_eq!(b.state(), StateName::Promoting);

    let mut b = b.restart("b", WhenApart::Wait);
    let round = b.round();
    b.tell(Event::Failover(verb("b")));
    assert_eq!((b.out.len(), b.state()), (0, StateName::Promoting), "joined");
    b.tell(Event::Settled { round, ends: end(4), groups: Vec::new() });
    let round = b.round();
    b.tell(Event::Failed { round, what: "no space".to_owned() });
    assert_eq!(b.unit.status().failing.as_deref(), Some("no space"));
    b.now += SECOND;
    b.tell(Event::DeadlinePassed);
    b.finish_promotion(4).opened();
    let report = b.answer().unwrap();
    assert_eq!((report.outcome, report.rpo_records, report.planned), (Outcome::Moved, 6, false));

    let b = Bench::draining().restart("b", WhenApart::Wait);
    let fence = Message::Fence { request: RequestId(2), generation: HomeGeneration(2) };
    assert_eq!(b.sent(), [&fence], "a drain goes on by itself: the old home is closed and waits");
}

#[test]
fn a_fenced_home_is_taken_back_only_on_the_operators_word_and_at_a_new_generation() {
    let mut a = Bench::new("a");
    a.tell(from("b", Message::Fence { request: RequestId(2), generation: HomeGeneration(2) }));
    a.tell(Event::Failover(verb("a")));
    assert!(matches!(a.answer(), Err(FailoverRefusal::FencedFor { .. })));
    a.tell(Event::Failover(Failover { unplanned: true, ..verb("a") }));
    let round = a.round();
    a.tell(Event::Surveyed { round, survey: Survey::default() });
    a.finish_promotion(10);
    assert_eq!((a.gate(), a.generation()), (Gate::Open, 3));

    // The other one had become the home without being heard.
    let mut b = Bench::draining();
    b.tell(Event::Failover(Failover { unplanned: true, ticket: Ticket(2), ..verb("b") }));
    b.finish_promotion(8).opened();
    let told = a.sent()[0].clone();
    b.tell(from("a", told));
    let round = b.round();
    b.tell(Event::Settled { round, ends: end(9), groups: Vec::new() });
    let tail = OrphanedTail { topic: "orders.eu".to_owned(), partition: 0, common: 8, end: 9 };
    assert_eq!(b.unit.status().divergence.unwrap().tails, [tail], "from where its own generation began");
}

#[test]
fn a_dry_run_changes_nothing_and_tells_the_numbers() {
    let mut b = Bench::new("b");
    b.tell(Event::PeerConnected("a".into()));
    let before = (b.stored.clone(), b.view.clone());
    b.tell(Event::Failover(Failover { dry_run: true, ..verb("b") }));
    let partitions = vec![PartitionReport::new("orders.eu", 0, Some(10), 6)];
    let round = b.round();
    b.tell(Event::Surveyed { round, survey: Survey { partitions, groups: Vec::new() } });
    let report = b.answer().unwrap();
    assert_eq!(
        (report.outcome, report.dry_run, report.generation.0, report.rpo_records),
        (Outcome::Planned, true, 2, 4)
    );
    assert_eq!((b.stored.clone(), b.view.clone(), b.unit.next_deadline()), (before.0, before.1, None));
}

#[test]
fn a_verb_for_another_datacenter_says_where_to_send_it() {
    let mut b = Bench::new("b");
    b.tell(Event::Failover(verb("a")));
    assert_eq!(b.answer(), Err(FailoverRefusal::OtherDatacenter { here: "b".into(), to: "a".into() }));
    b.tell(Event::Failover(verb("c")));
    assert_eq!(b.answer(), Err(FailoverRefusal::NotAMember { to: "c".into() }));
}

#[test]
fn a_log_that_the_link_finds_apart_makes_a_standby_diverged() {
    let mut b = Bench::new("b");
    let found = |common, end| Event::TailFound {
        topic: TopicName::from("orders.eu"),
        partition: PartitionId(0),
        common: Offset(common),
        end: Offset(end),
    };
    b.tell(found(5, 8)).tell(found(4, 8));
    assert_eq!(b.state(), StateName::Diverged);
    assert_eq!(b.unit.status().divergence.unwrap().records(), 4);
}

#[test]
fn a_record_that_cannot_be_trusted_is_an_error_and_never_a_fresh_start() {
    let stored = Bench::new("a").stored.unwrap();
    let open = |text: &str| Unit::open(settings("a", WhenApart::Wait), Some(text)).err();
    assert_eq!(open(&stored), None);
    for text in ["", "{}", "null", &stored[..stored.len() - 1], &stored.replace("generation", "generatio")] {
        assert!(matches!(open(text), Some(RecordError::Corrupt { .. })), "{text}");
    }
    let newer = stored.replace("\"version\":1", "\"version\":2");
    assert_eq!(open(&newer), Some(RecordError::Version { unit: "orders".to_owned(), found: 2 }));
    let other = stored.replace("\"unit\":\"orders\"", "\"unit\":\"clicks\"");
    assert!(matches!(open(&other), Some(RecordError::OtherUnit { .. })));
    let golden = r#"{"version":1,"unit":"orders","generation":1,"home":"a","previous":0,"starts":[],"promised":0,"state":"home"}"#;
    assert_eq!(stored, golden, "the stored form; a change of it needs a new version");
}

#[test]
fn names_outside_of_units_are_open_and_a_unit_without_a_view_is_fenced() {
    struct Names;
    impl Membership for Names {
        fn unit_of_topic(&self, topic: &str) -> Option<&str> {
            topic.starts_with("orders.").then_some("orders")
        }
        fn unit_of_group(&self, group: &str) -> Option<&str> {
            group.starts_with("checkout").then_some("orders")
        }
    }
    let (a, b) = (Datacenter::from("a"), Datacenter::from("b"));
    let mut views = BTreeMap::new();
    assert_eq!(gate_of_topic("clicks", &Names, &views), Gate::Open);
    assert_eq!(gate_of_topic("orders.eu", &Names, &views), Gate::Fenced);
    assert_eq!(flows(&a, &b, "orders.eu", &Names, &views), None);
    assert_eq!(flows(&b, &a, "clicks", &Names, &views), Some(HomeGeneration(0)));
    views.insert("orders".to_owned(), Bench::new("b").view.unwrap());
    assert_eq!(gate_of_topic("orders.eu", &Names, &views), Gate::ReadOnly { home: a.clone() });
    assert_eq!(gate_of_group("checkout-1", &Names, &views), Gate::ReadOnly { home: a.clone() });
    assert_eq!(gate_of_group("other", &Names, &views), Gate::Open);
    assert_eq!(flows(&a, &b, "orders.eu", &Names, &views), Some(HomeGeneration(1)));
    assert_eq!(flows(&b, &a, "orders.eu", &Names, &views), None);
}
