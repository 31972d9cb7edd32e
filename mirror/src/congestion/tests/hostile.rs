//! Whatever the callbacks say, nothing panics and the window stays in its bounds.

use std::time::Duration;

use proptest::prelude::*;

use super::super::limits::{WINDOW_MAX, WINDOW_PACKETS_MIN, WINDOW_PACKETS_MIN_DECLARED};
use super::super::model::{Acked, Model};

#[derive(Debug, Clone)]
enum Call {
    Sent(Duration, u64),
    Ack(Acked),
    AcksDone(Duration, u64, bool),
    Lost(Duration, Duration, u64, bool),
    Mark(Duration, Duration),
    Mtu(u16),
}

/// Mostly ordinary, sometimes absurd; not in order.
fn time() -> impl Strategy<Value = Duration> {
    prop_oneof![
        6 => (0..20_000_000u64).prop_map(Duration::from_micros),
        1 => Just(Duration::ZERO),
        1 => any::<u64>().prop_map(Duration::from_nanos),
        1 => Just(Duration::MAX),
    ]
}

fn size() -> impl Strategy<Value = u64> {
    prop_oneof![6 => 0..70_000u64, 1 => Just(0), 1 => any::<u64>(), 1 => Just(u64::MAX)]
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        4 => (time(), size()).prop_map(|(now, bytes)| Call::Sent(now, bytes)),
        4 => (time(), time(), size(), any::<bool>())
            .prop_map(|(now, sent, bytes, app_limited)| Call::Ack(Acked { now, sent, bytes, app_limited })),
        2 => (time(), size(), any::<bool>()).prop_map(|(now, bytes, idle)| Call::AcksDone(now, bytes, idle)),
        2 => (time(), time(), size(), any::<bool>())
            .prop_map(|(now, sent, bytes, everything)| Call::Lost(now, sent, bytes, everything)),
        1 => (time(), time()).prop_map(|(now, sent)| Call::Mark(now, sent)),
        1 => any::<u16>().prop_map(Call::Mtu),
    ]
}

fn apply(model: &mut Model, call: Call) {
    match call {
        Call::Sent(now, bytes) => model.handle_sent(now, bytes),
        Call::Ack(acked) => model.handle_ack(acked),
        Call::AcksDone(now, in_flight, app_limited) => model.handle_acks_done(now, in_flight, app_limited),
        Call::Lost(now, sent, bytes, everything) => model.handle_lost(now, sent, bytes, everything),
        Call::Mark(now, sent) => model.handle_mark(now, sent),
        Call::Mtu(mtu) => model.handle_mtu(mtu),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_callbacks_leaves_the_bounds(
        calls in proptest::collection::vec(call(), 1..200),
        rate_max in proptest::option::of(any::<u64>()),
    ) {
        let mut model = Model::new(rate_max, 1200);
        let mut mtu = 1200;
        let packets = if rate_max.is_some() { WINDOW_PACKETS_MIN_DECLARED } else { WINDOW_PACKETS_MIN };
        for call in calls {
            if let Call::Mtu(new) = call {
                mtu = new;
            }
            apply(&mut model, call);
            let window = model.window();
            prop_assert!(window as f64 >= packets * f64::from(mtu.max(1)), "{window} at {mtu}");
            prop_assert!(window as f64 <= WINDOW_MAX, "{window}");
        }
    }
}

/// Thousands of rounds in which no time passes at all.
#[test]
fn a_clock_that_stands_still_does_no_harm() {
    let (mut model, now) = (Model::new(None, 1452), Duration::from_secs(1));
    for _ in 0..20_000 {
        model.handle_sent(now, 1452);
        model.handle_ack(Acked { now, sent: now, bytes: 1452, app_limited: false });
        model.handle_acks_done(now, 0, false);
        assert!(model.window() as f64 <= WINDOW_MAX);
    }
}

/// The ceiling holds on a path that carries more.
#[test]
fn an_endless_path_is_filled_to_the_ceiling_and_no_further() {
    let mut model = Model::new(None, 1452);
    let bytes = 1 << 34;
    for round in 0..60u64 {
        let (sent, now) = (Duration::from_secs(round), Duration::from_secs(round + 1));
        model.handle_sent(sent, bytes);
        model.handle_ack(Acked { now, sent, bytes, app_limited: false });
    }
    assert_eq!(model.window() as f64, WINDOW_MAX);
}
