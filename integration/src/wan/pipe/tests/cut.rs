//! What is cut from a super-packet is what the sender would have sent.

use std::ops::Range;

use proptest::prelude::*;

use super::sent::{KINDS, Kind, Sent};
use crate::wan::pipe::packet::{PREFIX_BYTES, Packet, complete_checksum};

const FIN_PUSH_ACK: u8 = 0x19;
const REDUCED: u8 = 0x80;

/// The segment as the sender would have sent it alone.
fn alone<'a>(whole: &Sent<'a>, segment_payload: usize, segment: usize, segments: usize) -> Sent<'a> {
    let from = segment * segment_payload;
    let to = (from + segment_payload).min(whole.payload.len());
    let mut flags = whole.flags;
    if segment + 1 < segments {
        flags &= !0x09;
    }
    if segment > 0 {
        flags &= !REDUCED;
    }
    Sent {
        identification: whole.identification.wrapping_add(segment as u16),
        sequence: whole.sequence.wrapping_add(from as u32),
        flags,
        payload: &whole.payload[from..to],
        ..*whole
    }
}

fn cut(packet: &[u8], segments: Range<usize>) -> Vec<u8> {
    let mut piece = Vec::new();
    Packet::new(packet).cut(&segments, &mut piece);
    piece
}

fn whole(kind: Kind, payload: &[u8]) -> Sent<'_> {
    Sent { kind, identification: 0xFFFE, sequence: 0xFFFF_FF00, flags: FIN_PUSH_ACK | REDUCED, payload }
}

#[test]
fn each_segment_has_its_own_headers_and_a_valid_checksum() {
    let payload: Vec<u8> = (0..1_001_u32).map(|at| (at * 7) as u8).collect();
    for kind in KINDS {
        let whole = whole(kind, &payload);
        let packet = whole.packet(100);
        assert_eq!(Packet::new(&packet).segments(), 11);
        for segment in 0..11 {
            let mut piece = cut(&packet, segment..segment + 1);
            assert_eq!(Packet::new(&piece).segments(), 1);
            complete_checksum(&mut piece);
            let expected = alone(&whole, 100, segment, 11);
            assert_eq!(piece[PREFIX_BYTES..], expected.on_the_wire(), "{kind:?}, segment {segment}");
            assert_eq!(piece[..2], [0, 0]);
        }
    }
}

#[test]
fn bytes_on_the_wire_count_the_headers_of_each_segment() {
    let payload = [0; 250];
    let packet = whole(Kind::TcpV4, &payload).packet(100);
    let packet = Packet::new(&packet);
    assert_eq!(packet.segments(), 3);
    assert_eq!(packet.wire_bytes(&(0..3)), 3 * 56 + 250);
    assert_eq!(packet.wire_bytes(&(2..3)), 56 + 50);
    assert_eq!(packet.segment_bytes(), 156);
}

#[test]
fn the_whole_is_cut_as_it_came() {
    let payload = [5; 300];
    let packet = whole(Kind::UdpV6, &payload).packet(100);
    assert_eq!(cut(&packet, 0..3), packet);
    let single = whole(Kind::UdpV6, &payload).packet(1_000);
    assert_eq!(cut(&single, 0..1), single);
}

proptest! {
    /// Cutting a piece from a piece is cutting it from the whole, so a path of several cuts is sound.
    #[test]
    fn pieces_are_super_packets_of_their_own(
        kind in prop::sample::select(&KINDS),
        payload in prop::collection::vec(any::<u8>(), 2..3_000),
        segment_payload in 1_usize..1_400,
        bounds in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
    ) {
        prop_assume!(payload.len() > segment_payload);
        let whole = whole(kind, &payload);
        let packet = whole.packet(segment_payload);
        let segments = Packet::new(&packet).segments();
        prop_assert_eq!(segments, payload.len().div_ceil(segment_payload));
        let (a, b) = (bounds.0.index(segments), bounds.1.index(segments));
        let (from, to) = (a.min(b), a.max(b) + 1);
        let piece = cut(&packet, from..to);
        prop_assert_eq!(Packet::new(&piece).segments(), to - from);
        for segment in from..to {
            let mut last = cut(&piece, segment - from..segment - from + 1);
            complete_checksum(&mut last);
            prop_assert_eq!(&last[PREFIX_BYTES..], alone(&whole, segment_payload, segment, segments).on_the_wire());
        }
    }
}
