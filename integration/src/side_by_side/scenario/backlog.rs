//! A mirror finds a topic that is full, and catches up. It knows the topic already, has its partitions given out and has
//! run for a while; then it is held, the topic is filled, and it is let go.

use std::time::{Duration, Instant};

use super::{
    Case, Context,
    mirrored::{await_caught_up, await_settled, fill, flowing},
};
use crate::{
    load::produce::Load,
    side_by_side::{
        figures::Figures,
        ledger::Ledger,
        options::Options,
        side::{Purpose, Side},
        usage::Usage,
    },
};

const MB: f64 = 1e6;
const TOPIC: &str = "m.backlog";
const WARM_UP: &str = "m.warm-up";
const BATCH_BYTES: usize = 1_000_000;
/// Of the backlog, this share warms up.
const WARM_UP_SHARE: u64 = 8;
/// Slower is not measured.
const BYTES_PER_SECOND_MIN: u64 = 2_000_000;

pub(crate) fn cases(options: &Options) -> Vec<Case> {
    let bytes = options.size_mb * 1_000_000;
    [16, 1]
        .into_iter()
        .map(|partitions| Case {
            name: format!("{} MB, {}", options.size_mb, super::partitions(partitions)),
            run: Box::new(move |side, context| run(side, context, partitions, bytes)),
        })
        .collect()
}

fn run(side: &dyn Side, context: &mut Context<'_>, partitions: i32, bytes: u64) -> Figures {
    let world = side.world(context.places, Purpose::Mirror);
    let pool = context.pool(BATCH_BYTES);
    let limit = Duration::from_secs(60 + bytes / BYTES_PER_SECOND_MIN);
    let mut ledger = Ledger::default();
    flowing(&world, WARM_UP, partitions, &mut Ledger::default(), context);
    context.progress.say("warming up");
    let load = |topic| Load { topic, partitions, connections: 4, in_flight: 5, acks: -1, pool: &pool };
    fill(&world, &load(WARM_UP), bytes / WARM_UP_SHARE, &mut Ledger::default());
    await_caught_up(&world, WARM_UP, partitions, limit, context);
    flowing(&world, TOPIC, partitions, &mut ledger, context);

    context.progress.say("filling");
    let wire_before = side.wire_bytes(&world);
    world.hold();
    let produced = fill(&world, &load(TOPIC), bytes, &mut ledger);
    context.progress.say("measuring");
    let (usage, started) = (Usage::start(&world.processes()), Instant::now());
    world.release();
    let first = await_caught_up(&world, TOPIC, partitions, limit, context);
    let seconds = started.elapsed().as_secs_f64();

    let mut figures = Figures::default();
    figures.higher("throughput", "MB/s", produced.bytes as f64 / seconds / MB);
    figures.lower("first record after", "s", first.duration_since(started).as_secs_f64());
    figures.extend(usage.per_gb(&world.processes(), produced.bytes as f64));
    if let Some(wire) = side.wire_bytes(&world) {
        // The counter begins anew with each connection.
        let wire = wire_before.filter(|before| *before < wire).map_or(wire, |before| wire - before);
        figures.lower("bytes on the wire", "of the log's", wire / produced.bytes as f64);
    }
    context.progress.say("reading every record at the target");
    await_settled(&world, TOPIC, partitions);
    ledger.read(world.target.kafka, TOPIC, partitions);
    let balance = ledger.balance();
    figures.lower("lost", "records", balance.lost as f64);
    figures.lower("duplicated", "records", balance.duplicated as f64);
    figures
}
