//! When packets arrive: exactly, for time is an argument.

use std::time::Duration;

use super::{
    Impairments, Pipe, assert_accounted, drain, ms,
    sent::{Kind, Sent},
};

/// An IP packet of this many bytes.
fn packet(ip_bytes: usize) -> Vec<u8> {
    vec![0; super::super::PREFIX_BYTES + ip_bytes]
}

fn arrivals(pipe: &mut Pipe) -> Vec<Duration> {
    drain(pipe).into_iter().map(|(at, _)| at).collect()
}

/// A TCP super-packet of segments of 1,056 bytes.
fn super_packet(segments: usize) -> Vec<u8> {
    let payload = vec![0; segments * 1_000];
    Sent { kind: Kind::TcpV4, identification: 1, sequence: 1, flags: 0x10, payload: &payload }.packet(1_000)
}

#[test]
fn a_wire_delivers_at_once_and_a_delay_is_exact() {
    let mut pipe = Pipe::new(1, Impairments::default());
    pipe.push(ms(3), &packet(100));
    assert_eq!(pipe.next_arrival(), Some(ms(3)));
    assert_eq!(arrivals(&mut pipe), [ms(3)]);
    pipe.set(ms(4), Impairments { delay_ms: 75.0, ..Impairments::default() });
    pipe.push(ms(5), &packet(100));
    assert_eq!(pipe.next_arrival(), Some(ms(80)));
    assert!(pipe.take(ms(79)).is_none());
    assert_eq!(arrivals(&mut pipe), [ms(80)]);
    assert_eq!(pipe.next_arrival(), None);
}

#[test]
fn jitter_stays_within_its_bounds_and_keeps_the_order() {
    let mut pipe = Pipe::new(1, Impairments { delay_ms: 10.0, jitter_ms: 5.0, ..Impairments::default() });
    let mut delays = Vec::new();
    for at in 0..1_000_u64 {
        pipe.push(ms(at * 10), &packet(100));
        delays.extend(arrivals(&mut pipe).into_iter().map(|arrival| arrival - ms(at * 10)));
    }
    assert!(delays.iter().all(|delay| (ms(10)..ms(15)).contains(delay)));
    let mean = delays.iter().sum::<Duration>() / 1_000;
    assert!((ms(12)..ms(13)).contains(&mean), "{mean:?}");

    for name in 0..100 {
        pipe.push(ms(20_000), &packet(name));
    }
    let lengths: Vec<usize> = drain(&mut pipe).iter().map(|(_, bytes)| bytes.len()).collect();
    assert!(lengths.is_sorted(), "{lengths:?}");
}

#[test]
fn a_rate_spaces_packets_exactly() {
    for rate_mbit in [10.0, 200.0, 1_000.0] {
        let mut pipe = Pipe::new(1, Impairments { rate_mbit, queue_kb: 10_000.0, ..Impairments::default() });
        for _ in 0..5_000 {
            pipe.push(ms(1), &packet(1_250));
        }
        let last = arrivals(&mut pipe).pop().unwrap() - ms(1);
        let expected = 5_000.0 * 1_250.0 * 8.0 / (rate_mbit * 1e6);
        let off = (last.as_secs_f64() / expected - 1.0).abs();
        assert!(off < 1e-4, "{last:?}, and {expected} s at {rate_mbit} Mbit/s");
    }
}

#[test]
fn a_super_packet_takes_the_line_as_long_as_its_segments_and_leaves_in_slices() {
    let mut pipe = Pipe::new(1, Impairments { rate_mbit: 8.448, ..Impairments::default() });
    pipe.push(ms(0), &super_packet(10));
    // 1,056 bytes are a millisecond; each of the segments leaves when it is through.
    assert_eq!(arrivals(&mut pipe), (1..=10).map(ms).collect::<Vec<_>>());

    let mut pipe = Pipe::new(1, Impairments { rate_mbit: 8_448.0, ..Impairments::default() });
    pipe.push(ms(0), &super_packet(50));
    assert_eq!(arrivals(&mut pipe), [Duration::from_micros(50)], "a fast line takes it whole");
}

#[test]
fn what_finds_the_queue_full_is_dropped_from_the_tail() {
    let mut pipe = Pipe::new(1, Impairments { rate_mbit: 8.0, queue_kb: 10.0, ..Impairments::default() });
    for name in 0..15 {
        pipe.push(ms(0), &packet(1_000 - name));
    }
    assert_eq!(pipe.counters().dropped, 5);
    assert_accounted(&pipe.counters());
    // Three have left: there is room for three.
    pipe.push(ms(3), &super_packet(5));
    assert_eq!(pipe.counters().dropped, 5 + 3, "of five segments two fit");
    let lengths: Vec<usize> = drain(&mut pipe).iter().map(|(_, bytes)| bytes.len() - 10).collect();
    assert_eq!(lengths[..10], [1_000, 999, 998, 997, 996, 995, 994, 993, 992, 991]);
    assert_eq!(lengths[10..], [1_056, 1_056]);
    assert_accounted(&pipe.counters());
}

#[test]
fn settings_change_under_way() {
    let slow = Impairments { delay_ms: 10.0, rate_mbit: 8.0, ..Impairments::default() };
    let mut pipe = Pipe::new(1, slow.clone());
    pipe.push(ms(0), &packet(1_000));
    pipe.push(ms(0), &packet(1_000));
    pipe.push(ms(0), &packet(1_000));
    // The first is on its way with the old delay; the second is half through; both others now go twice as fast.
    pipe.set(Duration::from_micros(1_500), Impairments { delay_ms: 20.0, rate_mbit: 16.0, ..slow });
    let micros: Vec<u128> = arrivals(&mut pipe).iter().map(Duration::as_micros).collect();
    assert_eq!(micros, [11_000, 21_750, 22_250]);
}

#[test]
fn a_blackhole_takes_what_is_sent_and_leaves_what_is_on_its_way() {
    let open = Impairments { delay_ms: 10.0, ..Impairments::default() };
    let mut pipe = Pipe::new(1, open.clone());
    pipe.push(ms(0), &packet(1));
    pipe.set(ms(1), Impairments { blackhole: true, ..open.clone() });
    pipe.push(ms(1), &packet(2));
    pipe.set(ms(2), open);
    pipe.push(ms(2), &packet(3));
    assert_eq!(arrivals(&mut pipe), [ms(10), ms(12)]);
    assert_eq!(pipe.counters().blackholed, 1);
    assert_accounted(&pipe.counters());
}

#[test]
fn what_is_held_is_bounded() {
    let mut pipe = Pipe::new(1, Impairments { delay_ms: 60_000.0, ..Impairments::default() });
    let packet = packet(65_000);
    for _ in 0..9_000 {
        pipe.push(ms(0), &packet);
    }
    let counters = pipe.counters();
    assert_eq!(counters.waiting, (512 << 20) / 65_000);
    assert_accounted(&counters);
}
