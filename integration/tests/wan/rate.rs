//! Rates, queues, and how much the emulator can carry.

use integration::wan::{Change, Impairments, Layout};

use super::{
    machine::{east_west, turn},
    tools::{counters, iperf, kernel_counters, ping, received_rate},
};

const OFF_MAX: f64 = 0.03;
/// A machine that others use can only be too slow; it is tried until it is right, this often.
const TRIES: usize = 8;
/// IP packets to payload: TCP with timestamps over Ethernet's MTU, and UDP datagrams of 1,400 bytes.
const TCP_WIRE: f64 = 1_500.0 / 1_448.0;
const UDP_PAYLOAD: f64 = 1_400.0;
const UDP_WIRE: f64 = (UDP_PAYLOAD + 28.0) / UDP_PAYLOAD;

/// Mbit/s on the wire, of the try that came closest to what is expected.
fn closest(expected: f64, mut measure: impl FnMut() -> f64) -> f64 {
    let mut best = f64::NAN;
    for _ in 0..TRIES {
        let found = measure() / 1e6;
        if best.is_nan() || (found - expected).abs() < (best - expected).abs() {
            best = found;
        }
        if is_right(best, expected) {
            break;
        }
    }
    best
}

fn is_right(found: f64, expected: f64) -> bool {
    (found / expected - 1.0).abs() < OFF_MAX
}

/// With a queue of 100 ms: as long as a sender may be kept from sending without the line falling idle.
fn set_rate(layout: &Layout, rate_mbit: f64) {
    let queue_kb = rate_mbit * 1e3 / 8.0 * 0.1;
    let change = Change { rate_mbit: Some(rate_mbit), queue_kb: Some(queue_kb), ..Change::default() };
    layout.set("east", "west", &change).unwrap();
}

/// Bits of UDP payload a second that reached the receiver's socket, read or not.
fn udp_rate(layout: &Layout, options: &[&str]) -> f64 {
    let unread = || kernel_counters(layout, "west")["Udp.RcvbufErrors"];
    let before = unread();
    let end = iperf(layout, "east", "west", options);
    let received = &end["sum_received"];
    let number = |key: &str| received[key].as_f64().expect("iperf3 counts");
    let packets = number("packets") - number("lost_packets") + (unread() - before) as f64;
    packets * UDP_PAYLOAD * 8.0 / number("seconds")
}

#[test]
fn udp_beyond_the_rate_comes_through_at_the_rate() {
    let Some(_turn) = turn() else { return };
    let layout = east_west("udprate", &Impairments { delay_ms: 2.0, ..Impairments::default() });
    for rate_mbit in [10.0, 100.0] {
        set_rate(&layout, rate_mbit);
        let offered = format!("{}M", rate_mbit * 1.3);
        let options = ["-u", "-l", "1400", "-t", "2", "-b", &offered];
        let found = closest(rate_mbit, || udp_rate(&layout, &options) * UDP_WIRE);
        assert!(is_right(found, rate_mbit), "{found} Mbit/s, and {rate_mbit} are set");
        assert!(counters(&layout, "east", "west").dropped > 0);
    }
}

#[test]
fn tcp_fills_the_rate_also_after_it_was_changed() {
    let Some(_turn) = turn() else { return };
    let layout = east_west("tcprate", &Impairments { delay_ms: 5.0, ..Impairments::default() });
    for rate_mbit in [1_000.0, 10.0, 200.0] {
        set_rate(&layout, rate_mbit);
        let options = ["-t", "2", "-O", "1", "-C", "cubic"];
        let found =
            closest(rate_mbit, || received_rate(&iperf(&layout, "east", "west", &options)) * TCP_WIRE);
        assert!(is_right(found, rate_mbit), "{found} Mbit/s, and {rate_mbit} are set");
    }
}

#[test]
fn a_gigabit_and_more_is_carried() {
    let Some(_turn) = turn() else { return };
    let layout = east_west("capacity", &Impairments::default());
    let carry = || received_rate(&iperf(&layout, "east", "west", &["-t", "1", "-C", "cubic"]));
    let best = (0..TRIES).map(|_| carry() / 1e6).find(|found| *found > 1_000.0);
    assert!(best.is_some(), "not once more than 1,000 Mbit/s");
}

/// At 8 Mbit/s 100 kB are 100 ms: with the queue full, that is what a ping waits.
#[test]
fn a_full_queue_delays_by_its_length_and_no_more() {
    let Some(_turn) = turn() else { return };
    let line = Impairments { rate_mbit: 8.0, queue_kb: 100.0, ..Impairments::default() };
    let layout = east_west("queue", &Impairments::default());
    layout
        .set("east", "west", &Change { rate_mbit: Some(8.0), queue_kb: Some(100.0), ..Change::default() })
        .unwrap();
    assert_eq!(layout.direction("east", "west").unwrap().impairments, line);
    std::thread::scope(|scope| {
        let flood =
            scope.spawn(|| iperf(&layout, "east", "west", &["-u", "-b", "10M", "-l", "1000", "-t", "2"]));
        integration::eventually("a full queue", || {
            (counters(&layout, "east", "west").dropped > 0).then_some(())
        });
        // Small enough to find room where a datagram of the flood finds none.
        let pings = ping(&layout, "east", "west", &["-c", "30", "-i", "0.02"]);
        assert!(pings.max_ms > 90.0 && pings.min_ms < 101.5, "{pings:?}");
        flood.join().expect("the flood ends");
    });
}
