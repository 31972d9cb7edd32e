//! Nobody starves, and nobody is starved.

use super::cubic::Cubic;
use super::sender::Application;
use super::world::{Path, World};

const CELLS: [(f64, f64); 3] = [(50.0, 20.0), (100.0, 50.0), (100.0, 150.0)];

/// When the later flow comes: at several points of the earlier one's cycle.
const ARRIVALS: [f64; 3] = [4.0, 4.3, 5.1];

/// The first flow's part, 10 to 20 s after the second one came, at worst.
fn parts_of_two_of_ours(queue: f64, loss: f64) -> Vec<f64> {
    let mut parts = Vec::new();
    for (mbit, rtt_ms) in CELLS {
        for arrival in ARRIVALS {
            let mut world = World::with_ours(Path { queue, loss, ..Path::new(mbit, rtt_ms) }, 1);
            world.run(arrival);
            world.add_ours();
            world.run(10.0);
            let later = world.run(10.0);
            println!(
                "two {mbit} {rtt_ms} q {queue} loss {loss} at {arrival}: {:.3} used {:.3} queue {:.2} dropped {:.4}",
                later.part(0),
                later.used(),
                later.queue,
                later.dropped
            );
            parts.push(later.part(0));
        }
    }
    parts
}

#[test]
fn explore_ours() {
    for queue in [0.25, 0.5, 1.0, 4.0] {
        for loss in [0.0, 0.01] {
            parts_of_two_of_ours(queue, loss);
        }
    }
}

#[test]
fn explore_cubic() {
    for queue in [0.25, 1.0, 4.0] {
        for (mbit, rtt_ms) in CELLS {
            for ours in [0, 1] {
                let mut world = World::new(Path { queue, ..Path::new(mbit, rtt_ms) }, 1);
                for flow in 0..2 {
                    if flow == ours {
                        world.add_ours()
                    } else {
                        world.add(Box::new(Cubic::default()), Application::Bulk)
                    }
                    world.run(4.0);
                }
                world.run(16.0);
                let a = world.run(20.0);
                let b = world.run(20.0);
                println!(
                    "cubic {mbit} {rtt_ms} q {queue} ours {ours}: {:.3} then {:.3} used {:.3} queue {:.2} dropped {:.4}",
                    a.part(ours),
                    b.part(ours),
                    b.used(),
                    b.queue,
                    b.dropped
                );
            }
        }
    }
}
