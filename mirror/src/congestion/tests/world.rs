//! The path and its clock: some senders, one bottleneck.

use std::collections::VecDeque;

use super::super::model::Model;
use super::sender::{Application, Control, Held, PACKET_BYTES, Sender};

/// With what UDP, IP and the link add.
const WIRE_BYTES: f64 = PACKET_BYTES as f64 + 28.0;
const WRITE_NANOS: u64 = 2_000_000;
const SILENCE_CHECK_NANOS: u64 = 50_000_000;
/// Jitter holds for a while, as cross traffic does.
const JITTER_HOLDS_SECS: f64 = 0.005;
/// No queue in the world is shorter: some twenty packets.
const QUEUE_BYTES_MIN: f64 = 30_000.0;

#[derive(Clone, Copy)]
pub(super) struct Path {
    /// Megabits a second.
    pub(super) mbit: f64,
    pub(super) rtt_ms: f64,
    /// In bandwidth-delay products.
    pub(super) queue: f64,
    /// Share of packets that are lost for no reason, in bursts of this mean length.
    pub(super) loss: f64,
    pub(super) burst: f64,
    /// Added to the way, between nothing and this, and order kept.
    pub(super) jitter_ms: f64,
    /// Acknowledgements come in bunches, this far apart.
    pub(super) bunch_ms: f64,
}

impl Path {
    pub(super) fn new(mbit: f64, rtt_ms: f64) -> Self {
        Self { mbit, rtt_ms, queue: 1.0, loss: 0.0, burst: 1.0, jitter_ms: 0.0, bunch_ms: 0.0 }
    }

    fn bytes_per_sec(&self) -> f64 {
        self.mbit * 1e6 / 8.0
    }
}

/// What happened in a span of time.
#[derive(Debug)]
pub(super) struct Span {
    /// Of the link, for each flow.
    pub(super) shares: Vec<f64>,
    /// Mean, in empty round trips.
    pub(super) queue: f64,
    /// Of offered packets, at the full queue.
    pub(super) dropped: f64,
}

impl Span {
    pub(super) fn used(&self) -> f64 {
        self.shares.iter().sum()
    }

    /// Of what all flows got.
    pub(super) fn part(&self, flow: usize) -> f64 {
        self.shares[flow] / self.used()
    }
}

pub(super) struct World {
    path: Path,
    up: bool,
    now: u64,
    /// When the bottleneck has sent all it holds.
    free_at: u64,
    random: Random,
    in_burst: bool,
    jitter: u64,
    jitter_until: u64,
    flows: Vec<Flow>,
    offered: u64,
    dropped: u64,
    queue_secs: f64,
}

struct Flow {
    sender: Sender,
    /// Acknowledgements on their way back, in order.
    acks: VecDeque<(u64, u64)>,
    send_at: Option<u64>,
    write_at: u64,
    check_at: u64,
    acked: u64,
}

#[derive(Clone, Copy)]
enum Event {
    Ack,
    Send,
    Write,
    Check,
}

impl World {
    pub(super) fn new(path: Path, seed: u64) -> Self {
        Self {
            path,
            up: true,
            now: 0,
            free_at: 0,
            random: Random(seed),
            in_burst: false,
            jitter: 0,
            jitter_until: 0,
            flows: Vec::new(),
            offered: 0,
            dropped: 0,
            queue_secs: 0.0,
        }
    }

    /// With one bulk flow of ours.
    pub(super) fn with_ours(path: Path, seed: u64) -> Self {
        let mut world = Self::new(path, seed);
        world.add_ours();
        world
    }

    pub(super) fn add_ours(&mut self) {
        self.add(Box::new(Model::new(None, PACKET_BYTES as u16)), Application::Bulk);
    }

    /// A flow that begins now.
    pub(super) fn add(&mut self, control: Box<dyn Control>, application: Application) {
        let sender = Sender::new(control, application);
        let (write_at, check_at) = (self.now, self.now);
        self.flows.push(Flow {
            sender,
            acks: VecDeque::new(),
            send_at: Some(self.now),
            write_at,
            check_at,
            acked: 0,
        });
    }

    pub(super) fn set_application(&mut self, flow: usize, application: Application) {
        self.flows[flow].sender.set_application(application);
    }

    pub(super) fn set_mbit(&mut self, mbit: f64) {
        self.path.mbit = mbit;
    }

    pub(super) fn set_rtt_ms(&mut self, rtt_ms: f64) {
        self.path.rtt_ms = rtt_ms;
    }

    pub(super) fn set_up(&mut self, up: bool) {
        self.up = up;
    }

