//! One flow's sender: what it may send, what it takes for lost.

use std::collections::VecDeque;
use std::time::Duration;

use super::super::model::{Acked, Model};
use super::pacer::Pacer;

pub(super) const PACKET_BYTES: u64 = 1452;
/// A packet is lost when one sent this many later was acknowledged.
const PACKET_THRESHOLD: u64 = 3;
/// Everything is lost when nothing was heard for that many round trips, and at least this long.
const SILENCE_RTTS: f64 = 3.0;
const SILENCE_MIN_SECS: f64 = 0.2;
/// The usual smoothing of round trips.
const SMOOTHING: f64 = 0.125;
const RTT_INITIAL_SECS: f64 = 0.333;

/// A congestion controller, in seconds and packets of [`PACKET_BYTES`].
pub(super) trait Control {
    fn window(&self) -> f64;
    fn handle_sent(&mut self, now: f64);
    fn handle_ack(&mut self, now: f64, sent: f64, in_flight: u64, app_limited: bool);
    fn handle_lost(&mut self, now: f64, sent: f64, packets: u64, everything: bool);
}

/// What the application writes.
#[derive(Clone, Copy)]
pub(super) enum Application {
    /// More than the path carries.
    Bulk,
    /// So many bytes a second, in writes of 2 ms each.
    Steady(f64),
}

pub(super) struct Sender {
    pub(super) control: Box<dyn Control>,
    application: Application,
    written: f64,
    sent_bytes: f64,
    pacer: Pacer,
    next_number: u64,
    unacked: VecDeque<(u64, f64)>,
    smoothed_rtt: Option<f64>,
    heard_at: f64,
    app_limited: bool,
}

/// Why nothing more leaves.
pub(super) enum Held {
    Window,
    Pacer(u64),
    Application,
}

impl Sender {
    pub(super) fn new(control: Box<dyn Control>, application: Application) -> Self {
        Self {
            control,
            application,
            written: 0.0,
            sent_bytes: 0.0,
            pacer: Pacer::default(),
            next_number: 0,
            unacked: VecDeque::new(),
            smoothed_rtt: None,
            heard_at: 0.0,
            app_limited: false,
        }
    }

    pub(super) fn set_application(&mut self, application: Application) {
        self.application = application;
        self.written = self.sent_bytes;
    }

    pub(super) fn write(&mut self, secs: f64) {
        if let Application::Steady(rate) = self.application {
            self.written += rate * secs;
        }
    }

    /// The next packet's number, or why there is none.
    pub(super) fn try_send(&mut self, now_nanos: u64) -> Result<u64, Held> {
        let has_data = match self.application {
            Application::Bulk => true,
            Application::Steady(_) => self.sent_bytes + PACKET_BYTES as f64 <= self.written,
        };
        let window = self.control.window();
        // quinn sends nothing that would fill the window to the byte.
        let fits = ((self.unacked.len() as u64 + 1) * PACKET_BYTES) < window as u64;
        self.app_limited = !has_data && fits;
        if !has_data {
            return Err(Held::Application);
        }
        if !fits {
            return Err(Held::Window);
        }
        let rtt = self.smoothed_rtt.unwrap_or(RTT_INITIAL_SECS);
        self.pacer.take(now_nanos, window, rtt).map_err(Held::Pacer)?;
        let now = now_nanos as f64 / 1e9;
        if self.unacked.is_empty() {
            self.heard_at = now;
        }
        let number = self.next_number;
        self.next_number += 1;
        self.sent_bytes += PACKET_BYTES as f64;
        self.unacked.push_back((number, now));
        self.control.handle_sent(now);
        Ok(number)
    }

    pub(super) fn handle_ack(&mut self, now: f64, number: u64) {
        let Ok(at) = self.unacked.binary_search_by_key(&number, |(number, _)| *number) else { return };
        let (_, sent) = self.unacked.remove(at).expect("the search found it");
        let rtt = now - sent;
        let smoothed = self.smoothed_rtt.get_or_insert(rtt);
        *smoothed += (rtt - *smoothed) * SMOOTHING;
        self.heard_at = now;
        self.control.handle_ack(now, sent, self.unacked.len() as u64, self.app_limited);
        let lost =
            self.unacked.iter().take_while(|(earlier, _)| earlier + PACKET_THRESHOLD <= number).count();
        self.lose(now, lost, false);
    }

    pub(super) fn give_up_on_silence(&mut self, now: f64) {
        let patience = (SILENCE_RTTS * self.smoothed_rtt.unwrap_or(RTT_INITIAL_SECS)).max(SILENCE_MIN_SECS);
        if now - self.heard_at > patience {
            self.lose(now, self.unacked.len(), true);
        }
    }

    /// What was lost is written again.
    fn lose(&mut self, now: f64, packets: usize, everything: bool) {
        if let Some((_, sent)) = self.unacked.drain(..packets).next_back() {
            self.sent_bytes -= packets as f64 * PACKET_BYTES as f64;
            self.control.handle_lost(now, sent, packets as u64, everything);
        }
    }
}

impl Control for Model {
    fn window(&self) -> f64 {
        Model::window(self) as f64
    }

    fn handle_sent(&mut self, now: f64) {
        Model::handle_sent(self, Duration::from_secs_f64(now), PACKET_BYTES);
    }

    fn handle_ack(&mut self, now: f64, sent: f64, in_flight: u64, app_limited: bool) {
        let (now, sent) = (Duration::from_secs_f64(now), Duration::from_secs_f64(sent));
        Model::handle_ack(self, Acked { now, sent, bytes: PACKET_BYTES, app_limited });
        self.handle_acks_done(now, in_flight * PACKET_BYTES, app_limited);
    }

    fn handle_lost(&mut self, now: f64, sent: f64, packets: u64, everything: bool) {
        let (now, sent) = (Duration::from_secs_f64(now), Duration::from_secs_f64(sent));
        Model::handle_lost(self, now, sent, packets * PACKET_BYTES, everything);
    }
}
