//! Where chance comes from: a fuzzer's bytes while they last, then a generator with a seed.

/// The same bytes and seed make the same choices.
pub struct Entropy<'a> {
    bytes: &'a [u8],
    state: u64,
}

impl Entropy<'static> {
    pub fn seeded(seed: u64) -> Self {
        Self { bytes: &[], state: seed }
    }
}

impl<'a> Entropy<'a> {
    pub fn from_bytes(bytes: &'a [u8]) -> Self {
        Self { bytes, state: 0 }
    }

    pub fn u64(&mut self) -> u64 {
        if let Some((chunk, rest)) = self.bytes.split_first_chunk() {
            self.bytes = rest;
            return u64::from_le_bytes(*chunk);
        }
        // SplitMix64.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not zero.
    pub fn below(&mut self, bound: usize) -> usize {
        // A fuzzer's byte decides alone, so that one mutation changes one choice.
        if let Some((&byte, rest)) = self.bytes.split_first() {
            self.bytes = rest;
            return usize::from(byte) % bound;
        }
        (self.u64() % bound as u64) as usize
    }

    pub fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }
}
