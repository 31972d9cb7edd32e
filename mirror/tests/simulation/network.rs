//! A network in virtual time: datagrams are delayed, lost, doubled and overtaken as a seed decides.

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use rand::{Rng, SeedableRng, rngs::StdRng};

/// What the network does to a datagram.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conditions {
    pub(crate) delay: Duration,
    /// Up to so much more, each datagram for itself: they overtake each other.
    pub(crate) jitter: Duration,
    /// Shares of datagrams, 0 to 1.
    pub(crate) loss: f64,
    pub(crate) duplication: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Host {
    Source,
    Target,
}

/// A datagram on its way; ordered by arrival, then by departure.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Datagram {
    at: Duration,
    departure: u64,
    pub(crate) to: Host,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) struct Network {
    conditions: Conditions,
    random: StdRng,
    on_the_way: BinaryHeap<Reverse<Datagram>>,
    departures: u64,
    /// Nothing departs while it is cut.
    cut: bool,
}

impl Network {
    pub(crate) fn new(seed: u64, conditions: Conditions) -> Self {
        Self {
            conditions,
            random: StdRng::seed_from_u64(seed),
            on_the_way: BinaryHeap::new(),
            departures: 0,
            cut: false,
        }
    }

    pub(crate) fn set_cut(&mut self, cut: bool) {
        self.cut = cut;
    }

    /// From now on nothing is lost: what can end, ends.
    pub(crate) fn calm(&mut self) {
        self.cut = false;
        self.conditions.loss = 0.0;
    }

    pub(crate) fn send(&mut self, now: Duration, to: Host, bytes: &[u8]) {
        // The dice fall whether or not they matter, so that one condition does not shift the others.
        let (lost, doubled) = (self.random.random::<f64>(), self.random.random::<f64>());
        if self.cut || lost < self.conditions.loss {
            return;
        }
        let copies = if doubled < self.conditions.duplication { 2 } else { 1 };
        for _ in 0..copies {
            let jitter = self.conditions.jitter.mul_f64(self.random.random::<f64>());
            let at = now + self.conditions.delay + jitter;
            self.departures += 1;
            let datagram = Datagram { at, departure: self.departures, to, bytes: bytes.to_vec() };
            self.on_the_way.push(Reverse(datagram));
        }
    }

    pub(crate) fn next_arrival(&self) -> Option<Duration> {
        self.on_the_way.peek().map(|Reverse(datagram)| datagram.at)
    }

    pub(crate) fn arrived(&mut self, now: Duration) -> Option<Datagram> {
        let due = self.next_arrival().is_some_and(|at| at <= now);
        due.then(|| self.on_the_way.pop().map(|Reverse(datagram)| datagram)).flatten()
    }
}