    /// Lets time pass.
    pub(super) fn run(&mut self, secs: f64) -> Span {
        (self.offered, self.dropped, self.queue_secs) = (0, 0, 0.0);
        let before: Vec<u64> = self.flows.iter().map(|flow| flow.acked).collect();
        let until = self.now + nanos(secs);
        while let Some((at, flow, event)) = self.next_event()
            && at <= until
        {
            self.now = at;
            self.handle(flow, event);
        }
        self.now = until;
        let share = |(flow, before): (&Flow, u64)| {
            (flow.acked - before) as f64 * WIRE_BYTES / (self.path.bytes_per_sec() * secs)
        };
        Span {
            shares: self.flows.iter().zip(before).map(share).collect(),
            queue: self.queue_secs / self.offered.max(1) as f64 / (self.path.rtt_ms / 1e3),
            dropped: self.dropped as f64 / self.offered.max(1) as f64,
        }
    }

    fn next_event(&self) -> Option<(u64, usize, Event)> {
        let of_flow = |(at, flow): (usize, &Flow)| {
            let (time, event) = flow.next_event();
            (time, at, event)
        };
        self.flows.iter().enumerate().map(of_flow).min_by_key(|(time, _, _)| *time)
    }

    fn handle(&mut self, at: usize, event: Event) {
        let (now, secs) = (self.now, self.now as f64 / 1e9);
        let flow = &mut self.flows[at];
        match event {
            Event::Ack => {
                let (_, number) = flow.acks.pop_front().expect("it was next");
                flow.acked += 1;
                flow.sender.handle_ack(secs, number);
            }
            Event::Send => flow.send_at = None,
            Event::Write => {
                flow.sender.write(WRITE_NANOS as f64 / 1e9);
                flow.write_at = now + WRITE_NANOS;
            }
            Event::Check => {
                flow.sender.give_up_on_silence(secs);
                flow.check_at = now + SILENCE_CHECK_NANOS;
            }
        }
        self.send(at);
    }

    fn send(&mut self, at: usize) {
        loop {
            match self.flows[at].sender.try_send(self.now) {
                Ok(number) => self.carry(at, number),
                Err(Held::Pacer(until)) => {
                    self.flows[at].send_at = Some(until);
                    return;
                }
                Err(Held::Window | Held::Application) => return,
            }
        }
    }

    /// Through the queue, over the way, and back as an acknowledgement; or not.
    fn carry(&mut self, at: usize, number: u64) {
        let rate = self.path.bytes_per_sec();
        let waits = self.free_at.saturating_sub(self.now) as f64 / 1e9;
        self.offered += 1;
        self.queue_secs += waits;
        let queue_max = (self.path.queue * rate * self.path.rtt_ms / 1e3).max(QUEUE_BYTES_MIN);
        if !self.up || waits * rate + WIRE_BYTES > queue_max {
            self.dropped += 1;
            return;
        }
        self.free_at = self.free_at.max(self.now) + nanos(WIRE_BYTES / rate);
        if self.is_lost() {
            return;
        }
        let mut back = self.free_at + nanos(self.path.rtt_ms / 1e3) + self.jitter();
        if self.path.bunch_ms > 0.0 {
            back = back.next_multiple_of(nanos(self.path.bunch_ms / 1e3));
        }
        let flow = &mut self.flows[at];
        let back = flow.acks.back().map_or(back, |(last, _)| back.max(*last));
        flow.acks.push_back((back, number));
    }

    /// Two states (Gilbert and Elliott): in the bad one everything is lost.
    fn is_lost(&mut self) -> bool {
        if self.path.loss == 0.0 {
            return false;
        }
        let stays = 1.0 - 1.0 / self.path.burst;
        let enters = self.path.loss / (self.path.burst * (1.0 - self.path.loss));
        let probability = if self.in_burst { stays } else { enters };
        self.in_burst = self.random.next() < probability;
        self.in_burst
    }

    fn jitter(&mut self) -> u64 {
        if self.path.jitter_ms > 0.0 && self.now >= self.jitter_until {
            self.jitter = nanos(self.path.jitter_ms / 1e3 * self.random.next());
            let holds = -self.random.next().max(1e-9).ln() * JITTER_HOLDS_SECS;
            self.jitter_until = self.now + nanos(holds);
        }
        self.jitter
    }
}

impl Flow {
    fn next_event(&self) -> (u64, Event) {
        let ack = self.acks.front().map_or(u64::MAX, |(at, _)| *at);
        let events = [
            (ack, Event::Ack),
            (self.send_at.unwrap_or(u64::MAX), Event::Send),
            (self.write_at, Event::Write),
            (self.check_at, Event::Check),
        ];
        events.into_iter().min_by_key(|(at, _)| *at).expect("there are four")
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    /// In 0..1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

fn nanos(secs: f64) -> u64 {
    (secs * 1e9) as u64
}
