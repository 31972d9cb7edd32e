//! Packets that no kernel sends.

use std::time::Duration;

use proptest::prelude::*;

use super::{
    Impairments, Pipe, assert_accounted, drain,
    sent::{KINDS, Sent},
};
use crate::wan::pipe::packet::{PREFIX_BYTES, complete_checksum};

/// Everything befalls a good share of what comes.
fn everything() -> Impairments {
    Impairments {
        delay_ms: 1.0,
        jitter_ms: 1.0,
        loss: 0.1,
        loss_burst: 2.0,
        rate_mbit: 100.0,
        queue_kb: 100.0,
        reorder: 0.2,
        reorder_ms: 3.0,
        duplicate: 0.2,
        corrupt: 0.5,
        mtu: 1_500,
        blackhole: false,
    }
}

fn survives(packets: &[Vec<u8>]) {
    let mut pipe = Pipe::new(1, everything());
    for packet in packets {
        pipe.push(Duration::ZERO, packet);
        complete_checksum(&mut packet.clone());
    }
    drain(&mut pipe);
    assert_accounted(&pipe.counters());
    assert_eq!(pipe.counters().waiting, 0);
}

#[test]
fn what_is_too_short_for_a_header_is_carried_as_it_is() {
    let mut pipe = Pipe::new(1, Impairments::default());
    for length in 0..=PREFIX_BYTES + 1 {
        pipe.push(Duration::ZERO, &vec![0xFF; length]);
    }
    let lengths: Vec<usize> = drain(&mut pipe).iter().map(|(_, bytes)| bytes.len()).collect();
    assert_eq!(lengths, (0..=PREFIX_BYTES + 1).collect::<Vec<_>>());
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_no_harm(packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..20)) {
        survives(&packets);
    }

    /// Near the truth the checks are finer: a good super-packet with some bytes changed and its end cut off.
    #[test]
    fn damaged_super_packets_do_no_harm(
        kind in prop::sample::select(&KINDS),
        segment_payload in 1_usize..200,
        changes in prop::collection::vec((0_usize..100, any::<u8>()), 0..6),
        length in 0_usize..700,
    ) {
        let sent = Sent { kind, identification: 1, sequence: 1, flags: 0x18, payload: &[3; 500] };
        let mut packet = sent.packet(segment_payload);
        for (at, byte) in changes {
            packet[at] = byte;
        }
        packet.truncate(length);
        survives(&vec![packet; 8]);
    }
}
