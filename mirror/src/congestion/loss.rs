//! How much is lost for no reason: what the path drops although no queue stands.

use super::round::Round;

/// More than this is taken for a queue even when none is seen: raising the window further would only feed it.
const RANDOM_LOSS_MAX: f64 = 0.04;
/// A round is a small sample, so one is believed a little; the first ones more, for there is nothing better.
const RISE_MIN: f64 = 0.2;
const FALL: f64 = 1.0 / 32.0;
/// That many; after them the estimate itself tells chance from overflow, and headroom is not given back at once any more: with a small
/// queue that would overflow it after every Down.
const LEARNING_ROUNDS: u32 = 4;
/// What is usually lost while a queue may stand is remembered for some eight rounds.
const USUAL_PACE: f64 = 0.125;
/// An empty queue that loses this part of it shows that it was chance.
const CHANCE_PART: f64 = 0.8;
/// A round lost more than chance explains when it is over by this many standard deviations, ...
const DEVIATIONS: f64 = 3.0;
/// ... by this many packets, for rounds of few, ...
const PACKETS_SPARE: f64 = 2.0;
/// ... and by this share, for rounds of many: not every loss is worth a reaction.
const SHARE_SPARE: f64 = 0.0005;

#[derive(Debug, Clone, Default)]
pub(super) struct RandomLoss {
    share: f64,
    drained_rounds: u32,
    /// Loss of the rounds in which a queue may stand.
    usual: f64,
}

impl RandomLoss {
    pub(super) fn share(&self) -> f64 {
        self.share
    }

    /// `drained`: the round was one in which the sender's queue had run empty. Only such a one may raise the estimate: any
    /// other would take its own overflow for the path's nature, send more to make up for it, and lose more.
    ///
    /// Whether it shows that what was lost before was chance, too.
    pub(super) fn handle_round(&mut self, round: &Round, drained: bool) -> bool {
        let seen = round.loss().min(RANDOM_LOSS_MAX);
        if drained {
            self.drained_rounds = self.drained_rounds.saturating_add(1);
            let pace = (1.0 / (1.0 + f64::from(self.drained_rounds))).max(RISE_MIN);
            self.share += (seen - self.share) * pace;
            return self.drained_rounds <= LEARNING_ROUNDS && seen > 0.0 && seen >= CHANCE_PART * self.usual;
        }
        self.usual += (round.loss() - self.usual) * USUAL_PACE;
        if seen < self.share {
            self.share += (seen - self.share) * FALL;
        }
        false
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
        (0..50).for_each(|_| _ = loss.handle_round(&round(1000, 20), false));
        assert_eq!(loss.share(), 0.0);
        (0..50).for_each(|_| _ = loss.handle_round(&round(1000, 20), true));
        assert!((loss.share() - 0.02).abs() < 0.001, "{}", loss.share());
    }

    #[test]
    fn what_chance_explains_is_no_excess() {
        let mut loss = RandomLoss::default();
        assert!(!loss.is_exceeded_by(&round(100, 2), 1000.0));
        assert!(loss.is_exceeded_by(&round(1000, 10), 1000.0));
        (0..50).for_each(|_| _ = loss.handle_round(&round(1000, 10), true));
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
