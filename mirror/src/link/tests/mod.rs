//! What the tests of this folder share, and the two cores against each other.

mod pair;
mod world;

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use protocol::{
    LeaderEpoch, Offset, PartitionId, ProducerEpoch, ProducerId, Sequence, TopicId, TopicName, Uuid,
    batch::{BatchBuilder, Compression},
};

use super::{
    Handle,
    wire::{Hello, Subscribe, Topic, VERSION},
};
use crate::ownership::HomeGeneration;

pub(super) const TOPIC: TopicId = TopicId(Uuid::from_u128(0x7091c));
pub(super) const GENERATION: HomeGeneration = HomeGeneration(3);

pub(super) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Makes batches.
#[derive(Debug, Clone, Copy)]
pub(super) struct Make {
    pub(super) base: i64,
    pub(super) records: usize,
    pub(super) value_bytes: usize,
    pub(super) compression: Compression,
    pub(super) epoch: i32,
    /// Bytes that do not shrink.
    pub(super) noise: bool,
}

impl Make {
    pub(super) fn at(base: i64) -> Self {
        Self { base, records: 1, value_bytes: 20, compression: Compression::None, epoch: 0, noise: false }
    }

    pub(super) fn records(self, records: usize) -> Self {
        Self { records, ..self }
    }

    pub(super) fn value_bytes(self, value_bytes: usize) -> Self {
        Self { value_bytes, ..self }
    }

    pub(super) fn epoch(self, epoch: i32) -> Self {
        Self { epoch, ..self }
    }

    pub(super) fn compression(self, compression: Compression) -> Self {
        Self { compression, ..self }
    }

    pub(super) fn noise(self) -> Self {
        Self { noise: true, ..self }
    }

    pub(super) fn build(self) -> Bytes {
        let mut state = self.base as u64 | 1;
        let value: Vec<u8> = (0..self.value_bytes)
            .map(|at| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                if self.noise { (state >> 56) as u8 } else { b"event type=page user="[at % 21] }
            })
            .collect();
        let builder = BatchBuilder::new()
            .compression(self.compression)
            .base_offset(Offset(self.base))
            .leader_epoch(LeaderEpoch(self.epoch))
            .producer(ProducerId(7), ProducerEpoch(0), Sequence(0));
        (0..self.records)
            .fold(builder, |builder, at| builder.record(1000 + at as i64, Some(b"key"), Some(&value), &[]))
            .build()
            .unwrap()
            .freeze()
    }
}

pub(super) fn concat(batches: &[Bytes]) -> Bytes {
    batches
        .iter()
        .fold(BytesMut::new(), |mut all, batch| {
            all.extend_from_slice(batch);
            all
        })
        .freeze()
}

pub(super) fn hello(node: &str) -> Hello {
    Hello {
        version: VERSION,
        link: "east:west".into(),
        node: node.into(),
        topology: "shop".into(),
        digest: "77".into(),
        clock: 5,
    }
}

pub(super) fn topic(partitions: usize) -> Topic {
    Topic {
        name: TopicName::from("orders"),
        id: TOPIC,
        leader_epochs: vec![LeaderEpoch(0); partitions],
        configs: [("retention.ms".to_owned(), "1000".to_owned())].into(),
        compacted: false,
        generation: GENERATION,
    }
}

pub(super) fn subscribe(handle: u32, next_offset: i64) -> Subscribe {
    Subscribe {
        handle: Handle(handle),
        topic_id: TOPIC,
        partition: PartitionId(handle as i32),
        next_offset: Offset(next_offset),
        last_epoch: (next_offset > 0).then_some(LeaderEpoch(0)),
        generation: GENERATION,
        fresh: next_offset == 0,
    }
}
