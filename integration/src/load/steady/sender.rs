//! Sends one partition's records at a rate. Whatever happens to the broker, each request is sent until it is
//! acknowledged; what was due in the meantime follows as fast as answers come.

use std::{
    io,
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use protocol::{
    ErrorCode,
    batch::BatchBuilder,
    messages::k00_produce::{ProduceRequest, ProduceResponse},
};

use super::{
    Plan, Sent,
    event::{Events, Place},
    watch::Watch,
};
use crate::{
    Wire, eventually_within,
    load::connection::{decoded, encoded},
    pause_until, produce,
};

/// No broker is away for so long.
const LIMIT: Duration = Duration::from_secs(300);
/// What a record takes in its batch beside its value, about.
const RECORD_HEADER_BYTES: usize = 20;

pub(super) fn run(plan: &Plan, partition: i32, events: &Events, watch: &Watch, stop: &AtomicBool) -> Sent {
    let rate = plan.rate as f64 / f64::from(plan.partitions);
    let started = Instant::now();
    let mut lane = Lane { source: plan.source, wire: None };
    let (mut sent, mut bytes) = (Sent::default(), 0_usize);
    while !stop.load(Ordering::Relaxed) {
        pause_until(started + Duration::from_secs_f64(bytes as f64 / rate));
        let (request, records) = request(plan, partition, sent.records, events, &mut bytes);
        let again = lane.deliver(&request);
        sent.records += records;
        sent.again += if again { records } else { 0 };
        watch.acked(partition, sent.records, Instant::now());
    }
    sent
}

/// The records from `first` on that make a batch, and how many they are.
fn request(
    plan: &Plan,
    partition: i32,
    first: u64,
    events: &Events,
    bytes: &mut usize,
) -> (ProduceRequest, u64) {
    let (now, mut used, mut sequence) = (produce::now_ms(), 0, first);
    let mut builder = BatchBuilder::new().compression(plan.compression);
    loop {
        let place = Place { partition, sequence };
        let value = events.value(place);
        used += value.len() + RECORD_HEADER_BYTES;
        if sequence > first && used > plan.request_bytes {
            break;
        }
        builder = builder.record(now, Some(place.key().as_bytes()), Some(value), &[]);
        sequence += 1;
    }
    let batch = builder.build().expect("a batch of events is small").freeze();
    *bytes += batch.len();
    let mut request = produce::produce_request(&plan.topic, -1, &batch);
    request.topic_data[0].partition_data[0].index = partition;
    (request, sequence - first)
}

struct Lane {
    source: SocketAddr,
    wire: Option<Wire>,
}

impl Lane {
    /// Sends until it is acknowledged; whether it was sent more than once without knowing what became of it.
    #[track_caller]
    fn deliver(&mut self, request: &ProduceRequest) -> bool {
        let pieces = encoded(produce::PRODUCE, request).concat();
        let mut unknown = false;
        let delivered = eventually_within(LIMIT, || {
            if self.wire.is_none() {
                self.wire = Wire::try_connect(self.source).ok();
            }
            let answer = exchange(self.wire.as_mut()?, &pieces);
            match answer {
                Ok(error) => (error == ErrorCode::NONE).then_some(()),
                Err(_) => {
                    self.wire = None;
                    unknown = true;
                    None
                }
            }
        });
        assert!(delivered.is_some(), "the source acknowledges nothing for {LIMIT:?}");
        unknown
    }
}

fn exchange(wire: &mut Wire, request: &[u8]) -> io::Result<ErrorCode> {
    wire.try_send_bytes(request)?;
    let answer: ProduceResponse = decoded(produce::PRODUCE, &wire.receive_frame()?);
    Ok(answer.responses[0].partition_responses[0].error_code)
}
