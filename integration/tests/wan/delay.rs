//! Delay and jitter, to the millisecond.

use integration::wan::{Change, Impairments, Layout, Plan, STATE_ROOT};

use super::{
    machine::{east_west, turn, unique},
    tools::ping,
};

/// How far a round trip may be off, in milliseconds.
const OFF_MAX_MS: f64 = 1.0;
/// What ping's own clock rounds away.
const ROUNDING_MS: f64 = 0.01;

/// The shortest round trip is the link's; longer ones may be a busy machine's.
fn assert_round_trip(layout: &Layout, expected_ms: f64) {
    let pings = ping(layout, "east", "west", &["-c", "20", "-i", "0.01"]);
    let off = pings.min_ms - expected_ms;
    assert!((-ROUNDING_MS..OFF_MAX_MS).contains(&off), "{pings:?}, and {expected_ms} ms are set");
    assert_eq!(pings.received, 20);
}

#[test]
fn round_trips_are_right_to_a_millisecond_and_follow_changes() {
    let Some(_turn) = turn() else { return };
    let layout = east_west("delay", &Impairments::default());
    for one_way_ms in [0.0, 5.0, 25.0, 50.0, 100.0, 1.5] {
        let change = Change { delay_ms: Some(one_way_ms), ..Change::default() };
        layout.set_both("east", "west", &change).unwrap();
        assert_round_trip(&layout, 2.0 * one_way_ms);
    }
}

#[test]
fn each_direction_has_its_own_delay() {
    let Some(_turn) = turn() else { return };
    let layout = east_west("oneway", &Impairments::default());
    layout.set("east", "west", &Change { delay_ms: Some(10.0), ..Change::default() }).unwrap();
    assert_round_trip(&layout, 10.0);
    layout.set("west", "east", &Change { delay_ms: Some(40.0), ..Change::default() }).unwrap();
    assert_round_trip(&layout, 50.0);
}

#[test]
fn jitter_spreads_round_trips_over_its_width() {
    let Some(_turn) = turn() else { return };
    let layout =
        east_west("jitter", &Impairments { delay_ms: 20.0, jitter_ms: 10.0, ..Impairments::default() });
    let pings = ping(&layout, "east", "west", &["-c", "200", "-i", "0.01"]);
    // Two draws from 0 to 10 ms; of 200 sums the least is below 3 and the greatest above 17, but for one chance in
    // ten thousand, which the seed does not take.
    assert!((40.0 - ROUNDING_MS..43.0).contains(&pings.min_ms), "{pings:?}");
    assert!(pings.max_ms > 57.0 && pings.average_ms > 48.0, "{pings:?}");
}

#[test]
fn three_datacenters_reach_each_other_over_their_own_links() {
    let Some(_turn) = turn() else { return };
    let plan = Plan::mesh(&unique("mesh"), &["a", "b", "c"], &Impairments::default()).unwrap();
    let layout = Layout::up(&plan, 1, std::path::Path::new(STATE_ROOT)).unwrap();
    for (at, (one, other)) in [("a", "b"), ("a", "c"), ("b", "c")].into_iter().enumerate() {
        let delay_ms = 10.0 * (at as f64 + 1.0);
        layout.set(one, other, &Change { delay_ms: Some(delay_ms), ..Change::default() }).unwrap();
        for (from, to) in [(one, other), (other, one)] {
            let pings = ping(&layout, from, to, &["-c", "10", "-i", "0.02"]);
            let off = pings.min_ms - delay_ms;
            assert!((-ROUNDING_MS..OFF_MAX_MS).contains(&off), "{from} {to}: {pings:?}");
        }
    }
}
