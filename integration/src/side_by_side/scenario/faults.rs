//! A steady stream, and something happens: how long until the target is level again, and what is lost or there twice.
//!
//! ```text
//!   warm-up -> calm -> fault ... its end (mark) -> recovered -> calm -> no more is sent -> both brokers are read whole
//! ```
//!
//! The sender sends each request until it is acknowledged. Recovered is a partition once a record that was acknowledged after
//! the mark is readable at the target and nothing that was acknowledged more than half a second ago is not.

use std::time::{Duration, Instant};

use super::{
    Case, Context,
    additions::{self, Addition},
    mirrored::{await_settled, flowing},
};
use crate::{
    eventually_within,
    load::steady::{Plan, Stream, tally::Balance},
    pause_until,
    side_by_side::{
        apart::Apart,
        figures::Figures,
        ledger::{self, Ledger},
        options::Options,
        side::{Purpose, Side, World},
    },
    wan::{Change, Impairments},
};

/// Of the link, one way.
const DELAY_MS: f64 = 25.0;
const RATE_MBIT: f64 = 200.0;
/// Of a lossy link, in both directions.
const LOSS: f64 = 0.1;
const TOPIC: &str = "m.steady";
const PARTITIONS: i32 = 4;
const RATE: u64 = 5_000_000;
/// What Kafka's producer gathers for a partition by default.
const REQUEST_BYTES: usize = 16_384;
/// Whoever has not recovered by then does not.
const RECOVERY_LIMIT: Duration = Duration::from_secs(300);
/// Nothing new was read at the target for so long: what is missing then is lost.
const STANDSTILL: Duration = Duration::from_secs(20);

/// What happens to a world's processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Killed {
    Source,
    Target,
    /// Where nothing else mirrors, the broker at the target does.
    Mirror,
}

pub(crate) fn cases(options: &Options) -> Vec<Case> {
    // As long as a supervisor waits.
    let away = Duration::from_millis(options.seconds * 300);
    let killed = [
        (Killed::Source, "source broker killed"),
        (Killed::Target, "target broker killed"),
        (Killed::Mirror, "mirror killed (Isthmus: the daemon at the target)"),
    ]
    .map(|(killed, name)| Case {
        name: format!("{name}, away for {:.1} s", away.as_secs_f64()),
        run: Box::new(move |side, context| kill(side, context, killed, away)),
    });
    let added = [Addition::Topic, Addition::Partitions].map(|addition| Case {
        name: addition.name().to_owned(),
        run: Box::new(move |side, context| add(side, context, addition)),
    });
    let cut = Change { blackhole: Some(true), ..Change::default() };
    let lossy = Change { loss: Some(LOSS), ..Change::default() };
    let link = [("cut", cut, options.seconds * 6), ("loses 10 %", lossy, options.seconds * 3)].map(
        |(what, change, seconds)| Case {
            name: format!("link {what} for {seconds} s, RTT 50 ms, 200 Mbit/s"),
            run: Box::new(move |side, context| impair(side, context, &change, Duration::from_secs(seconds))),
        },
    );
    killed.into_iter().chain(added).chain(link).collect()
}

fn kill(side: &dyn Side, context: &mut Context<'_>, killed: Killed, away: Duration) -> Figures {
    let mut world = side.world(context.places, Purpose::Faults);
    let stream = calm_stream(&world, context);
    context.progress.say("killing");
    match killed {
        Killed::Source => world.source.kill(),
        Killed::Target => world.target.kill(),
        Killed::Mirror => world.kill_mirror(),
    }
    pause_until(Instant::now() + away);
    context.progress.say("starting again");
    stream.mark();
    match killed {
        Killed::Source => world.source.spawn(),
        Killed::Target => world.target.spawn(),
        Killed::Mirror => world.spawn_mirror(),
    }
    let mut figures = Figures::default();
    let broker = match killed {
        Killed::Source => Some(&mut world.source),
        Killed::Target => Some(&mut world.target),
        Killed::Mirror => None,
    };
    if let Some(broker) = broker {
        figures.lower("answers again after", "s", broker.await_ready().as_secs_f64());
    }
    figures.extend(recovered(&stream, context));
    figures.extend(balanced(&world, stream, context));
    figures
}

