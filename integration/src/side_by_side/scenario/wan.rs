//! A mirror catches up over a line that is long, narrow or lossy. Each case has a line of its own.
//!
//! The mirror is held while the topic is filled, as in `backlog`. Steady is the rate from the moment when a tenth has arrived: connections
//! stand by then and have found out what the line carries.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use protocol::batch::Compression;

use super::{
    Case, Context,
    mirrored::{self, await_settled, flowing},
};
use crate::{
    Wire, eventually_within,
    load::{data::Data, ends, produce::Load},
    side_by_side::{
        apart::Apart,
        figures::Figures,
        ledger::Ledger,
        options::{Congestion, MirrorAt, Only, Options},
        place::{MirrorPlace, Places},
        side::{Purpose, Side, World},
        usage::Usage,
    },
    wan::Impairments,
};

const MB: f64 = 1e6;
const TOPIC: &str = "m.far";
const BATCH_BYTES: usize = 500_000;
/// Of the line's rate; what is smaller on the line needs more to last as long.
const EVENTS_FACTOR: u64 = 5;
/// Whoever needs this many times the line's time is not waited for any longer.
const PATIENCE: u32 = 8;
const LOOK: Duration = Duration::from_millis(50);

#[derive(Debug, Clone, Copy)]
struct Line {
    rtt_ms: u32,
    loss_percent: f64,
    rate_mbit: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Payload {
    /// JSON as it is.
    Events,
    /// JSON that the producer compressed.
    Compressed,
    /// What nothing makes smaller.
    Noise,
}

impl Line {
    fn name(self) -> String {
        format!("{} Mbit/s, RTT {} ms, loss {} %", self.rate_mbit, self.rtt_ms, self.loss_percent)
    }

    /// In both directions alike; queues of one round trip.
    fn impairments(self) -> Impairments {
        Impairments {
            delay_ms: f64::from(self.rtt_ms) / 2.0,
            loss: self.loss_percent / 100.0,
            rate_mbit: f64::from(self.rate_mbit),
            ..Impairments::default()
        }
    }

    /// What keeps it busy for so long.
    fn bytes(self, payload: Payload, time: Duration) -> u64 {
        let factor = if payload == Payload::Events { EVENTS_FACTOR } else { 1 };
        (self.bytes_per_second() * time.as_secs_f64()) as u64 * factor
    }

    fn bytes_per_second(self) -> f64 {
        f64::from(self.rate_mbit) * MB / 8.0
    }
}

impl Payload {
    const ALL: [Self; 3] = [Self::Events, Self::Noise, Self::Compressed];

    fn name(self) -> &'static str {
        match self {
            Self::Events => "plain events",
            Self::Compressed => "events compressed with zstd",
            Self::Noise => "incompressible",
        }
    }
}

pub(crate) fn cases(options: &Options) -> Vec<Case> {
    let case = |line: Line, partitions: i32, payload: Payload| Case {
        name: format!("{}, {}, {}", line.name(), super::partitions(partitions), payload.name()),
        run: Box::new(move |side, context| run(side, context, line, partitions, payload)),
    };
    if options.full {
        return every_line()
            .flat_map(|line| [1, 16].map(|partitions| (line, partitions)))
            .flat_map(|(line, partitions)| Payload::ALL.map(|payload| case(line, partitions, payload)))
            .collect();
    }
    let few = [
        (0, 0.0, 200, [1, 16].as_slice(), [Payload::Noise].as_slice()),
        (150, 0.1, 200, &[1, 16], &Payload::ALL),
        (300, 1.0, 200, &[16], &[Payload::Noise, Payload::Events]),
        (50, 0.01, 1000, &[16], &[Payload::Noise, Payload::Events]),
        (150, 0.1, 1000, &[16], &[Payload::Noise]),
    ];
    few.into_iter()
        .flat_map(|(rtt_ms, loss_percent, rate_mbit, partitions, payloads)| {
            let line = Line { rtt_ms, loss_percent, rate_mbit };
            let both = partitions.iter().flat_map(|count| payloads.iter().map(|payload| (*count, *payload)));
            both.map(|(count, payload)| case(line, count, payload)).collect::<Vec<_>>()
        })
        .collect()
}

fn every_line() -> impl Iterator<Item = Line> {
    [200, 1000].into_iter().flat_map(|rate_mbit| {
        [0, 50, 150, 300].into_iter().flat_map(move |rtt_ms| {
            [0.0, 0.01, 0.1, 1.0].map(|loss_percent| Line { rtt_ms, loss_percent, rate_mbit })
        })
    })
}

