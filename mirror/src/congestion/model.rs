//! The model of the path and the window that follows from it. Holds no clock and no type of the transport: times are since
//! the connection began, and every callback is an argument.

use std::time::Duration;

use super::competing::{AfterDown, Competing};
use super::delivery::{Delivery, Sample};
use super::headroom::Headroom;
use super::limits::{
    HOST_LATENCY_SECS, RTT_MIN_SECS, WINDOW_INITIAL, WINDOW_MAX, WINDOW_PACKETS_MIN,
    WINDOW_PACKETS_MIN_DECLARED,
};
use super::loss::RandomLoss;
use super::path::PathDelay;
use super::phase::{Cruise, Growth, Phase};
use super::rate::RateFilter;
use super::round::Round;
use super::startup::Startup;
use super::windowed::WindowedMin;

/// Startup's window in fills of the path: a doubling, and a little for what is measured late.
const STARTUP_FILLS_MAX: f64 = 2.1;
/// Rounds after which the rate measured in Startup is worth bounding it by.
const STARTUP_ROUNDS_UNBOUNDED: u64 = 3;
/// Down's window in fills, and how far below it the longer memory of the empty path may take it.
const DOWN_FILLS: f64 = 0.8;
const DOWN_FILLS_MIN: f64 = 0.7;
/// Drain is over when this many fills are in flight, and some packets on the way to being acknowledged.
const DRAINED_FILLS: f64 = 1.02;
const DRAINED_PACKETS_SPARE: f64 = 4.0;
/// After a time in which everything was lost the model is kept and the path filled again from below.
const AFTER_BLACKOUT_FILLS: f64 = 0.75;
/// How long a large window is remembered, for one that has to hold its own against a competitor.
const PEAK_MEMORY: Duration = Duration::from_secs(5);

/// One connection's controller.
#[derive(Debug, Clone)]
pub(super) struct Model {
    /// Bytes a second that were declared to be the most.
    rate_max: Option<f64>,
    packet_bytes: f64,
    window: f64,
    phase: Phase,
    rounds: u64,
    round: Round,
    delivery: Delivery,
    rate: RateFilter,
    growth: Growth,
    path: PathDelay,
    mean_rtt: Option<f64>,
    loss: RandomLoss,
    headroom: Headroom,
    competing: Competing,
    /// The window the packets of this round were sent under.
    window_of_round: f64,
    window_before_down: f64,
    /// Negated, so that the least is the largest window.
    window_peak: WindowedMin,
}

/// An acknowledged packet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Acked {
    pub(super) now: Duration,
    pub(super) sent: Duration,
    pub(super) bytes: u64,
    /// The application had nothing more to send: the window was not what held it back.
    pub(super) app_limited: bool,
}

impl Model {
    pub(super) fn new(rate_max: Option<u64>, mtu: u16) -> Self {
        Self {
            rate_max: rate_max.map(|rate| rate as f64),
            packet_bytes: packet_bytes(mtu),
            window: WINDOW_INITIAL as f64,
            phase: Phase::Startup(Startup::default()),
            rounds: 0,
            round: Round::default(),
            delivery: Delivery::default(),
            rate: RateFilter::default(),
            growth: Growth::default(),
            path: PathDelay::default(),
            mean_rtt: None,
            loss: RandomLoss::default(),
            headroom: Headroom::default(),
            competing: Competing::default(),
            window_of_round: WINDOW_INITIAL as f64,
            window_before_down: WINDOW_INITIAL as f64,
            window_peak: WindowedMin::default(),
        }
    }

    /// Bytes that may be in flight.
    pub(super) fn window(&self) -> u64 {
        let declared = self.declared_window();
        let packets = if declared.is_some() { WINDOW_PACKETS_MIN_DECLARED } else { WINDOW_PACKETS_MIN };
        let window = declared.map_or(self.window, |declared| self.window.min(declared));
        window.clamp(packets * self.packet_bytes, WINDOW_MAX) as u64
    }

