//! Random walks through a world of two or three datacenters: crashes between any two commands, messages lost, repeated and
//! out of order, failovers ordered everywhere at once. The laws are checked after every step; then everything heals, and one
//! home has to be left that all others follow.
//!
//! Only what a store keeps survives a crash. A store that forgets is outside of what is promised, and is one of the faults
//! that are planted to see that the laws notice.

mod laws;
mod world;

use std::time::Duration;

use rand::{Rng, SeedableRng, rngs::StdRng};

use self::world::{Bug, World};
use crate::ownership::{Outcome, State, WhenApart};

const STEPS: usize = 400;

/// One seed: a walk with faults, then healing.
fn walk(seed: u64, bug: Option<Bug>) -> Result<World, String> {
    let mut rng = StdRng::seed_from_u64(seed);
    let names: &[&str] = if rng.random_bool(0.5) { &["a", "b"] } else { &["a", "b", "c"] };
    let when_apart = if rng.random_bool(0.5) { WhenApart::Wait } else { WhenApart::Quarantine };
    let unplanned = if rng.random_bool(0.5) { 0.3 } else { 0.0 };
    let mut world = World::new(names, when_apart, bug);
    for _ in 0..STEPS {
        fault_or_step(&mut world, &mut rng, unplanned);
        if let Some(broken) = world.broken.take() {
            return Err(broken);
        }
    }
    heal(&mut world)?;
    let Some(target) = (0..names.len()).find(|at| world.nodes[*at].record().unwrap().state == State::Standby)
    else {
        return laws::settled(&world).map(|()| world);
    };
    world.answers.clear();
    world.order(target, false, false);
    run_to_rest(&mut world)?;
    let moved = matches!(world.answers.as_slice(), [Ok(report)] if report.outcome == Outcome::Moved && report.rpo_records == 0);
    if !moved {
        return Err(format!("the last failover did not move: {:?}", world.answers));
    }
    laws::settled(&world).map(|()| world)
}

fn fault_or_step(world: &mut World, rng: &mut StdRng, unplanned: f64) {
    let count = world.nodes.len();
    let at = rng.random_range(0..count);
    match rng.random_range(0..100) {
        0..40 => world.step(at),
        40..52 if !world.network.is_empty() => {
            let index = rng.random_range(0..world.network.len());
            match rng.random_range(0..20) {
                0 => drop(world.network.remove(index)),
                1..4 => {
                    let copy = world.network[index].clone();
                    world.network.push(copy);
                    world.deliver(index);
                }
                _ => world.deliver(index),
            }
        }
        52..66 if !world.nodes[at].asked.is_empty() => {
            let index = rng.random_range(0..world.nodes[at].asked.len());
            world.answer(at, index, rng.random_bool(0.05));
        }
        66..68 => world.crash(at),
        68..73 => world.restart(at),
        73..79 => world.connect(at, rng.random_range(0..count)),
        79..80 => world.disconnect(at, rng.random_range(0..count)),
        80..83 => world.order(at, rng.random_bool(unplanned), rng.random_bool(0.1)),
        83..84 => world.pass_time(Duration::from_secs(rng.random_range(1..30))),
        84..90 => world.write(at),
        _ => world.replicate(at),
    }
}

fn heal(world: &mut World) -> Result<(), String> {
    let count = world.nodes.len();
    for at in 0..count {
        world.restart(at);
        for other in 0..count {
            world.disconnect(at, other);
        }
    }
    for at in 0..count {
        for other in 0..count {
            world.connect(at, other);
        }
    }
    run_to_rest(world)
}

/// Without faults and in order, until nothing is left to do.
fn run_to_rest(world: &mut World) -> Result<(), String> {
    let mut idle = 0;
    for _ in 0..5_000 {
        let mut busy = false;
        for at in 0..world.nodes.len() {
            busy |= !world.nodes[at].queue.is_empty() || !world.nodes[at].inbox.is_empty();
            world.step(at);
            let before = (world.nodes[at].log.len(), world.nodes[at].inbox.len());
            world.replicate(at);
            busy |= before.0 != world.nodes[at].log.len() || world.nodes[at].asked.len() > 1;
            world.answer(at, 0, false);
        }
        if !world.network.is_empty() {
            world.deliver(0);
            busy = true;
        }
        if let Some(broken) = world.broken.take() {
            return Err(broken);
        }
        idle = if busy { 0 } else { idle + 1 };
        if idle > 3 {
            return Ok(());
        }
        let deadline = |node: &world::Node| node.unit.as_ref().and_then(|unit| unit.next_deadline());
        if idle > 0 && world.nodes.iter().any(|node| deadline(node).is_some()) {
            world.pass_time(Duration::from_secs(1));
        }
    }
    Ok(())
}

#[test]
fn every_walk_keeps_the_laws_and_ends_with_one_home() {
    for seed in 0..4_000 {
        if let Err(broken) = walk(seed, None) {
            panic!("seed {seed}: {broken}");
        }
    }
}

#[test]
fn the_walks_reach_what_they_are_for() {
    let (mut homes, mut diverged, mut stopped, mut unplanned) = (0, 0, 0, 0);
    for seed in 0..500 {
        let world = walk(seed, None).unwrap();
        homes += world.homes.len();
        unplanned += usize::from(world.unplanned);
        let records = world.nodes.iter().filter_map(world::Node::record);
        diverged += records.filter(|record| matches!(record.state, State::Diverged(_))).count();
        let stops = world.nodes.iter().filter_map(world::Node::record);
        stopped += stops.filter(|record| record.promised > record.generation).count();
    }
    assert!(
        homes > 1_000 && diverged > 20 && unplanned > 100 && stopped > 0,
        "{homes} {diverged} {unplanned} {stopped}"
    );
}

#[test]
fn planted_faults_are_noticed() {
    let bugs = [
        Bug::SkipPersist,
        Bug::PersistLast,
        Bug::UnfenceAfterPromote,
        Bug::AnyUnfence,
        Bug::NextGenerationForAll,
        Bug::GateStaysOpen,
    ];
    for bug in bugs {
        let found = (0..2_000).find_map(|seed| walk(seed, Some(bug)).err().map(|broken| (seed, broken)));
        let (seed, broken) = found.unwrap_or_else(|| panic!("{bug:?} went unnoticed"));
        println!("{bug:?}: seed {seed}: {}", broken.lines().next().unwrap_or_default());
    }
}
