//! Seeded randomness: the same seed throws the same numbers, on every machine and in every version.

/// `SplitMix64`: its state is a counter, so that streams of different seeds need no warming up.
#[derive(Clone, Debug)]
pub(crate) struct Dice {
    state: u64,
}

const GOLDEN_GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

impl Dice {
    /// A stream of its own for each purpose, so that a decision of one kind does not move those of another.
    pub(crate) fn new(seed: u64, purpose: u64) -> Self {
        let mut mixer = Self { state: seed.wrapping_add(purpose.wrapping_mul(0xD1B5_4A32_D192_ED03)) };
        Self { state: mixer.next() }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN_GAMMA);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to just below 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From 0 to just below `end`; 0 if there is nothing below it.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        ((self.unit() * end as f64) as usize).min(end.saturating_sub(1))
    }

    /// How many trials fail before one succeeds.
    pub(crate) fn failures(&mut self, probability: f64) -> u64 {
        if probability >= 1.0 {
            return 0;
        }
        if probability <= 0.0 {
            return u64::MAX;
        }
        // Above 0, so that its logarithm is finite. A float's cast saturates.
        let unit = 1.0 - self.unit();
        (unit.ln() / (-probability).ln_1p()) as u64
    }
}

#[test]
fn the_same_seed_and_purpose_throw_the_same() {
    let throws = |seed, purpose| {
        let mut dice = Dice::new(seed, purpose);
        [dice.next(), dice.next(), dice.next()]
    };
    assert_eq!(throws(1, 1), throws(1, 1));
    assert_ne!(throws(1, 1), throws(2, 1));
    assert_ne!(throws(1, 1), throws(1, 2));
}

#[test]
fn failures_before_a_success_have_the_geometric_mean() {
    let mut dice = Dice::new(7, 0);
    let trials = 100_000;
    let failures: u64 = (0..trials).map(|_| dice.failures(0.2)).sum();
    let mean = failures as f64 / f64::from(trials);
    assert!((mean - 4.0).abs() < 0.06, "{mean}, and 0.8 / 0.2 is expected");
    assert_eq!(dice.failures(0.0), u64::MAX);
    assert_eq!(dice.failures(1.0), 0);
}

#[test]
fn a_throw_below_stays_below() {
    let mut dice = Dice::new(7, 0);
    assert!((0..1_000).all(|_| dice.below(3) < 3));
    assert_eq!(dice.below(0), 0);
}