    pub(super) fn handle_mtu(&mut self, mtu: u16) {
        self.packet_bytes = packet_bytes(mtu);
    }

    pub(super) fn handle_sent(&mut self, now: Duration, bytes: u64) {
        self.delivery.handle_sent(now, bytes, self.path.min_rtt());
    }

    pub(super) fn handle_ack(&mut self, acked: Acked) {
        let rtt = acked.now.saturating_sub(acked.sent).as_secs_f64().max(RTT_MIN_SECS);
        self.path.handle_rtt(acked.now, rtt);
        let sample = self.delivery.handle_ack(acked.now, acked.sent, acked.bytes, self.path.min_rtt());
        self.round.handle_ack(acked.bytes, rtt);
        if let Some(sample) = sample {
            self.handle_sample(acked.now, sample);
        }
        if let Phase::Startup(startup) = &mut self.phase
            && !acked.app_limited
            && startup.handle_rtt(acked.now, rtt, self.path.min_rtt().unwrap_or(rtt))
            && self.rounds > 1
        {
            self.begin_drain();
        }
        self.follow(&acked);
    }

    /// After all acknowledgements of a packet.
    pub(super) fn handle_acks_done(&mut self, now: Duration, in_flight: u64, app_limited: bool) {
        self.delivery.handle_acks_done(in_flight, app_limited);
        let drained = DRAINED_FILLS * self.base() + DRAINED_PACKETS_SPARE * self.packet_bytes;
        if matches!(self.phase, Phase::Drain) && in_flight as f64 <= drained {
            self.phase = Phase::Cruise(Cruise::after_drain(now));
        }
    }

    /// `everything`: nothing got through for several round trips.
    pub(super) fn handle_lost(&mut self, now: Duration, sent: Duration, bytes: u64, everything: bool) {
        self.delivery.handle_lost(bytes);
        self.round.handle_lost(bytes, self.packet_bytes);
        self.competing.handle_lost(now, sent, self.floor(), self.packet_bytes);
        if everything {
            self.window = (AFTER_BLACKOUT_FILLS * self.base()).clamp(self.floor(), WINDOW_MAX);
        }
    }

    /// A queue on the way marked packets instead of dropping them (ECN).
    pub(super) fn handle_mark(&mut self, now: Duration, sent: Duration) {
        self.round.handle_mark();
        self.competing.handle_lost(now, sent, self.floor(), self.packet_bytes);
    }

    fn handle_sample(&mut self, now: Duration, sample: Sample) {
        if sample.ends_round {
            self.end_round(now);
        }
        self.round.handle_sample(sample.rate, sample.app_limited);
        if let Some(rate) = sample.rate
            && self.phase.measures_rate()
            && (!sample.app_limited || rate > self.rate.rate())
        {
            self.rate.add(rate);
        }
    }

    fn end_round(&mut self, now: Duration) {
        let round = std::mem::take(&mut self.round);
        self.rounds += 1;
        self.mean_rtt = round.mean_rtt().or(self.mean_rtt);
        let min_rtt = self.path.min_rtt().unwrap_or(RTT_MIN_SECS);
        if !round.is_app_limited() && self.phase.measures_rate() {
            self.rate.end_round(round.least_rtt().unwrap_or(min_rtt), min_rtt);
        }
        let another_path =
            !round.is_app_limited() && self.path.handle_round(now, &round, self.window_of_round);
        self.window_of_round = self.window;
        self.loss.handle_round(&round, self.phase.ends_drained());
        self.headroom.handle_round(self.loss.is_exceeded_by(&round, self.packet_bytes));
        self.advance(now, &round);
        if another_path && matches!(self.phase, Phase::Cruise(_)) {
            self.phase = Phase::Startup(Startup::again(round.best_rate()));
        }
        self.window_peak.add(now, -self.window, PEAK_MEMORY);
        self.growth.handle_round(self.rate.rate());
    }

