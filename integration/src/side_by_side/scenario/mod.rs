//! The scenarios, one file each. A scenario is a list of cases; a case is run against one side at a time.

mod additions;
mod backlog;
mod consume;
mod cross_check;
mod faults;
mod latency;
mod mirrored;
mod offsets;
mod produce;
mod start;
mod tail;
mod wan;

use std::time::{Duration, Instant};

use protocol::batch::Compression;

use super::{
    figures::Figures,
    options::{Codec, Options},
    place::Places,
    progress::Progress,
    side::Side,
};
use crate::load::{
    data::{Data, Pool, Recipe},
    measure::Percentiles,
    produce::Produced,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Scenario {
    /// One broker, as fast as it takes records.
    Produce,
    /// One broker, as fast as it gives records.
    Consume,
    /// One broker at 20 MB/s: from a request being due to its acknowledgement, and to being readable.
    Latency,
    /// A mirror that finds a full topic.
    Backlog,
    /// A mirror that keeps up: from acknowledged at the source to readable at the target.
    Tail,
    /// A mirror that catches up over an emulated WAN: RTT, loss and rate of the line, partitions, kinds of data.
    Wan,
    /// Consumer groups after the source is lost: records read again and skipped.
    Offsets,
    /// A steady stream while brokers, the mirror or the network fail: time until it is level again, records lost and duplicated.
    Faults,
    /// A broker with many partitions: time until it answers, memory, idle CPU.
    Start,
    /// Our load generator beside Kafka's own tools and librdkafka.
    CrossCheck,
}

/// Of the topic of a scenario with one broker.
const PARTITIONS: [i32; 3] = [1, 16, 1_000];

pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) run: CaseRun,
}

pub(crate) type CaseRun = Box<dyn Fn(&dyn Side, &mut Context<'_>) -> Figures>;

/// What a case runs with.
pub(crate) struct Context<'a> {
    pub(crate) options: &'a Options,
    pub(crate) places: &'a Places,
    pub(crate) progress: &'a mut Progress,
}

impl Scenario {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Produce => "produce",
            Self::Consume => "consume",
            Self::Latency => "latency",
            Self::Backlog => "backlog",
            Self::Tail => "tail",
            Self::Wan => "wan",
            Self::Offsets => "offsets",
            Self::Faults => "faults",
            Self::Start => "start",
            Self::CrossCheck => "cross-check",
        }
    }

    pub(crate) fn cases(self, options: &Options) -> Vec<Case> {
        match self {
            Self::Produce => produce::cases(),
            Self::Consume => consume::cases(),
            Self::Latency => latency::cases(),
            Self::Backlog => backlog::cases(options),
            Self::Tail => tail::cases(),
            Self::Wan => wan::cases(options),
            Self::Offsets => offsets::cases(),
            Self::Faults => faults::cases(options),
            Self::Start => start::cases(),
            Self::CrossCheck => cross_check::cases(),
        }
    }
}

impl Context<'_> {
    /// Batches of events of about so many bytes before compression.
    pub(crate) fn pool(&self, batch_bytes: usize) -> Pool {
        self.pool_of(Data::Events, self.compression(), batch_bytes)
    }

    pub(crate) fn pool_of(&self, data: Data, compression: Compression, batch_bytes: usize) -> Pool {
        Pool::of(&Recipe { data, compression, batch_bytes, pool_bytes: self.pool_bytes(batch_bytes) })
    }

    /// What producers compress with.
    pub(crate) fn compression(&self) -> Compression {
        match self.options.compression {
            Codec::None => Compression::None,
            Codec::Lz4 => Compression::Lz4,
            Codec::Zstd => Compression::Zstd,
        }
    }

    fn pool_bytes(&self, batch_bytes: usize) -> usize {
        // Small batches cost memory beyond their bytes.
        let most = if batch_bytes < 10_000 { 4 << 20 } else { 64 << 20 };
        most.min(usize::try_from(self.options.size_mb).unwrap_or(usize::MAX).saturating_mul(1_000_000))
    }
}

pub(crate) fn partitions(count: i32) -> String {
    if count == 1 { "1 partition".to_owned() } else { format!("{count} partitions") }
}

/// Says when a time is over, or that much is sent.
pub(crate) fn for_seconds(seconds: u64, bytes_max: u64) -> impl FnMut(&Produced) -> bool {
    let (started, limit) = (Instant::now(), Duration::from_secs(seconds));
    move |done| started.elapsed() >= limit || done.bytes >= bytes_max
}

pub(crate) fn percentiles(name: &str, of: &Percentiles) -> Figures {
    let mut figures = Figures::default();
    let all = [("p50", of.p50_ms), ("p99", of.p99_ms), ("p99.9", of.p999_ms), ("max", of.max_ms)];
    for (percentile, ms) in all {
        figures.lower(format!("{name}, {percentile}"), "ms", ms);
    }
    figures
}
