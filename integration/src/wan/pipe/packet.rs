//! A packet as the TUN device hands it over: a virtio header, then an IP packet, which may be a super-packet of many
//! segments. Anything that does not add up is carried whole, as one segment: the receiving kernel judges it.

use std::ops::Range;

use super::checksum;

/// `struct virtio_net_hdr`: flags, kind, headers' length, segment size, start and offset of the checksum; native order.
pub(crate) const PREFIX_BYTES: usize = 10;
const FLAG_NEEDS_CHECKSUM: u8 = 1;
/// The bit of the kind that says a segment may carry a congestion mark.
const KIND_ECN: u8 = 0x80;
const KIND_TCP_V4: u8 = 1;
const KIND_TCP_V6: u8 = 4;
const KIND_UDP: u8 = 5;

const IPV4_BYTES_MIN: usize = 20;
const IPV6_BYTES: usize = 40;
const TCP_BYTES_MIN: usize = 20;
const UDP_BYTES: usize = 8;
const TCP_FIN_PUSH: u8 = 0x09;
const TCP_REDUCED: u8 = 0x80;

/// A view of a packet that knows its segments.
pub(crate) struct Packet<'a> {
    bytes: &'a [u8],
    layout: Option<Layout>,
}

/// Where a super-packet's parts lie, offsets counted from its IP header.
#[derive(Clone, Copy)]
struct Layout {
    transport: Transport,
    version: Version,
    transport_at: usize,
    payload_at: usize,
    segment_payload: usize,
    segments: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Transport {
    Tcp,
    Udp,
}

#[derive(Clone, Copy, PartialEq)]
enum Version {
    V4,
    V6,
}

impl<'a> Packet<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, layout: Layout::of(bytes) }
    }

    pub(crate) fn segments(&self) -> usize {
        self.layout.map_or(1, |layout| layout.segments)
    }

    /// Bytes that the segments are on the wire, each with headers of its own.
    pub(crate) fn wire_bytes(&self, segments: &Range<usize>) -> usize {
        match self.layout {
            None => self.ip_bytes(),
            Some(layout) => {
                let payload = layout.payload(self.ip_bytes(), segments);
                payload.len() + segments.len() * layout.payload_at
            }
        }
    }

    /// Bytes of the largest segment.
    pub(crate) fn segment_bytes(&self) -> usize {
        self.layout.map_or(self.ip_bytes(), |layout| layout.payload_at + layout.segment_payload)
    }

    /// Puts some of the segments into `out`, as a packet of their own: a smaller super-packet, or an ordinary one.
    pub(crate) fn cut(&self, segments: &Range<usize>, out: &mut Vec<u8>) {
        out.clear();
        match self.layout {
            Some(layout) if segments.len() < layout.segments => layout.cut(self.bytes, segments, out),
            _ => out.extend_from_slice(self.bytes),
        }
    }

    fn ip_bytes(&self) -> usize {
        self.bytes.len().saturating_sub(PREFIX_BYTES)
    }
}

impl Layout {
    /// Of a super-packet of two segments or more whose headers are all there.
    fn of(bytes: &[u8]) -> Option<Self> {
        let (prefix, ip) = bytes.split_at_checked(PREFIX_BYTES)?;
        let segment_payload = usize::from(native(prefix, 4)?);
        let transport_at = usize::from(native(prefix, 6)?);
        if prefix.first()? & FLAG_NEEDS_CHECKSUM == 0 || segment_payload == 0 {
            return None;
        }
        let (version, headers_min) = match ip.first()? >> 4 {
            4 => (Version::V4, usize::from(ip.first()? & 0x0F) * 4),
            6 => (Version::V6, IPV6_BYTES),
            _ => return None,
        };
        let (transport, transport_bytes) = match (prefix.get(1)? & !KIND_ECN, version) {
            (KIND_TCP_V4, Version::V4) | (KIND_TCP_V6, Version::V6) => {
                (Transport::Tcp, usize::from(ip.get(transport_at + 12)? >> 4) * 4)
            }
            (KIND_UDP, _) => (Transport::Udp, UDP_BYTES),
            _ => return None,
        };
        let complete = headers_min >= IPV4_BYTES_MIN
            && match version {
                Version::V4 => transport_at == headers_min,
                Version::V6 => transport_at >= headers_min,
            }
            && (transport == Transport::Udp || transport_bytes >= TCP_BYTES_MIN);
        let payload_at = transport_at + transport_bytes;
        let segments = ip.len().checked_sub(payload_at)?.div_ceil(segment_payload);
        let layout = Self { transport, version, transport_at, payload_at, segment_payload, segments };
        (complete && segments > 1).then_some(layout)
    }

