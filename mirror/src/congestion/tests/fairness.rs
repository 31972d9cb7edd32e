use super::cubic::Cubic;
use super::sender::Application;
use super::world::{Path, World};

#[test]
fn explore() {
    for (mbit, rtt) in [(50.0, 20.0), (100.0, 50.0), (100.0, 150.0)] {
        for queue in [0.25, 1.0, 4.0] {
            for loss in [0.0, 0.01] {
                let mut world = World::with_ours(Path { queue, loss, ..Path::new(mbit, rtt) }, 1);
                world.run(5.0);
                world.add_ours();
                let a = world.run(10.0);
                let b = world.run(10.0);
                println!(
                    "2 ours {mbit} {rtt} q {queue} loss {loss}: {:.2} {:.2} then {:.2} {:.2} queue {:.2} drop {:.4}",
                    a.shares[0], a.shares[1], b.shares[0], b.shares[1], b.queue, b.dropped
                );
            }
            for first in [true, false] {
                let mut world = World::new(Path { queue, ..Path::new(mbit, rtt) }, 1);
                if first {
                    world.add_ours()
                } else {
                    world.add(Box::new(Cubic::default()), Application::Bulk)
                };
                world.run(5.0);
                if !first {
                    world.add_ours()
                } else {
                    world.add(Box::new(Cubic::default()), Application::Bulk)
                };
                let a = world.run(15.0);
                let b = world.run(20.0);
                let c = world.run(20.0);
                let (o, u) = if first { (0, 1) } else { (1, 0) };
                println!(
                    "cubic, ours first {first} {mbit} {rtt} q {queue}: ours {:.2} cubic {:.2} then {:.2} {:.2} then {:.2} {:.2} queue {:.2} drop {:.4}",
                    a.shares[o],
                    a.shares[u],
                    b.shares[o],
                    b.shares[u],
                    c.shares[o],
                    c.shares[u],
                    c.queue,
                    c.dropped
                );
            }
        }
    }
}
