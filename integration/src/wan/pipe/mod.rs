//! One direction of a link: packets and times in, packets with their times of arrival out. No I/O, no clock.
//!
//! ```text
//!  push -> blackhole, MTU -> lost? twice? a bit flipped? late? -> bottleneck: queue, rate -> flight: delay, jitter -> take
//!          (the packet)      (strikes: each segment)              (bottleneck)               (flight)
//! ```
//!
//! Promises:
//! 1. The same seed and the same packets give the same decisions. What befalls segments does not depend on how they are
//!    grouped into super-packets, and changing one impairment does not move the decisions of the others.
//! 2. A super-packet is cut only where its segments part: something befalls one of them, or the line would be busy with
//!    all of them for too long. The pieces are what the sender would have sent, headers, checksums and all.
//! 3. Memory is bounded: the bottleneck's queue by its setting, the whole pipe by [`WAITING_BYTES_MAX`].
//! 4. No packet panics it, however odd: what does not add up is carried as it is.

mod bottleneck;
mod checksum;
mod dice;
mod flight;
mod packet;
mod strikes;
#[cfg(test)]
mod tests;

use std::{ops::Range, time::Duration};

use self::{
    bottleneck::Bottleneck,
    dice::Dice,
    flight::Flight,
    packet::{PREFIX_BYTES, Packet},
    strikes::Strikes,
};
use super::{counters::Counters, impairments::Impairments};

/// What a pipe holds at most, if no queue is set: more is dropped.
const WAITING_BYTES_MAX: u64 = 512 << 20;
/// Buffers that are kept to be used again.
const SPARE_BUFFERS_MAX: usize = 512;

/// Consecutive segments that share their fate: a packet, or what was cut from one.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) bytes: Vec<u8>,
    pub(crate) wire_bytes: u64,
    pub(crate) segments: u64,
    /// Overtaken by those behind it.
    pub(crate) late: bool,
}

/// What befalls a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Fate {
    lost: bool,
    twice: bool,
    flipped: bool,
    late: bool,
}

#[derive(Debug)]
pub(crate) struct Pipe {
    impairments: Impairments,
    delay: Duration,
    jitter: Duration,
    lateness: Duration,
    losses: Strikes,
    duplications: Strikes,
    corruptions: Strikes,
    reorderings: Strikes,
    jitter_dice: Dice,
    bit_dice: Dice,
    bottleneck: Bottleneck,
    flight: Flight,
    counters: Counters,
    fates: Vec<Fate>,
    spare_buffers: Vec<Vec<u8>>,
}

impl Pipe {
    pub(crate) fn new(seed: u64, impairments: Impairments) -> Self {
        let mut pipe = Self {
            impairments: Impairments::default(),
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            lateness: Duration::ZERO,
            losses: Strikes::new(Dice::new(seed, 1)),
            duplications: Strikes::new(Dice::new(seed, 2)),
            corruptions: Strikes::new(Dice::new(seed, 3)),
            reorderings: Strikes::new(Dice::new(seed, 4)),
            jitter_dice: Dice::new(seed, 5),
            bit_dice: Dice::new(seed, 6),
            bottleneck: Bottleneck::default(),
            flight: Flight::default(),
            counters: Counters::default(),
            fates: Vec::new(),
            spare_buffers: Vec::new(),
        };
        pipe.set(Duration::ZERO, impairments);
        pipe
    }

    /// Holds for what is sent from `now` on; a new rate also for what waits in the queue, a new delay also for what has
    /// not left the queue. The settings must have been checked.
    pub(crate) fn set(&mut self, now: Duration, impairments: Impairments) {
        self.depart(now);
        let milliseconds = |ms: f64| Duration::from_secs_f64(ms / 1e3);
        self.delay = milliseconds(impairments.delay_ms);
        self.jitter = milliseconds(impairments.jitter_ms);
        self.lateness = milliseconds(impairments.reorder_ms);
        let burst = (impairments.loss_burst > 0.0).then_some(impairments.loss_burst);
        self.losses.set(impairments.loss, burst);
        self.duplications.set(impairments.duplicate, None);
        self.corruptions.set(impairments.corrupt, None);
        self.reorderings.set(impairments.reorder, None);
        let rate = (impairments.rate_mbit > 0.0).then_some(impairments.rate_mbit * 1e6 / 8.0);
        self.bottleneck.set(now, rate, impairments.queue_bytes());
        self.impairments = impairments;
    }

    pub(crate) fn impairments(&self) -> &Impairments {
        &self.impairments
    }

    pub(crate) fn counters(&self) -> Counters {
        self.counters
    }

    /// A packet is sent.
    pub(crate) fn push(&mut self, now: Duration, bytes: &[u8]) {
        self.depart(now);
        let packet = Packet::new(bytes);
        let all = 0..packet.segments();
        self.counters.received += all.len() as u64;
        self.counters.received_bytes += packet.wire_bytes(&all) as u64;
        if self.impairments.blackhole {
            self.counters.blackholed += all.len() as u64;
            return;
        }
        let mtu = self.impairments.mtu as usize;
        if mtu > 0 && packet.segment_bytes() > mtu {
            self.counters.too_long += all.len() as u64;
            return;
        }
        if self.draw_fates(all.len()) {
            self.part(now, &packet);
        } else {
            self.offer(now, &packet, all, false);
        }
    }

    /// The next packet that has arrived by `now`, and when it did.
    pub(crate) fn take(&mut self, now: Duration) -> Option<(Duration, Vec<u8>)> {
        self.depart(now);
        let (arrival, piece) = self.flight.take(now)?;
        self.counters.waiting -= piece.segments;
        self.counters.delivered += piece.segments;
        self.counters.delivered_bytes += piece.wire_bytes;
        Some((arrival, piece.bytes))
    }

