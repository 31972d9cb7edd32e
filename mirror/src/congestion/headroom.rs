//! How much more than the path holds is kept in flight: the price of noticing that there is more to have.
//!
//! The share falls with the size of the flow. With a fixed one any split between two flows reproduces itself; a share that is
//! smaller for the larger flow pulls them together without either having to probe.

/// Share of a flow that has [`PACKETS_SMALL`] in flight, and what each tenfold of that takes away.
const SHARE_SMALL: f64 = 0.43;
const SHARE_LESS_PER_DECADE: f64 = 0.12;
const PACKETS_SMALL: f64 = 10.0;
/// Bounds: below, a growing link goes unnoticed; above, the queue would stand at a third of the path.
const SHARE_MIN: f64 = 0.06;
const SHARE_MAX: f64 = 0.28;
/// What a round with excessive loss leaves of it, what a quiet one gives back, and what always stays. The window
/// never falls below what fills the path, so that taking chance for overflow costs almost nothing.
const CUT: f64 = 0.75;
const RECOVERY: f64 = 0.01;
const LEFT_MIN: f64 = 0.15;
/// Packets on top: a share of few packets is less than one.
const PACKETS_SPARE: f64 = 2.0;

#[derive(Debug, Clone)]
pub(super) struct Headroom {
    /// What losses have left of the share: 1 is all of it.
    left: f64,
}

impl Default for Headroom {
    fn default() -> Self {
        Self { left: 1.0 }
    }
}

impl Headroom {
    pub(super) fn handle_round(&mut self, lost_too_much: bool) {
        self.left =
            if lost_too_much { (self.left * CUT).max(LEFT_MIN) } else { (self.left + RECOVERY).min(1.0) };
    }

    /// What losses have left, of 1.
    pub(super) fn left(&self) -> f64 {
        self.left
    }

    /// Of a window of `base` bytes that fills the path.
    pub(super) fn bytes(&self, base: f64, packet_bytes: f64) -> f64 {
        let decades = (base / packet_bytes / PACKETS_SMALL).max(1.0).log10();
        let share = (SHARE_SMALL - SHARE_LESS_PER_DECADE * decades).clamp(SHARE_MIN, SHARE_MAX);
        base * share * self.left + PACKETS_SPARE * packet_bytes
    }
}

#[test]
fn the_larger_flow_has_the_smaller_share() {
    let headroom = Headroom::default();
    let share = |packets: f64| headroom.bytes(packets * 1000.0, 1000.0) / (packets * 1000.0);
    assert!(share(100.0) > share(1_000.0) && share(1_000.0) > share(5_000.0));
    assert!(share(1e9) >= SHARE_MIN);
}

#[test]
fn losses_take_headroom_and_quiet_rounds_give_it_back() {
    let mut headroom = Headroom::default();
    (0..50).for_each(|_| headroom.handle_round(true));
    assert_eq!(headroom.left, LEFT_MIN);
    (0..100).for_each(|_| headroom.handle_round(false));
    assert_eq!(headroom.left, 1.0);
}
