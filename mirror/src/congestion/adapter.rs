//! The model behind quinn's trait: instants become times since the connection began, and that is all.

use std::any::Any;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quinn_proto::RttEstimator;
use quinn_proto::congestion::{Controller, ControllerFactory};

use super::limits::WINDOW_INITIAL;
use super::model::{Acked, Model};

/// Makes the link's controller for each path of a connection. Give it to `TransportConfig::congestion_controller_factory`.
#[derive(Debug, Clone, Default)]
pub struct LinkControllerFactory {
    rate_max: Option<NonZeroU64>,
}

impl LinkControllerFactory {
    /// Without a declared rate: as much as the path carries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bounds what a connection sends, in bytes of UDP payload a second, retransmissions included.
    ///
    /// Effect: the window never exceeds what the rate fills in a mean round trip, so the average over some round trips keeps
    /// to it; single bursts (a tenth of a second at most, quinn's pacer allows 1.25 windows a round trip) may not. A window holds
    /// two packets at least, so a rate that fills less than that in a round trip (below about 3 MB/s at 1 ms, 29 MB/s at
    /// 0.1 ms) is exceeded: the sender has to keep to it before it writes. The first round trip, whose length nobody knows yet, sends up
    /// to 64 KiB. It is per connection: a link of several node pairs has to divide its limit.
    ///
    /// Cost: none while the path carries less. Set it when the operator has reserved only a part of the line for the link.
    #[must_use]
    pub fn rate_max(mut self, bytes_per_sec: Option<NonZeroU64>) -> Self {
        self.rate_max = bytes_per_sec;
        self
    }
}

impl ControllerFactory for LinkControllerFactory {
    fn build(self: Arc<Self>, now: Instant, current_mtu: u16) -> Box<dyn Controller> {
        let model = Model::new(self.rate_max.map(NonZeroU64::get), current_mtu);
        Box::new(LinkController { began: now, model })
    }
}

#[derive(Debug, Clone)]
struct LinkController {
    began: Instant,
    model: Model,
}

impl LinkController {
    fn since_began(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.began)
    }
}

impl Controller for LinkController {
    fn on_sent(&mut self, now: Instant, bytes: u64, _last_packet_number: u64) {
        self.model.handle_sent(self.since_began(now), bytes);
    }

    /// quinn's estimator smooths over queues and jitter, which the model tells apart: it takes its own round trips.
    fn on_ack(&mut self, now: Instant, sent: Instant, bytes: u64, app_limited: bool, _rtt: &RttEstimator) {
        let (now, sent) = (self.since_began(now), self.since_began(sent));
        self.model.handle_ack(Acked { now, sent, bytes, app_limited });
    }

    fn on_end_acks(&mut self, now: Instant, in_flight: u64, app_limited: bool, _largest: Option<u64>) {
        self.model.handle_acks_done(self.since_began(now), in_flight, app_limited);
    }

    fn on_congestion_event(
        &mut self,
        now: Instant,
        sent: Instant,
        is_persistent_congestion: bool,
        lost_bytes: u64,
    ) {
        let (now, sent) = (self.since_began(now), self.since_began(sent));
        // quinn's way of saying that packets were not lost but marked.
        if lost_bytes == 0 && !is_persistent_congestion {
            self.model.handle_mark(now, sent);
        } else {
            self.model.handle_lost(now, sent, lost_bytes, is_persistent_congestion);
        }
    }

    fn on_mtu_update(&mut self, new_mtu: u16) {
        self.model.handle_mtu(new_mtu);
    }

    fn window(&self) -> u64 {
        self.model.window()
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }

    fn initial_window(&self) -> u64 {
        WINDOW_INITIAL
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
