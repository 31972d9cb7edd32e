//! The link in a deterministic simulation: real quinn-proto and real cores, a network, crashes and time that a seed decides.

#[path = "simulation/network.rs"]
mod network;
#[path = "simulation/peer.rs"]
mod peer;
#[path = "simulation/tls.rs"]
mod tls;

use std::time::{Duration, Instant};

use bytes::Bytes;
use network::{Conditions, Host, Network};
use peer::{Happening, Peer};

#[test]
fn smoke() {
    let run = |seed: u64| {
        let epoch = Instant::now();
        let conditions = Conditions { delay: Duration::from_millis(20), jitter: Duration::from_millis(5), loss: 0.02, duplication: 0.02 };
        let mut network = Network::new(seed, conditions);
        let mut source = Peer::new(Host::Source, 1, epoch);
        let mut target = Peer::new(Host::Target, 2, epoch);
        let mut now = Duration::ZERO;
        target.dial(now);
        let mut blocks = 0;
        let mut trace = Vec::new();
        while blocks < 20 {
            for peer in [&mut source, &mut target] { peer.drive(now, &mut network); }
            let next = [network.next_arrival(), source.timeout(), target.timeout()].into_iter().flatten().min().unwrap();
            now = now.max(next);
            while let Some(datagram) = network.arrived(now) {
                let peer = if datagram.to == Host::Source { &mut source } else { &mut target };
                peer.receive(now, &datagram.bytes, &mut network);
            }
            for peer in [&mut source, &mut target] { peer.handle_timeout(now); peer.drive(now, &mut network); }
            while let Some(h) = source.next_happening() {
                if h == Happening::Connected {
                    for i in 0..20 { source.send_block(vec![Bytes::from(vec![i; 50_000])], -i32::from(i)).unwrap(); }
                }
                trace.push(format!("{now:?} s {}", kind(&h)));
            }
            while let Some(h) = target.next_happening() {
                if let Happening::Block(b) = &h { assert_eq!(b.len(), 50_000); blocks += 1; }
                trace.push(format!("{now:?} t {}", kind(&h)));
            }
        }
        trace
    };
    for seed in 0..10 {
        let (a, b) = (run(seed), run(seed));
        println!("{}", a.last().unwrap());
        assert_eq!(a, b);
    }
}

fn kind(h: &Happening) -> String { match h { Happening::Block(b) => format!("block {}", b[0]), other => format!("{other:?}").chars().take(40).collect() } }