    /// What the round that ended means for the phase.
    fn advance(&mut self, now: Duration, round: &Round) {
        match &mut self.phase {
            Phase::Startup(startup) => {
                if startup.handle_round(round) {
                    self.begin_drain();
                }
            }
            Phase::Drain => {}
            Phase::Down { rounds_left } => {
                *rounds_left = rounds_left.saturating_sub(1);
                if *rounds_left == 0 {
                    self.end_down(now, round);
                }
            }
            Phase::Cruise(cruise) => {
                cruise.handle_round(round.is_app_limited());
                if round.is_app_limited() {
                    return;
                }
                let over = cruise.is_over(now, self.competing.window().is_some());
                if cruise.is_settled() {
                    self.path.handle_settled_round(round);
                }
                if self.growth.shows(self.rate.rate()) {
                    self.phase = Phase::Startup(Startup::again(round.best_rate()));
                } else if over {
                    self.window_before_down = self.window;
                    self.phase = Phase::down();
                }
            }
        }
    }

    fn begin_drain(&mut self) {
        self.growth = Growth::default();
        self.phase = Phase::Drain;
    }

    fn end_down(&mut self, now: Duration, round: &Round) {
        if let (Some(round_rtt), Some(empty_rtt)) = (round.least_rtt(), self.path.long_min_rtt()) {
            self.competing.handle_down_ended(AfterDown {
                now,
                round_rtt,
                empty_rtt,
                jitter: self.path.jitter(),
                window: self.window_before_down,
                window_peak: self.window_peak.least().map_or(self.window_before_down, |peak| -peak),
                packet_bytes: self.packet_bytes,
            });
        }
        self.phase = Phase::Cruise(Cruise::after_down(now));
    }

    /// Moves the window towards the phase's: down at once, up by no more than what was acknowledged.
    fn follow(&mut self, acked: &Acked) {
        let base = self.base();
        let bytes = acked.bytes as f64;
        let target = match &self.phase {
            Phase::Startup(_) if self.rounds > STARTUP_ROUNDS_UNBOUNDED && base > 0.0 => {
                (STARTUP_FILLS_MAX * base).max(self.window)
            }
            Phase::Startup(_) => WINDOW_MAX,
            Phase::Drain => base,
            Phase::Cruise(_) => {
                let own = base + self.headroom.bytes(base, self.packet_bytes);
                let against = self.competing.window().unwrap_or(0.0);
                if !acked.app_limited {
                    self.competing.handle_ack(acked.now, bytes, self.packet_bytes);
                }
                own.max(against)
            }
            Phase::Down { .. } => {
                let empty = DOWN_FILLS * self.rate.rate() * self.path.long_length();
                empty.max(DOWN_FILLS_MIN * base).min(DOWN_FILLS * base)
            }
        };
        let target = target.clamp(self.floor(), WINDOW_MAX);
        let grown = if acked.app_limited { self.window } else { self.window + bytes };
        self.window = grown.min(target);
    }

    /// What fills the path and leaves no queue.
    fn base(&self) -> f64 {
        self.rate.rate() * self.path.length() / (1.0 - self.loss.share())
    }

    fn floor(&self) -> f64 {
        let packets = WINDOW_PACKETS_MIN * self.packet_bytes;
        let host = HOST_LATENCY_SECS * self.rate.rate() * self.headroom.left();
        packets.max(host).min(WINDOW_MAX)
    }

    /// The window at which the declared rate is reached. By the mean round trip, not the least: what stands in a
    /// queue or is late is not being sent.
    fn declared_window(&self) -> Option<f64> {
        Some(self.rate_max? * self.mean_rtt.or(self.path.min_rtt())?)
    }
}

fn packet_bytes(mtu: u16) -> f64 {
    f64::from(mtu.max(1))
}
