//! Packets as a sender makes them: of one segment, or of many.

use crate::wan::pipe::checksum;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    TcpV4,
    TcpV6,
    UdpV4,
    UdpV6,
}

pub(super) const KINDS: [Kind; 4] = [Kind::TcpV4, Kind::TcpV6, Kind::UdpV4, Kind::UdpV6];

/// What distinguishes the packets of a test.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent<'a> {
    pub(super) kind: Kind,
    /// IPv4's identification.
    pub(super) identification: u16,
    /// TCP's.
    pub(super) sequence: u32,
    pub(super) flags: u8,
    pub(super) payload: &'a [u8],
}

impl Kind {
    fn is_v4(self) -> bool {
        matches!(self, Self::TcpV4 | Self::UdpV4)
    }

    pub(super) fn is_tcp(self) -> bool {
        matches!(self, Self::TcpV4 | Self::TcpV6)
    }

    pub(super) fn transport_at(self) -> usize {
        // IPv4 with one word of options, IPv6 with one extension header.
        if self.is_v4() { 24 } else { 48 }
    }

    pub(super) fn headers(self) -> usize {
        // TCP with three words of options.
        self.transport_at() + if self.is_tcp() { 32 } else { 8 }
    }

    fn checksum_at(self) -> usize {
        if self.is_tcp() { 16 } else { 6 }
    }
}

impl Sent<'_> {
    /// With a partial checksum, as a kernel hands it over; of segments of this much payload if it is a super-packet.
    pub(super) fn packet(&self, segment_payload: usize) -> Vec<u8> {
        let kind = self.kind;
        let is_super = self.payload.len() > segment_payload;
        let mut bytes = vec![1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        if is_super {
            bytes[1] = match kind {
                Kind::TcpV4 => 1,
                Kind::TcpV6 => 4,
                Kind::UdpV4 | Kind::UdpV6 => 5,
            };
            bytes[4..6].copy_from_slice(&(segment_payload as u16).to_ne_bytes());
        }
        bytes[2..4].copy_from_slice(&(kind.headers() as u16).to_ne_bytes());
        bytes[6..8].copy_from_slice(&(kind.transport_at() as u16).to_ne_bytes());
        bytes[8..10].copy_from_slice(&(kind.checksum_at() as u16).to_ne_bytes());
        let mut transport = self.transport();
        let partial = checksum::fold(self.pseudo_header(transport.len()));
        transport[kind.checksum_at()..kind.checksum_at() + 2].copy_from_slice(&partial.to_be_bytes());
        bytes.extend(self.ip(transport.len()));
        bytes.extend(transport);
        bytes
    }

    /// The IP packet of one segment with its whole checksum.
    pub(super) fn on_the_wire(&self) -> Vec<u8> {
        let mut transport = self.transport();
        let sum = self.pseudo_header(transport.len()) + checksum::sum(&transport);
        let sum = !checksum::fold(sum);
        let at = self.kind.checksum_at();
        transport[at..at + 2].copy_from_slice(&(if sum == 0 { 0xFFFF } else { sum }).to_be_bytes());
        let mut packet = self.ip(transport.len());
        packet.extend(transport);
        packet
    }

    fn transport(&self) -> Vec<u8> {
        let mut header = vec![0x12, 0x34, 0x56, 0x78];
        if self.kind.is_tcp() {
            header.extend(self.sequence.to_be_bytes());
            header.extend([1, 2, 3, 4, 0x80, self.flags, 0x10, 0x00, 0, 0, 0, 0]);
            header.extend([1, 1, 8, 10, 9, 9, 9, 9, 7, 7, 7, 7]);
        } else {
            header.extend((8 + self.payload.len() as u16).to_be_bytes());
            header.extend([0, 0]);
        }
        header.extend(self.payload);
        header
    }

    fn ip(&self, transport_bytes: usize) -> Vec<u8> {
        let protocol = if self.kind.is_tcp() { 6 } else { 17 };
        if !self.kind.is_v4() {
            let mut header = vec![0x60, 0, 0, 1];
            header.extend((8 + transport_bytes as u16).to_be_bytes());
            header.extend([0, 64]);
            header.extend(self.addresses());
            header.extend([protocol, 0, 1, 4, 0, 0, 0, 0]);
            return header;
        }
        let mut header = vec![0x46, 0];
        header.extend((24 + transport_bytes as u16).to_be_bytes());
        header.extend(self.identification.to_be_bytes());
        header.extend([0x40, 0, 63, protocol, 0, 0]);
        header.extend(self.addresses());
        header.extend([1, 1, 1, 0]);
        let sum = !checksum::fold(checksum::sum(&header));
        header[10..12].copy_from_slice(&sum.to_be_bytes());
        header
    }

    fn addresses(&self) -> Vec<u8> {
        let (length, ours) = if self.kind.is_v4() { (4, 198) } else { (16, 0xfd) };
        let mut addresses = vec![ours; length];
        addresses.extend((0..length as u8).map(|byte| byte + 1));
        addresses
    }

    fn pseudo_header(&self, transport_bytes: usize) -> u64 {
        let protocol = if self.kind.is_tcp() { 6 } else { 17 };
        checksum::sum(&self.addresses()) + protocol + transport_bytes as u64
    }
}
