//! The path became longer: the one mistake about it that feeds on itself.
//!
//! The window is the rate times the least round trip. If that is too short, the window is too small, so the rate falls, so the
//! window shrinks again: within seconds a link would be down to a few per cent, until the old round trip is forgotten. It shows by
//! its opposite: a queue of our own goes when the window shrinks, a longer path stays.

use super::round::Round;

/// Delays are suspicious from this share above the known path, the jitter and this time: less is our own headroom.
const EXCESS_RTTS: f64 = 1.2;
const EXCESS_SECS: f64 = 0.001;
/// The window has shrunk by this since, ...
const WINDOW_SHRUNK: f64 = 1.3;
/// ... and the delay by less than this: had it been our queue, it would have followed.
const DELAY_SHRUNK: f64 = 1.1;
/// A path is as long in every round; the queue of a competitor comes and goes by more than this share and time.
const STEADY: f64 = 1.05;
const STEADY_SECS: f64 = 0.0005;

/// Compares rounds with the one of the largest window among those whose delay is too long for the known path.
#[derive(Debug, Clone, Default)]
pub(super) struct Detour {
    suspicion: Option<Suspicion>,
}

#[derive(Debug, Clone)]
struct Suspicion {
    window: f64,
    rtt: f64,
    least: f64,
    most: f64,
}

/// What the delays of several rounds have shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Longer {
    /// A path of that many seconds.
    Path(f64),
    /// At least as long, but not steadily so: perhaps somebody else's queue.
    Perhaps(f64),
}

impl Detour {
    /// `window`: the one in force while the round's packets were sent; `known`: seconds, with the jitter.
    pub(super) fn handle_round(&mut self, round: &Round, window: f64, known: f64) -> Option<Longer> {
        let rtt = round.least_rtt()?;
        if rtt <= EXCESS_RTTS * known + EXCESS_SECS {
            self.suspicion = None;
            return None;
        }
        let now = Suspicion { window, rtt, least: rtt, most: rtt };
        let Some(since) = &mut self.suspicion else {
            self.suspicion = Some(now);
            return None;
        };
        if window >= since.window {
            (since.window, since.rtt) = (window, rtt);
        }
        (since.least, since.most) = (since.least.min(rtt), since.most.max(rtt));
        if window * WINDOW_SHRUNK > since.window {
            return None;
        }
        let (stays, steady) =
            (rtt * DELAY_SHRUNK > since.rtt, since.most <= since.least * STEADY + STEADY_SECS);
        let least = since.least;
        self.suspicion = if stays { None } else { Some(now) };
        stays.then_some(if steady { Longer::Path(least) } else { Longer::Perhaps(least) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(rounds: &[(f64, f64)]) -> Option<Longer> {
        let mut detour = Detour::default();
        rounds.iter().find_map(|(rtt, window)| {
            let mut round = Round::default();
            round.handle_ack(1000, *rtt);
            detour.handle_round(&round, *window, 0.05)
        })
    }

    #[test]
    fn a_delay_that_outlasts_the_window_is_the_path() {
        let rounds = [(0.05, 100.0), (0.1, 100.0), (0.1, 90.0), (0.1, 70.0)];
        assert_eq!(shown(&rounds), Some(Longer::Path(0.1)));
    }

    #[test]
    fn a_queue_that_follows_the_window_is_ours() {
        assert_eq!(shown(&[(0.1, 100.0), (0.09, 90.0), (0.075, 70.0), (0.061, 50.0)]), None);
    }

    #[test]
    fn a_delay_that_comes_and_goes_may_be_somebody_else_s() {
        assert_eq!(shown(&[(0.1, 100.0), (0.15, 90.0), (0.12, 70.0)]), Some(Longer::Perhaps(0.1)));
    }
}
