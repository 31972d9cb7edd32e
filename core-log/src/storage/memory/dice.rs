//! Chance that a seed decides.

/// A stream of numbers (SplitMix64); the same seed gives the same stream.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    /// One stream per `seed` and `subject`: what becomes of one file does not hang on how many others there are.
    pub(super) fn new(seed: u64, subject: u64) -> Self {
        Self(mix(seed) ^ subject.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `bound`, which is not 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    pub(super) fn coin(&mut self) -> bool {
        self.next() & 1 == 0
    }
}

/// A number that stands for a name, for use as a subject.
pub(super) fn subject(name: &[u8]) -> u64 {
    name.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| mix(hash ^ u64::from(*byte)))
}

fn mix(mut number: u64) -> u64 {
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
