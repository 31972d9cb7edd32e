//! The producer: numbered events at a steady rate to wherever the home is, through a failover without a stop.
//!
//! What the old home refuses because it is fenced was not appended there, so it is sent to the new home; what is
//! acknowledged is written into the ledger. A connection that breaks is not mended: whether the last batches were
//! appended could not be known, and the check would not be exact.

use std::{collections::VecDeque, net::SocketAddr, time::Duration};

use tokio::{
    sync::watch,
    time::{self, Instant, MissedTickBehavior},
};

use protocol::batch::{BatchBuilder, BatchError};

use super::{
    client::{Batch, Client, Produced},
    error::DemoError,
    event::Event,
    progress::Progress,
    region::Region,
    world::{PARTITIONS, TOPIC},
};

const IN_FLIGHT_MAX: usize = 8;
/// Events of this time go into one request.
const LINGER: Duration = Duration::from_millis(10);
/// After a stall the producer does not make up for more than this.
const BEHIND_MAX: Duration = Duration::from_millis(500);
/// Before asking a fenced region again that is still the home as far as one knows.
const FENCED_PAUSE: Duration = Duration::from_millis(50);
const MICROS: u128 = 1_000_000;

/// Where to produce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    In(Region, SocketAddr),
    /// Nowhere any more.
    Done,
}

pub(super) struct Producer {
    progress: Progress,
    rate: u64,
    /// Refused at a fenced region, in order.
    refused: VecDeque<Numbered>,
    /// Events times a million that are due.
    due: u128,
}

/// Numbers of events for one partition, not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Numbered {
    partition: i32,
    numbers: Vec<u64>,
}

impl Producer {
    pub(super) fn new(progress: Progress, rate: u64) -> Self {
        Self { progress, rate, refused: VecDeque::new(), due: 0 }
    }

    /// Produces until the home is `Done` and everything sent is answered.
    pub(super) async fn run(mut self, mut home: watch::Receiver<Home>) -> Result<(), DemoError> {
        loop {
            let now = *home.borrow_and_update();
            let Home::In(region, address) = now else {
                self.progress.change(|state| state.answered = true);
                return Ok(());
            };
            self.produce_in(region, address, &mut home).await?;
            if home.has_changed().is_ok_and(|changed| !changed) {
                drop(time::timeout(FENCED_PAUSE, home.changed()).await);
            }
        }
    }

    /// Produces in one region until it is fenced or the home changes, and awaits all answers.
    async fn produce_in(
        &mut self,
        region: Region,
        address: SocketAddr,
        home: &mut watch::Receiver<Home>,
    ) -> Result<(), DemoError> {
        let mut client = Client::open(address).await?;
        let mut sent: VecDeque<Vec<Numbered>> = VecDeque::new();
        let mut ticks = time::interval(LINGER);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = Instant::now();
        let mut goes_on = true;
        while goes_on || client.in_flight() > 0 {
            tokio::select! {
                answer = client.receive_produced(), if client.in_flight() > 0 => {
                    let batches = sent.pop_front().unwrap_or_default();
                    goes_on &= self.settle(region, batches, &answer?);
                }
                _ = home.changed(), if goes_on => {
                    goes_on = false;
                    home.mark_changed();
                }
                now = ticks.tick(), if goes_on && client.in_flight() < IN_FLIGHT_MAX => {
                    let batches = self.due(now.duration_since(last));
                    last = now;
                    if !batches.is_empty() {
                        client.send_batches(TOPIC, self.encode(&batches)?).await?;
                        sent.push_back(batches);
                    }
                }
            }
        }
        Ok(())
    }

    /// What to send now: what was refused before, or new events for the time that has passed.
    fn due(&mut self, passed: Duration) -> Vec<Numbered> {
        self.due += passed.min(BEHIND_MAX).as_micros() * u128::from(self.rate);
        if !self.refused.is_empty() {
            // One batch per partition and request, as the protocol has it.
            let mut again: Vec<Numbered> = Vec::new();
            for batch in self.refused.drain(..) {
                match again.iter_mut().find(|other| other.partition == batch.partition) {
                    Some(other) => other.numbers.extend(batch.numbers),
                    None => again.push(batch),
                }
            }
            return again;
        }
        let count = u64::try_from(self.due / MICROS).unwrap_or(u64::MAX);
        self.due %= MICROS;
        let first = self.progress.change(|state| {
            let first = state.produced;
            state.produced += count;
            first
        });
        let mut numbered: Vec<Numbered> =
            (0..PARTITIONS).map(|partition| Numbered { partition, numbers: Vec::new() }).collect();
        for number in first..first + count {
            let partition = Event::partition(number, PARTITIONS);
            if let Some(batch) = numbered.iter_mut().find(|batch| batch.partition == partition) {
                batch.numbers.push(number);
            }
        }
        numbered.retain(|batch| !batch.numbers.is_empty());
        numbered
    }

    fn encode(&self, batches: &[Numbered]) -> Result<Vec<Batch>, DemoError> {
        let now = self.progress.wall_ms();
        let encoded = batches.iter().map(|batch| {
            let builder = batch.numbers.iter().fold(BatchBuilder::new(), |builder, &number| {
                let Event { key, value } = Event::of(number);
                builder.record(now, Some(key.as_bytes()), Some(value.as_bytes()), &[])
            });
            Ok(Batch { partition: batch.partition, records: builder.build()?.freeze() })
        });
        encoded.collect::<Result<_, BatchError>>().map_err(|error| DemoError::Broken(error.to_string()))
    }

    /// Writes acknowledged events down and keeps refused ones; whether nothing was refused.
    fn settle(&mut self, region: Region, batches: Vec<Numbered>, answers: &[Produced]) -> bool {
        let at_us = self.progress.now_us();
        let refused = self.progress.change(|state| {
            let mut refused = Vec::new();
            for batch in batches {
                let answer = answers.iter().find(|answer| answer.partition == batch.partition);
                match answer.map(|answer| answer.base_offset) {
                    Some(Some(base)) => {
                        let at = (batch.partition, base);
                        state.ledger.acknowledge(at, &batch.numbers, at_us, region);
                    }
                    Some(None) => refused.push(batch),
                    // Not answered is not known: sending it again could store it twice. The check misses it.
                    None => {}
                }
            }
            refused
        });
        let all_taken = refused.is_empty();
        self.refused.extend(refused);
        all_taken
    }
}

#[cfg(test)]
mod tests;
