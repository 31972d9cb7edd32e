//! Before a broker is measured: it has compiled what it will run, and what a new topic leaves to do is done.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use super::for_seconds;
use crate::load::produce::{self, Lanes, Load, Produced};

/// Of a round at most.
const ROUND_SECONDS: u64 = 5;
const ROUND_BYTES_MAX: u64 = 256 << 20;
/// Faster than before by less than this is not faster.
const FASTER: f64 = 1.1;
/// With many partitions a broker is slow at first for longer than two rounds, and not less so in the second.
const MANY_PARTITIONS: i32 = 100;
const LIMIT: Duration = Duration::from_secs(90);

/// Produces in rounds, as fast as it goes, until that gets no faster. Every partition has its files then.
#[track_caller]
pub(super) fn produce(broker: SocketAddr, load: &Load<'_>) {
    produce::first_records(broker, load.topic, load.partitions);
    let mut lanes = Lanes::open(broker, load);
    let started = Instant::now();
    let mut pace = Pace::new(if load.partitions < MANY_PARTITIONS { 1 } else { 3 });
    while started.elapsed() < LIMIT {
        let produced = lanes.run(for_seconds(ROUND_SECONDS, ROUND_BYTES_MAX));
        if pace.is_steady_after(rate(&produced)) {
            return;
        }
    }
}

fn rate(produced: &Produced) -> f64 {
    produced.bytes as f64 / produced.elapsed.as_secs_f64()
}

/// Whether rounds still get faster.
struct Pace {
    best: f64,
    not_faster: u32,
    patience: u32,
}

impl Pace {
    fn new(patience: u32) -> Self {
        Self { best: 0.0, not_faster: 0, patience }
    }

    fn is_steady_after(&mut self, rate: f64) -> bool {
        if rate > self.best * FASTER {
            (self.best, self.not_faster) = (rate, 0);
        } else {
            self.not_faster += 1;
        }
        self.not_faster >= self.patience
    }
}

#[test]
fn it_is_warm_when_so_many_rounds_were_no_faster() {
    let steady_after = |patience, rates: &[f64]| {
        let mut pace = Pace::new(patience);
        rates.iter().position(|rate| pace.is_steady_after(*rate))
    };
    assert_eq!(steady_after(1, &[10.0, 20.0, 21.0]), Some(2));
    assert_eq!(steady_after(3, &[10.0, 9.0, 10.0, 40.0, 41.0, 39.0, 43.0]), Some(6));
    assert_eq!(steady_after(3, &[10.0, 9.0]), None);
}