    /// Where the segments' payload lies in the IP packet.
    fn payload(&self, ip_bytes: usize, segments: &Range<usize>) -> Range<usize> {
        let at = |segment: usize| (self.payload_at + segment * self.segment_payload).min(ip_bytes);
        at(segments.start)..at(segments.end)
    }

    fn cut(&self, bytes: &[u8], segments: &Range<usize>, out: &mut Vec<u8>) {
        let (prefix, ip) = bytes.split_at(PREFIX_BYTES);
        out.extend_from_slice(prefix);
        out.extend_from_slice(&ip[..self.payload_at]);
        out.extend_from_slice(&ip[self.payload(ip.len(), segments)]);
        if segments.len() == 1 {
            (out[1], out[4], out[5]) = (0, 0, 0);
        }
        let last = segments.end == self.segments;
        let piece = &mut out[PREFIX_BYTES..];
        self.fix_ip(piece, segments.start);
        match self.transport {
            Transport::Tcp => self.fix_tcp(piece, segments.start, last),
            Transport::Udp => {
                let length = (piece.len() - self.transport_at) as u16;
                put(piece, self.transport_at + 4, length);
            }
        }
        self.fix_checksum(piece);
    }

    /// Length, and for IPv4 the identification, which counts up by one a segment, and the header's checksum.
    fn fix_ip(&self, piece: &mut [u8], first: usize) {
        match self.version {
            Version::V6 => put(piece, 4, (piece.len() - IPV6_BYTES) as u16),
            Version::V4 => {
                put(piece, 2, piece.len() as u16);
                let identification = u16::from_be_bytes([piece[4], piece[5]]);
                put(piece, 4, identification.wrapping_add(first as u16));
                put(piece, 10, 0);
                let sum = checksum::fold(checksum::sum(&piece[..self.transport_at]));
                put(piece, 10, !sum);
            }
        }
    }

    /// The sequence number; a piece that is not the last ends nothing, one that is not the first announces no reduction.
    fn fix_tcp(&self, piece: &mut [u8], first: usize, last: bool) {
        let tcp = &mut piece[self.transport_at..];
        let sequence = u32::from_be_bytes([tcp[4], tcp[5], tcp[6], tcp[7]]);
        let skipped = (first * self.segment_payload) as u32;
        tcp[4..8].copy_from_slice(&sequence.wrapping_add(skipped).to_be_bytes());
        if !last {
            tcp[13] &= !TCP_FIN_PUSH;
        }
        if first > 0 {
            tcp[13] &= !TCP_REDUCED;
        }
    }

    /// The checksum stays partial, the pseudo header's sum, as the prefix promises; the pseudo header holds the length.
    fn fix_checksum(&self, piece: &mut [u8]) {
        let addresses = match self.version {
            Version::V4 => 12..20,
            Version::V6 => 8..IPV6_BYTES,
        };
        let (protocol, offset) = match self.transport {
            Transport::Tcp => (6, 16),
            Transport::Udp => (17, 6),
        };
        let length = (piece.len() - self.transport_at) as u64;
        let sum = checksum::sum(&piece[addresses]) + protocol + length;
        put(piece, self.transport_at + offset, checksum::fold(sum));
    }
}

/// Completes a checksum that the sender left partial, so that the receiver verifies it. Only of one segment.
pub(crate) fn complete_checksum(bytes: &mut [u8]) {
    let Some((prefix, ip)) = bytes.split_at_mut_checked(PREFIX_BYTES) else { return };
    let partial = prefix[0] & FLAG_NEEDS_CHECKSUM != 0;
    // Neither partial nor already verified.
    prefix[0] = 0;
    let (Some(start), Some(offset)) = (native(prefix, 6), native(prefix, 8)) else { return };
    let field = usize::from(start) + usize::from(offset);
    if !partial || ip.len() < field + 2 {
        return;
    }
    let sum = !checksum::fold(checksum::sum(&ip[usize::from(start)..]));
    // In UDP a zero would say that there is no checksum; in TCP both are zero.
    put(ip, field, if sum == 0 { 0xFFFF } else { sum });
}

fn native(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

fn put(bytes: &mut [u8], at: usize, value: u16) {
    bytes[at..at + 2].copy_from_slice(&value.to_be_bytes());
}
