//! Which segments something befalls: by chance, one by one or in bursts.

use super::dice::Dice;

/// A process over the sequence of segments. It draws the length of the run until the next strike rather than a number
/// for each segment, so that quiet ones cost a subtraction, and segments may be asked about in groups of any size:
/// how they are grouped changes no decision.
#[derive(Debug)]
pub(crate) struct Strikes {
    dice: Dice,
    share: f64,
    burst: Option<f64>,
    /// Segments to spare before the next burst, and how many that burst then hits.
    spared: u64,
    hits: u64,
}

impl Strikes {
    pub(crate) fn new(dice: Dice) -> Self {
        Self { dice, share: 0.0, burst: None, spared: u64::MAX, hits: 1 }
    }

    /// Strikes a share of the segments: independently, or in bursts of the given mean length (a Gilbert model, whose
    /// bursts and whose gaps are both geometric). Unchanged settings keep the run that is under way.
    pub(crate) fn set(&mut self, share: f64, burst: Option<f64>) {
        if (share, burst) != (self.share, self.burst) {
            (self.share, self.burst) = (share, burst);
            self.draw();
        }
    }

    /// The next struck one of the coming `within` segments, all up to it being passed; all are passed if there is none.
    pub(crate) fn next(&mut self, within: usize) -> Option<usize> {
        if self.spared >= within as u64 {
            self.spared -= within as u64;
            return None;
        }
        let at = self.spared as usize;
        self.spared = 0;
        self.hits -= 1;
        if self.hits == 0 {
            self.draw();
        }
        Some(at)
    }

    fn draw(&mut self) {
        match self.burst {
            _ if self.share <= 0.0 => (self.spared, self.hits) = (u64::MAX, 1),
            _ if self.share >= 1.0 => (self.spared, self.hits) = (0, u64::MAX),
            None => (self.spared, self.hits) = (self.dice.failures(self.share), 1),
            Some(mean) => {
                let into_burst = self.share / (mean * (1.0 - self.share));
                self.spared = self.dice.failures(into_burst).saturating_add(1);
                self.hits = self.dice.failures(1.0 / mean).saturating_add(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn struck(strikes: &mut Strikes, segments: usize, group: usize) -> Vec<usize> {
        let mut found = Vec::new();
        for start in (0..segments).step_by(group) {
            let end = (start + group).min(segments);
            let mut from = start;
            while let Some(at) = strikes.next(end - from) {
                found.push(from + at);
                from += at + 1;
            }
        }
        found
    }

    fn strikes(share: f64, burst: Option<f64>) -> Strikes {
        let mut strikes = Strikes::new(Dice::new(11, 1));
        strikes.set(share, burst);
        strikes
    }

    #[test]
    fn the_share_is_kept_alone_and_in_bursts() {
        let segments = 2_000_000;
        for (share, burst) in
            [(0.001, None), (0.01, None), (0.3, None), (0.01, Some(1.0)), (0.01, Some(8.0)), (0.5, Some(4.0))]
        {
            let found = struck(&mut strikes(share, burst), segments, 45).len() as f64 / segments as f64;
            assert!((found / share - 1.0).abs() < 0.06, "{found} for {share} in bursts of {burst:?}");
        }
    }

    #[test]
    fn bursts_have_their_mean_length() {
        let found = struck(&mut strikes(0.01, Some(8.0)), 2_000_000, 1_000);
        let bursts = 1 + found.windows(2).filter(|pair| pair[0] + 1 != pair[1]).count();
        let mean = found.len() as f64 / bursts as f64;
        assert!((mean / 8.0 - 1.0).abs() < 0.06, "{mean}");
    }

    #[test]
    fn grouping_changes_no_decision() {
        for burst in [None, Some(3.0)] {
            let one_by_one = struck(&mut strikes(0.05, burst), 10_000, 1);
            assert!(!one_by_one.is_empty());
            for group in [2, 7, 45, 10_000] {
                assert_eq!(struck(&mut strikes(0.05, burst), 10_000, group), one_by_one);
            }
        }
    }

    #[test]
    fn nothing_and_everything_are_exact() {
        assert!(struck(&mut strikes(0.0, None), 100_000, 64).is_empty());
        assert_eq!(struck(&mut strikes(1.0, None), 1_000, 64).len(), 1_000);
        assert_eq!(struck(&mut strikes(1.0, Some(5.0)), 1_000, 64).len(), 1_000);
    }

    #[test]
    fn setting_the_same_again_draws_nothing_anew() {
        let (mut calm, mut reset) = (strikes(0.02, None), strikes(0.02, None));
        let expected = struck(&mut calm, 5_000, 1);
        let mut found = struck(&mut reset, 2_500, 1);
        reset.set(0.02, None);
        found.extend(struck(&mut reset, 2_500, 1).into_iter().map(|at| at + 2_500));
        assert_eq!(found, expected);
    }
}
