//! Nobody starves, and nobody is starved.

use super::cubic::Cubic;
use super::sender::Application;
use super::world::{Path, Span, World};

const CELLS: [(f64, f64); 3] = [(50.0, 20.0), (100.0, 50.0), (100.0, 150.0)];
/// When the later flow comes: at several points of the earlier one's cycle.
const ARRIVALS: [f64; 3] = [4.0, 4.3, 5.1];

/// Seconds 10 to 20 after the second flow came, for each cell, arrival and loss.
fn each_pair_of_ours(queue: f64, check: impl Fn(&str, &Span)) {
    for (mbit, rtt_ms) in CELLS {
        for arrival in ARRIVALS {
            for loss in [0.0, 0.01] {
                let mut world = World::with_ours(Path { queue, loss, ..Path::new(mbit, rtt_ms) }, 1);
                world.run(arrival);
                world.add_ours();
                world.run(10.0);
                let later = world.run(10.0);
                check(
                    &format!("{mbit} Mbit/s, {rtt_ms} ms, loss {loss}, after {arrival} s: {later:?}"),
                    &later,
                );
            }
        }
    }
}

/// Measured: the first one has 31-69 %; queue at most 0.36 round trips.
#[test]
fn two_of_ours_share_within_three_to_one() {
    each_pair_of_ours(1.0, |case, later| {
        assert!(later.part(0) > 0.25 && later.part(0) < 0.75, "{case}");
        assert!(later.used() > 0.93 && later.queue < 0.45, "{case}");
    });
}

/// The weakest point: what both lose keeps their headroom small, and so what draws them together. Measured: the first one has 56-86
/// %, 86 % only at 50 Mbit/s and 20 ms with loss, where 2.9 % are dropped.
#[test]
fn with_a_queue_of_a_quarter_the_later_one_still_gets_something() {
    each_pair_of_ours(0.25, |case, later| {
        assert!(later.part(0) < 0.9 && later.part(1) < 0.9, "{case}");
        assert!(later.used() > 0.93 && later.dropped < 0.04, "{case}");
    });
}

/// Seconds 40 to 60, for each cell, with ours before and after CUBIC; the number of our flow.
fn each_pair_with_cubic(queue: f64, check: impl Fn(&str, f64, &Span)) {
    for (mbit, rtt_ms) in CELLS {
        for ours in [0, 1] {
            let mut world = World::new(Path { queue, ..Path::new(mbit, rtt_ms) }, 1);
            for flow in 0..2 {
                if flow == ours {
                    world.add_ours();
                } else {
                    world.add(Box::new(Cubic::default()), Application::Bulk);
                }
                world.run(4.0);
            }
            world.run(32.0);
            let later = world.run(20.0);
            let case = format!("{mbit} Mbit/s, {rtt_ms} ms, queue {queue}, ours is {ours}: {later:?}");
            check(&case, later.part(ours), &later);
        }
    }
}

/// Measured: ours has 17-60 %, least at 150 ms, where a round is half a second and more.
#[test]
fn beside_cubic_both_live() {
    for queue in [1.0, 4.0] {
        each_pair_with_cubic(queue, |case, part, later| {
            assert!(part > 0.12 && part < 0.75, "{case}");
            assert!(later.used() > 0.97, "{case}");
        });
    }
}

/// In a small queue CUBIC is driven off by its own reaction to loss. Measured: it keeps 21-31 %, but 8 % at 50 Mbit/s and 20 ms.
#[test]
fn with_a_queue_of_a_quarter_cubic_keeps_a_little() {
    each_pair_with_cubic(0.25, |case, part, _| assert!(part > 0.4 && part < 0.95, "{case}"));
}

/// With a queue of four round trips it takes up to half a minute. Measured then: 0.16-0.29 round trips.
#[test]
fn when_cubic_leaves_so_does_its_queue() {
    for queue in [1.0, 4.0] {
        for (mbit, rtt_ms) in CELLS {
            let mut world = World::with_ours(Path { queue, ..Path::new(mbit, rtt_ms) }, 1);
            world.run(4.0);
            world.add(Box::new(Cubic::default()), Application::Bulk);
            world.run(20.0);
            world.set_application(1, Application::Steady(0.0));
            world.run(30.0);
            let later = world.run(15.0);
            let case = format!("{mbit} Mbit/s, {rtt_ms} ms, queue {queue}: {later:?}");
            assert!(later.used() > 0.93 && later.queue < 0.45, "{case}");
        }
    }
}
