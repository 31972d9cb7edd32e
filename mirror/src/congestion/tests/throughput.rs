//! No collapse, and no queue that stands.
//!
//! Measured over all cells after start-up: 96.0-98.8 % of the link; queue 0.03-0.33 round trips; dropped at the full queue nothing
//! but with the smallest one, 0.65 %.

use super::world::{Path, World};

const LOSSES: [f64; 3] = [0.0, 0.001, 0.01];
/// Megabits a second and milliseconds: from 40 packets to 1700 that the path holds.
const CELLS: [(f64, f64); 5] = [(10.0, 50.0), (50.0, 20.0), (50.0, 150.0), (100.0, 50.0), (200.0, 100.0)];

fn each_cell(queue: f64, mut check: impl FnMut(&str, World)) {
    for (mbit, rtt_ms) in CELLS {
        for loss in LOSSES {
            let path = Path { queue, loss, ..Path::new(mbit, rtt_ms) };
            let cell = format!("{mbit} Mbit/s, {rtt_ms} ms, loss {loss}, queue {queue}");
            check(&cell, World::with_ours(path, 1));
        }
    }
}

#[test]
fn a_lossy_link_is_filled_without_a_standing_queue() {
    for queue in [1.0, 4.0] {
        each_cell(queue, |cell, mut world| {
            world.run(3.0);
            let steady = world.run(6.0);
            assert!(steady.used() > 0.93, "{cell}: {steady:?}");
            assert!(steady.queue < 0.38, "{cell}: {steady:?}");
            assert!(steady.dropped < 0.001, "{cell}: {steady:?}");
        });
    }
}

#[test]
fn a_queue_of_a_quarter_overflows_rarely() {
    each_cell(0.25, |cell, mut world| {
        world.run(3.0);
        let steady = world.run(6.0);
        assert!(steady.used() > 0.93, "{cell}: {steady:?}");
        assert!(steady.dropped < 0.012, "{cell}: {steady:?}");
    });
}

/// Measured: 75.2-97.3 % of the first three seconds (RTT 150 ms is the slowest), dropped at most 5.4 % of what was offered in
/// them, with the small queue.
#[test]
fn start_up_is_quick_and_overshoots_little() {
    for queue in [0.25, 1.0] {
        each_cell(queue, |cell, mut world| {
            let first = world.run(3.0);
            assert!(first.used() > 0.68, "{cell}: {first:?}");
            let dropped_max = if queue < 1.0 { 0.08 } else { 0.012 };
            assert!(first.dropped < dropped_max, "{cell}: {first:?}");
        });
    }
}

/// Measured at 3 % and 5 %: 95.9 and 94.0 % (50 Mbit/s, 20 ms), 93.9 and 87.3 % (200 Mbit/s, 100 ms).
#[test]
fn more_loss_than_is_usual_costs_little_more_than_itself() {
    for (mbit, rtt_ms) in [(50.0, 20.0), (200.0, 100.0)] {
        for loss in [0.03, 0.05] {
            let mut world = World::with_ours(Path { loss, ..Path::new(mbit, rtt_ms) }, 1);
            world.run(3.0);
            let steady = world.run(8.0);
            assert!(steady.used() > 0.8, "{mbit} Mbit/s, {rtt_ms} ms, loss {loss}: {steady:?}");
        }
    }
}

/// Measured: 96.1-97.7 %, and 87.9 % where the path holds little more than two such bursts.
#[test]
fn losses_in_bursts_of_twenty_are_no_reason_to_slow_down() {
    for (mbit, rtt_ms) in CELLS {
        let mut world = World::with_ours(Path { loss: 0.01, burst: 20.0, ..Path::new(mbit, rtt_ms) }, 1);
        world.run(3.0);
        let steady = world.run(6.0);
        assert!(steady.used() > 0.84, "{mbit} Mbit/s, {rtt_ms} ms: {steady:?}");
    }
}

/// The path holds next to nothing; what has to be covered is the hosts' latency, here acknowledgements in bunches and timers of
/// 1 ms. Measured at 2.5 Gbit/s: 100 %, 0.1-0.2 % dropped.
#[test]
fn loopback_is_not_starved_of_window() {
    for bunch_ms in [0.05, 0.2] {
        let mut world = World::with_ours(Path { bunch_ms, queue: 8.0, ..Path::new(2500.0, 0.1) }, 1);
        world.run(0.2);
        let steady = world.run(0.3);
        assert!(steady.used() > 0.95, "{bunch_ms}: {steady:?}");
        assert!(steady.dropped < 0.01, "{bunch_ms}: {steady:?}");
    }
}

#[test]
fn one_seed_is_one_result() {
    let run = |seed| {
        let path = Path { loss: 0.01, jitter_ms: 5.0, ..Path::new(50.0, 20.0) };
        format!("{:?}", World::with_ours(path, seed).run(3.0))
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}