fn add(side: &dyn Side, context: &mut Context<'_>, addition: Addition) -> Figures {
    let world = side.world(context.places, Purpose::Faults);
    let mut added = additions::prepare(&world, addition, context);
    let stream = calm_stream(&world, context);
    context.progress.say("adding");
    let mut figures = additions::add(&world, addition, &mut added);
    figures.extend(balanced(&world, stream, context));
    let ledger::Balance { lost, duplicated } = added.balance(&world);
    figures.lower("lost of what was added", "records", lost as f64);
    figures.lower("duplicated of what was added", "records", duplicated as f64);
    figures
}

fn impair(side: &dyn Side, context: &mut Context<'_>, change: &Change, time: Duration) -> Figures {
    let apart = Apart::by(&Impairments { delay_ms: DELAY_MS, rate_mbit: RATE_MBIT, ..Default::default() });
    let world = side.world(&apart.places(), Purpose::Faults);
    let stream = calm_stream(&world, context);
    context.progress.say("impairing the link");
    apart.change(change);
    pause_until(Instant::now() + time);
    let mut figures = Figures::default();
    figures.lower("behind at the fault's end", "records", stream.awaited() as f64);
    stream.mark();
    apart.change(&Change { blackhole: Some(false), loss: Some(0.0), ..Change::default() });
    figures.extend(recovered(&stream, context));
    figures.extend(balanced(&world, stream, context));
    figures
}

/// A stream that has flowed for a while.
fn calm_stream(world: &World, context: &mut Context<'_>) -> Stream {
    flowing(world, TOPIC, PARTITIONS, &mut Ledger::default(), context);
    let stream = Stream::start(Plan {
        source: world.source.kafka,
        target: world.target.kafka,
        topic: TOPIC.to_owned(),
        partitions: PARTITIONS,
        rate: RATE,
        request_bytes: REQUEST_BYTES,
        compression: context.compression(),
    });
    stream.mark();
    context.progress.say("flowing undisturbed");
    pause_until(Instant::now() + Duration::from_secs(context.options.seconds));
    let level = eventually_within(RECOVERY_LIMIT, || stream.recovered());
    assert!(level.is_some(), "the mirror does not keep up with {RATE} bytes a second");
    stream
}

/// Waits until the target is level; counted from the mark.
fn recovered(stream: &Stream, context: &mut Context<'_>) -> Figures {
    context.progress.say("recovering");
    let recovered = eventually_within(RECOVERY_LIMIT, || stream.recovered());
    let Some(recovered) = recovered else {
        panic!("not recovered after {RECOVERY_LIMIT:?}: {} records behind", stream.awaited());
    };
    let first = stream.first().expect("what has recovered has begun to");
    let mut figures = Figures::default();
    figures.lower("first new record after", "s", first.as_secs_f64());
    figures.lower("recovered after", "s", recovered.as_secs_f64());
    figures
}

/// Lets the stream go on for a while and end, and looks at every record.
fn balanced(world: &World, mut stream: Stream, context: &mut Context<'_>) -> Figures {
    pause_until(Instant::now() + Duration::from_secs(context.options.seconds) / 2);
    let sent = stream.finish();
    context.progress.say("waiting for the last records");
    let (mut awaited, mut since) = (stream.awaited(), Instant::now());
    eventually_within(RECOVERY_LIMIT, || {
        if stream.awaited() != awaited {
            (awaited, since) = (stream.awaited(), Instant::now());
        }
        (awaited == 0 || since.elapsed() > STANDSTILL).then_some(())
    });
    await_settled(world, TOPIC, PARTITIONS);
    context.progress.say("reading every record at both ends");
    let Balance { lost, duplicated, twice_at_source, wrong } = stream.balance(&sent);
    assert_eq!(wrong, 0, "records of the target are not what was sent");
    let mut figures = Figures::default();
    figures.lower("longest delay", "s", stream.longest_delay().as_secs_f64());
    let records: u64 = sent.iter().map(|sent| sent.records).sum();
    figures.higher("acknowledged", "records", records as f64);
    figures.lower("lost", "records", lost as f64);
    figures.lower("duplicated", "records", duplicated as f64);
    let again: u64 = sent.iter().map(|sent| sent.again).sum();
    figures.lower("sent again by the producer", "records", again as f64);
    figures.lower("twice at the source", "records", twice_at_source as f64);
    figures
}