    /// When to look again: nothing arrives before.
    pub(crate) fn next_arrival(&self) -> Option<Duration> {
        let queued = self.bottleneck.next_leaving().map(|leaving| leaving + self.delay);
        match (self.flight.next_arrival(), queued) {
            (Some(flying), Some(queued)) => Some(flying.min(queued)),
            (flying, queued) => flying.or(queued),
        }
    }

    /// The device did not take a packet.
    pub(crate) fn count_refused(&mut self, bytes: &[u8]) {
        self.counters.refused += Packet::new(bytes).segments() as u64;
    }

    /// Gives a packet's buffer back.
    pub(crate) fn recycle(&mut self, buffer: Vec<u8>) {
        if self.spare_buffers.len() < SPARE_BUFFERS_MAX {
            self.spare_buffers.push(buffer);
        }
    }

    /// What has left the bottleneck is on its way.
    fn depart(&mut self, now: Duration) {
        while let Some((left_at, piece)) = self.bottleneck.take(now) {
            let mut arrival = left_at + self.delay;
            if !self.jitter.is_zero() {
                arrival += self.jitter.mul_f64(self.jitter_dice.unit());
            }
            self.flight.add(arrival, self.lateness, piece);
        }
    }

    /// Decides over all segments of a packet; says whether anything befalls any.
    fn draw_fates(&mut self, segments: usize) -> bool {
        let fates = &mut self.fates;
        fates.clear();
        draw(&mut self.losses, segments, fates, |fate| fate.lost = true);
        draw(&mut self.duplications, segments, fates, |fate| fate.twice = true);
        draw(&mut self.corruptions, segments, fates, |fate| fate.flipped = true);
        draw(&mut self.reorderings, segments, fates, |fate| fate.late = true);
        !fates.is_empty()
    }

    /// Runs of segments that nothing befalls stay together, the others go their own ways.
    fn part(&mut self, now: Duration, packet: &Packet<'_>) {
        let fates = std::mem::take(&mut self.fates);
        let mut from = 0;
        while let Some(fate) = fates.get(from) {
            if *fate == Fate::default() {
                let quiet = fates[from..].iter().take_while(|fate| **fate == Fate::default()).count();
                self.offer(now, packet, from..from + quiet, false);
                from += quiet;
            } else {
                self.offer_struck(now, packet, from, *fate);
                from += 1;
            }
        }
        self.fates = fates;
    }

    fn offer_struck(&mut self, now: Duration, packet: &Packet<'_>, segment: usize, fate: Fate) {
        let alone = segment..segment + 1;
        if fate.lost {
            self.counters.lost += 1;
            return;
        }
        if fate.flipped {
            let mut flipped = self.spare_buffers.pop().unwrap_or_default();
            packet.cut(&alone, &mut flipped);
            packet::complete_checksum(&mut flipped);
            self.flip_bit(&mut flipped);
            self.counters.corrupted += 1;
            self.offer(now, &Packet::new(&flipped), 0..1, fate.late);
            self.recycle(flipped);
        } else {
            self.offer(now, packet, alone.clone(), fate.late);
        }
        if fate.twice {
            self.counters.duplicated += 1;
            self.offer(now, packet, alone, false);
        }
    }

    /// One bit of the IP packet.
    fn flip_bit(&mut self, bytes: &mut [u8]) {
        let bits = bytes.len().saturating_sub(PREFIX_BYTES) * 8;
        let bit = self.bit_dice.below(bits);
        if let Some(byte) = bytes.get_mut(PREFIX_BYTES + bit / 8) {
            *byte ^= 1 << (bit % 8);
        }
    }

    /// To the bottleneck, in pieces that do not keep it busy for long; what finds no room is dropped.
    fn offer(&mut self, now: Duration, packet: &Packet<'_>, segments: Range<usize>, late: bool) {
        let piece_segments = self.bottleneck.piece_segments(packet.segment_bytes());
        let mut from = segments.start;
        while from < segments.end {
            let wanted = from..segments.end.min(from.saturating_add(piece_segments));
            let taken = self.fitting(packet, wanted);
            if taken.is_empty() {
                self.counters.dropped += (segments.end - from) as u64;
                break;
            }
            from = taken.end;
            self.counters.waiting += taken.len() as u64;
            self.counters.reordered += u64::from(late);
            let mut bytes = self.spare_buffers.pop().unwrap_or_default();
            packet.cut(&taken, &mut bytes);
            let wire_bytes = packet.wire_bytes(&taken) as u64;
            self.bottleneck.offer(now, Piece { bytes, wire_bytes, segments: taken.len() as u64, late });
        }
        self.depart(now);
    }

    /// As many of the first segments as there is room for.
    fn fitting(&self, packet: &Packet<'_>, segments: Range<usize>) -> Range<usize> {
        let waiting = self.bottleneck.waiting_bytes() + self.flight.bytes();
        let room = self.bottleneck.room().min(WAITING_BYTES_MAX.saturating_sub(waiting));
        if packet.wire_bytes(&segments) as u64 <= room {
            return segments;
        }
        let fitting = (room / packet.segment_bytes().max(1) as u64) as usize;
        segments.start..segments.start + fitting.min(segments.len() - 1)
    }
}

/// What one process does to the segments of a packet. The fates stay empty until there is one.
fn draw(strikes: &mut Strikes, segments: usize, fates: &mut Vec<Fate>, befall: fn(&mut Fate)) {
    let mut from = 0;
    while let Some(at) = strikes.next(segments - from) {
        fates.resize(segments, Fate::default());
        befall(&mut fates[from + at]);
        from += at + 1;
    }
}
