//! No collapse, and no queue that stands.

use super::world::{Path, World};

#[test]
fn explore() {
    for (mbit, rtt) in [(10.0, 50.0), (50.0, 20.0), (50.0, 150.0), (100.0, 50.0), (200.0, 100.0)] {
        for queue in [0.25, 1.0, 4.0] {
            for loss in [0.0, 0.001, 0.01] {
                let t = std::time::Instant::now();
                let mut world = World::with_ours(Path { queue, loss, ..Path::new(mbit, rtt) }, 1);
                let first = world.run(3.0);
                let steady = world.run(6.0);
                println!(
                    "{mbit} {rtt} q {queue} loss {loss}: first {:.3} drop {:.4} steady {:.3} queue {:.2} drop {:.4}  {:?}",
                    first.used(),
                    first.dropped,
                    steady.used(),
                    steady.queue,
                    steady.dropped,
                    t.elapsed()
                );
            }
        }
    }
}
