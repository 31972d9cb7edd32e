//! What must hold at every moment, whatever failed.

use super::world::World;
use crate::ownership::{Command, Gate, HomeGeneration, Message, State};

/// Before a command has its effect: nothing is said or opened that is not durable.
pub(super) fn before(world: &mut World, at: usize, command: &Command) {
    let node = &world.nodes[at];
    let record = node.record();
    let rests_on =
        |holds: bool, what: &str| (!holds).then(|| format!("{}: {what} without its record", node.name));
    let broken = match (command, record) {
        (Command::Persist { .. } | Command::Answer { .. }, _) => None,
        (Command::Publish { view, .. }, record) if view.gate == Gate::Open => {
            let home = record.is_some_and(|r| r.state == State::Home && r.generation == view.generation);
            rests_on(home, "opens")
        }
        (Command::Send { message, .. }, Some(record)) => match message {
            Message::Fence { generation, .. } => rests_on(
                matches!(&record.state, State::Draining(attempt) if attempt.generation == *generation),
                "asks for a fence",
            ),
            Message::Fenced { generation, .. } => {
                rests_on(record.promised >= *generation && !node.is_open(), "says that it is fenced")
            }
            Message::Unfence { generation, .. } => rests_on(
                record.promised >= *generation && !world.homes.contains_key(&generation.0),
                "says that it gave up",
            ),
            Message::Promoted { generation, .. } | Message::State { generation, .. } => {
                rests_on(record.generation >= *generation, "speaks of a home")
            }
            Message::Refused { .. } => None,
        },
        _ => None,
    };
    world.broken = world.broken.take().or(broken);
}

/// After every step.
pub(super) fn check(world: &mut World) {
    let broken = one_home(world).or_else(|| one_open(world)).or_else(|| nobody_open_below(world));
    world.broken = world.broken.take().or(broken);
}

/// A generation has one home, for ever.
fn one_home(world: &mut World) -> Option<String> {
    for node in &world.nodes {
        let Some(record) = node.record() else { continue };
        if record.home != node.name || record.state != State::Home {
            continue;
        }
        let first = world.homes.entry(record.generation.0).or_insert_with(|| node.name.clone());
        if *first != node.name {
            return Some(format!(
                "{} and {first} are both home of generation {}",
                node.name, record.generation
            ));
        }
    }
    None
}

fn open(world: &World) -> impl Iterator<Item = (usize, HomeGeneration)> {
    let open = |(at, node): (usize, &super::world::Node)| node.is_open().then_some(at);
    let generation = |at: usize| (at, world.nodes[at].view.as_ref().unwrap().generation);
    world.nodes.iter().enumerate().filter_map(open).map(generation)
}

fn one_open(world: &World) -> Option<String> {
    let mut generations: Vec<_> = open(world).map(|(_, generation)| generation).collect();
    let count = generations.len();
    generations.sort_unstable();
    generations.dedup();
    (generations.len() < count).then(|| format!("two open gates at one generation: {generations:?}"))
}

/// Once a higher home is heard of, or was promised and came to be, the gate is closed.
fn nobody_open_below(world: &World) -> Option<String> {
    for (at, generation) in open(world) {
        let node = &world.nodes[at];
        if !node.queue.is_empty() {
            continue;
        }
        let heard = node.record()?.generation;
        let known = |above: &u64| *above <= heard.0 || node.promises.contains(above);
        let above =
            world.homes.keys().filter(|promoted| **promoted > generation.0).find(|above| known(above));
        if let Some(above) = above {
            return Some(format!("{} is open at {generation} and knows of {above}", node.name));
        }
    }
    None
}

/// After everything healed and one more planned failover, if there is where to.
pub(super) fn settled(world: &World) -> Result<(), String> {
    let open: Vec<_> = open(world).collect();
    let [(home, generation)] = open.as_slice() else {
        return Err(format!("open after healing: {open:?} {}", describe(world)));
    };
    let last = world.homes.keys().next_back().copied();
    if last != Some(generation.0) {
        return Err(format!("open at {generation}, and the last one is {last:?}"));
    }
    let home = &world.nodes[*home];
    for node in &world.nodes {
        let record = node.record().ok_or("no record")?;
        if record.generation != *generation || record.home != home.name {
            return Err(format!("{} believes in {} at {}", node.name, record.home, record.generation));
        }
        let follows = home.log.starts_with(&node.log);
        match &record.state {
            State::Home if node.name == home.name => {}
            State::Standby if follows => {}
            State::Standby => return Err(format!("{} is a standby with an orphaned tail", node.name)),
            State::Diverged(divergence) if !world.unplanned => {
                return Err(format!("{} diverged without need: {divergence:?}", node.name));
            }
            State::Diverged(_) => {}
            other => return Err(format!("{} ended as {other:?}", node.name)),
        }
    }
    let all = u64::try_from(home.log.len()).ok() == Some(world.written);
    if !world.unplanned && !all {
        return Err(format!("planned moves lost records: {} of {}", home.log.len(), world.written));
    }
    Ok(())
}

/// Where everybody stands.
pub(super) fn describe(world: &World) -> String {
    let node = |node: &super::world::Node| {
        let record = node.record().map(|r| (r.generation, &r.home, r.promised, &r.state));
        let work = node.unit.as_ref().map(|unit| (unit.status(), unit.next_deadline()));
        format!("\n{}: {record:?} {work:?} asked {:?} inbox {:?}", node.name, node.asked, node.inbox)
    };
    world.nodes.iter().map(node).collect()
}
