//! The pipe from outside, with packets whose every byte is known.

mod befall;
mod cut;
mod odd;
mod sent;
mod time;

use std::time::Duration;

use super::{Counters, Impairments, Pipe};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Takes all that ever arrives.
fn drain(pipe: &mut Pipe) -> Vec<(Duration, Vec<u8>)> {
    std::iter::from_fn(|| pipe.take(Duration::MAX)).collect()
}

/// Every segment that came in is accounted for.
fn assert_accounted(counters: &Counters) {
    let in_ = counters.received + counters.duplicated;
    let gone = counters.blackholed + counters.too_long + counters.lost + counters.dropped;
    assert_eq!(in_, gone + counters.delivered + counters.waiting, "{counters:?}");
}