fn run(side: &dyn Side, context: &mut Context<'_>, line: Line, partitions: i32, payload: Payload) -> Figures {
    let apart = apart(line, context.options);
    let mirror = mirror_place(context.options, partitions, payload);
    let world = side.world(&Places { mirror, ..apart.places() }, Purpose::Mirror);
    let lasts = Duration::from_secs(2 * context.options.seconds);
    let mut ledger = Ledger::default();
    flowing(&world, TOPIC, partitions, &mut ledger, context);
    let before = records(world.target.kafka, partitions);
    world.hold();
    let bytes = fill(&world, context, &mut ledger, partitions, payload, line.bytes(payload, lasts)) as f64;
    let all = records(world.source.kafka, partitions);

    context.progress.say("measuring");
    let on_the_line = apart.sent_bytes();
    let (usage, started) = (Usage::start(&world.processes()), Instant::now());
    world.release();
    let way = follow(&world, partitions, (before, all), lasts * PATIENCE, context);
    let on_the_line = (apart.sent_bytes() - on_the_line) as f64;
    let carried = (way.last.0 * bytes).max(1.0);
    let mut figures = Figures::default();
    if let Some((from, at)) = way.tenth.filter(|(_, at)| *at < way.last.1) {
        let rate = (way.last.0 - from) * bytes / (way.last.1 - at).as_secs_f64();
        figures.higher("payload, steady", "MB/s", rate / MB);
        figures.higher("share of the line, steady", "%", 100.0 * rate / line.bytes_per_second());
    }
    figures.higher("payload, from the start", "MB/s", carried / (way.last.1 - started).as_secs_f64() / MB);
    figures.lower("bytes on the line", "of the payload", on_the_line / carried);
    figures.extend(usage.per_gb(&world.processes(), carried));
    figures.lower("not arrived in time", "%", 100.0 * (1.0 - way.last.0));
    if way.last.0 >= 1.0 {
        context.progress.say("reading every record at the target");
        await_settled(&world, TOPIC, partitions);
        ledger.read(world.target.kafka, TOPIC, partitions);
        let balance = ledger.balance();
        figures.lower("lost", "records", balance.lost as f64);
        figures.lower("duplicated", "records", balance.duplicated as f64);
    }
    figures
}

/// Where MirrorMaker 2 did best; `docs/benchmarks.md` has the figures.
fn mirror_place(options: &Options, partitions: i32, payload: Payload) -> MirrorPlace {
    let shrinks = payload != Payload::Noise;
    let at_source = options.mirror_at.map_or(shrinks || partitions > 1, |at| at == MirrorAt::Source);
    if at_source { MirrorPlace::FarFromTarget { compresses: shrinks } } else { MirrorPlace::FarFromSource }
}

fn apart(line: Line, options: &Options) -> Apart {
    let apart = Apart::by(&line.impairments());
    // Isthmus does not use TCP between datacenters.
    if options.only != Some(Only::Isthmus) {
        apart.tune_tcp(match options.congestion {
            Congestion::Bbr => "bbr",
            Congestion::Cubic => "cubic",
        });
    }
    apart
}

/// Fills the topic at the source, and says with how many bytes.
fn fill(
    world: &World,
    context: &mut Context<'_>,
    ledger: &mut Ledger,
    partitions: i32,
    payload: Payload,
    bytes: u64,
) -> u64 {
    context.progress.say("filling");
    let (data, compression) = match payload {
        Payload::Events => (Data::Events, Compression::None),
        Payload::Compressed => (Data::Events, Compression::Zstd),
        Payload::Noise => (Data::Noise, Compression::None),
    };
    let pool = context.pool_of(data, compression, BATCH_BYTES);
    let bytes = bytes.min(context.options.size_mb * 1_000_000);
    let load = Load { topic: TOPIC, partitions, connections: 4, in_flight: 5, acks: -1, pool: &pool };
    mirrored::fill(world, &load, bytes, ledger).bytes
}

/// What share had arrived, and when.
struct Way {
    /// When a tenth had.
    tenth: Option<(f64, Instant)>,
    last: (f64, Instant),
}

/// Until all of the records from `before` on are at the target, or the time is over.
fn follow(
    world: &World,
    partitions: i32,
    (before, all): (i64, i64),
    limit: Duration,
    context: &mut Context<'_>,
) -> Way {
    let mut target = Wire::connect(world.target.kafka);
    let mut looked = Instant::now();
    let mut way = Way { tenth: None, last: (0.0, looked) };
    eventually_within(limit, || {
        if looked.elapsed() < LOOK {
            return None;
        }
        looked = Instant::now();
        let there = ends::records(&mut target, TOPIC, partitions)?;
        way.last = ((there - before) as f64 / (all - before).max(1) as f64, looked);
        if way.last.0 >= 0.1 {
            way.tenth.get_or_insert(way.last);
        }
        context.progress.at("mirrored", way.last.0, 1.0);
        (there >= all).then_some(())
    });
    way
}

fn records(address: SocketAddr, partitions: i32) -> i64 {
    ends::records(&mut Wire::connect(address), TOPIC, partitions).expect("it flows already")
}
