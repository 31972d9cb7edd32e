//! How much is lost for no reason: what the path drops although no queue stands.

use super::round::Round;

/// More than this is taken for a queue even when none is seen: raising the window further would only feed it.
const RANDOM_LOSS_MAX: f64 = 0.04;
/// A round is a small sample, so one is believed a little.
const RISE: f64 = 0.2;
const FALL: f64 = 1.0 / 32.0;
/// A round lost more than chance explains when it is over by this many standard deviations, ...
const DEVIATIONS: f64 = 3.0;
/// ... by this many packets, for rounds of few, ...
const PACKETS_SPARE: f64 = 2.0;
/// ... and by this share, for rounds of many: not every loss is worth a reaction.
const SHARE_SPARE: f64 = 0.0005;

#[derive(Debug, Clone, Default)]
pub(super) struct RandomLoss {
    share: f64,
}

impl RandomLoss {
    pub(super) fn share(&self) -> f64 {
        self.share
    }

    /// `drained`: the round was one in which the sender's queue had run empty. Only such a one may raise the estimate: any
    /// other would take its own overflow for the path's nature, send more to make up for it, and lose more.
    pub(super) fn handle_round(&mut self, round: &Round, drained: bool) {
        let seen = round.loss().min(RANDOM_LOSS_MAX);
        if drained {
            self.share += (seen - self.share) * RISE;
        } else if seen < self.share {
            self.share += (seen - self.share) * FALL;
        }
    }

    /// Whether the round lost more than chance explains: a queue overflowed, or marked packets so as not to.
    pub(super) fn is_exceeded_by(&self, round: &Round, packet_bytes: f64) -> bool {
        let packets = round.packets(packet_bytes);
        let expected = self.share * packets;
        let explained = expected + DEVIATIONS * expected.sqrt() + PACKETS_SPARE + SHARE_SPARE * packets;
        round.is_marked() || round.lost_packets() > explained
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(packets: u64, lost: u64) -> Round {
        let mut round = Round::default();
        round.handle_ack((packets - lost) * 1000, 0.05);
        round.handle_lost(lost * 1000, 1000.0);
        round
    }

    #[test]
    fn only_a_drained_round_raises_the_estimate() {
        let mut loss = RandomLoss::default();
        (0..50).for_each(|_| loss.handle_round(&round(1000, 20), false));
        assert_eq!(loss.share(), 0.0);
        (0..50).for_each(|_| loss.handle_round(&round(1000, 20), true));
        assert!((loss.share() - 0.02).abs() < 0.001, "{}", loss.share());
    }

    #[test]
    fn what_chance_explains_is_no_excess() {
        let mut loss = RandomLoss::default();
        assert!(!loss.is_exceeded_by(&round(100, 2), 1000.0));
        assert!(loss.is_exceeded_by(&round(1000, 10), 1000.0));
        (0..50).for_each(|_| loss.handle_round(&round(1000, 10), true));
        assert!(!loss.is_exceeded_by(&round(1000, 15), 1000.0));
        assert!(loss.is_exceeded_by(&round(1000, 30), 1000.0));
    }

    #[test]
    fn a_mark_is_excess_without_loss() {
        let mut marked = round(1000, 0);
        marked.handle_mark();
        assert!(RandomLoss::default().is_exceeded_by(&marked, 1000.0));
    }
}
