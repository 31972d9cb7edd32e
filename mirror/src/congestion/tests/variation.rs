use super::sender::Application;
use super::world::{Path, World};
#[test]
fn explore() {
    for (mbit, rtt) in [(50.0, 20.0), (100.0, 50.0), (200.0, 100.0), (200.0, 150.0)] {
        let base = Path::new(mbit, rtt);
        let cases = [
            ("jit5", Path { jitter_ms: 5.0, ..base }),
            ("jit20", Path { jitter_ms: 20.0, ..base }),
            ("jit20 loss1", Path { jitter_ms: 20.0, loss: 0.01, ..base }),
            ("bunch5", Path { bunch_ms: 5.0, ..base }),
            ("burst", Path { loss: 0.01, burst: 20.0, ..base }),
            ("loss3", Path { loss: 0.03, ..base }),
            ("loss5", Path { loss: 0.05, ..base }),
            ("loss10", Path { loss: 0.1, ..base }),
        ];
        for (name, path) in cases {
            let mut world = World::with_ours(path, 1);
            let first = world.run(3.0);
            let steady = world.run(10.0);
            println!(
                "{mbit} {rtt} {name}: first {:.3} drop {:.4} steady {:.3} queue {:.2} drop {:.4}",
                first.used(),
                first.dropped,
                steady.used(),
                steady.queue,
                steady.dropped
            );
        }
        for q in [0.25, 1.0] {
            let base = Path { queue: q, ..base };
            let mut world = World::with_ours(base, 1);
            world.run(5.0);
            world.set_mbit(mbit * 2.0);
            let a = world.run(1.0);
            let b = world.run(2.0);
            world.set_mbit(mbit);
            let c = world.run(1.0);
            let d = world.run(2.0);
            println!(
                "{mbit} {rtt} q {q} double: {:.3} {:.3} q {:.2}; half {:.3} {:.3} q {:.2} drop {:.4} {:.4}",
                a.used(),
                b.used(),
                b.queue,
                c.used(),
                d.used(),
                d.queue,
                c.dropped,
                d.dropped
            );
            let mut world = World::with_ours(base, 1);
            world.run(5.0);
            world.set_up(false);
            world.run(2.0);
            world.set_up(true);
            let r: Vec<_> = (0..8).map(|_| format!("{:.2}", world.run(0.5).used())).collect();
            println!("{mbit} {rtt} q {q} blackout: {}", r.join(" "));
            let mut world = World::with_ours(base, 1);
            world.run(5.0);
            world.set_rtt_ms(2.0 * rtt);
            let r: Vec<_> = (0..16).map(|_| format!("{:.2}", world.run(1.0).used())).collect();
            println!("{mbit} {rtt} q {q} longer: {}", r.join(" "));
            let mut world = World::new(base, 1);
            world.add(
                Box::new(super::super::model::Model::new(None, 1452)),
                Application::Steady(mbit * 1e6 / 8.0 / 4.0),
            );
            let t = world.run(5.0);
            let w = world.window(0);
            world.set_application(0, Application::Bulk);
            let a = world.run(1.0);
            let b = world.run(2.0);
            world.set_application(0, Application::Steady(mbit * 1e6 / 8.0 / 4.0));
            let c = world.run(10.0);
            world.set_application(0, Application::Bulk);
            let d = world.run(1.0);
            println!(
                "{mbit} {rtt} q {q} tail {:.3} q {:.3} w {:.0}, bulk {:.3} {:.3} q {:.2}; tail {:.3} q {:.3} bulk {:.3}",
                t.used(),
                t.queue,
                w,
                a.used(),
                b.used(),
                b.queue,
                c.used(),
                c.queue,
                d.used()
            );
        }
    }
    for (mbit, bunch) in [(2500.0, 0.05), (2500.0, 0.2), (2500.0, 0.5), (1000.0, 0.2), (1000.0, 1.0)] {
        let mut world = World::with_ours(Path { bunch_ms: bunch, queue: 8.0, ..Path::new(mbit, 0.1) }, 1);
        let a = world.run(0.2);
        let b = world.run(0.5);
        println!(
            "loopback {mbit} bunch {bunch}: {:.3} {:.3} drop {:.3} w {:.0}",
            a.used(),
            b.used(),
            b.dropped,
            world.window(0)
        );
    }
    for cap in [1e6, 5e6, 20e6, 50e6] {
        for base in [
            Path::new(200.0, 50.0),
            Path::new(200.0, 2.0),
            Path { jitter_ms: 20.0, ..Path::new(200.0, 50.0) },
            Path { loss: 0.01, ..Path::new(200.0, 50.0) },
        ] {
            let mut world = World::new(base, 1);
            world.add(Box::new(super::super::model::Model::new(Some(cap as u64), 1452)), Application::Bulk);
            let a = world.run(2.0);
            let b = world.run(5.0);
            println!(
                "cap {cap} rtt {} jit {} loss {}: {:.3} {:.3} of cap",
                base.rtt_ms,
                base.jitter_ms,
                base.loss,
                a.used() * 25e6 / cap,
                b.used() * 25e6 / cap
            );
        }
    }
}
