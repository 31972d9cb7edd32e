//! Reads a stream at the target all the time, and tells how far it is. A target that is away is dialled until it is back.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use protocol::{
    ErrorCode,
    messages::k01_fetch::{FetchRequestPartition, FetchResponse},
};

use super::{Plan, event::Place, watch::Watch};
use crate::{
    Wire,
    load::{
        connection::{decoded, encoded},
        consume::next_offset,
        records,
    },
    pause_until, produce,
};

const FETCH_BYTES: i32 = 1 << 20;
const POLL_MS: i32 = 100;
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(5);

pub(super) fn run(plan: &Plan, watch: &Watch, stop: &AtomicBool) {
    let mut next = vec![0; plan.partitions.unsigned_abs() as usize];
    let mut wire = None;
    while !stop.load(Ordering::Relaxed) {
        if wire.is_none() {
            wire = Wire::try_connect(plan.target).ok();
        }
        let fetched = wire.as_mut().map(|wire| fetch(wire, plan, &next));
        match fetched {
            Some(Ok(answer)) => {
                if !follow(&answer, &mut next, watch) {
                    pause_until(Instant::now() + PAUSE);
                }
            }
            _ => {
                wire = None;
                pause_until(Instant::now() + PAUSE);
            }
        }
    }
}

fn fetch(wire: &mut Wire, plan: &Plan, next: &[i64]) -> io::Result<FetchResponse> {
    let mut request = produce::fetch_request(&plan.topic, 0, 0, FETCH_BYTES);
    request.max_wait_ms = POLL_MS;
    request.topics[0].partitions = (0..)
        .zip(next)
        .map(|(partition, next)| FetchRequestPartition {
            partition,
            fetch_offset: *next,
            partition_max_bytes: FETCH_BYTES,
            ..Default::default()
        })
        .collect();
    wire.try_send_bytes(&encoded(produce::FETCH, &request).concat())?;
    Ok(decoded(produce::FETCH, &wire.receive_frame()?))
}

/// Whether no partition was refused.
fn follow(answer: &FetchResponse, next: &mut [i64], watch: &Watch) -> bool {
    let now = Instant::now();
    let mut whole = answer.error_code == ErrorCode::NONE;
    for partition in answer.responses.iter().flat_map(|topic| &topic.partitions) {
        let at = partition.partition_index.unsigned_abs() as usize;
        if partition.error_code == ErrorCode::OFFSET_OUT_OF_RANGE {
            // A target that came back with less than it had shown.
            next[at] = 0;
        }
        whole = whole && partition.error_code == ErrorCode::NONE;
        let Some(fetched) = partition.records.as_ref().filter(|records| !records.is_empty()) else {
            continue;
        };
        let mut readable = 0;
        records::each(fetched, &mut |record| {
            if let Some(place) = Place::of(record.key.as_ref()) {
                readable = readable.max(place.sequence + 1);
            }
        });
        next[at] = next_offset(fetched).unwrap_or(next[at]);
        watch.readable(partition.partition_index, readable, now);
    }
    whole
}
