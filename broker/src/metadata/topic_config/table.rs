//! Every topic setting of Kafka 4.x and our own, in the order of their names.

use std::borrow::Cow;

use super::check::{
    ConfigKind::{self, Boolean, Double, Int, List, Long, String},
    Rule::{self, Any, AtLeast, Between, Items, OneOf, Only, Ratio},
};
use crate::settings::TopicSettings;

/// One setting that clients see.
#[derive(Debug)]
pub struct ConfigKey {
    pub name: &'static str,
    pub kind: ConfigKind,
    /// Kafka's name of the broker setting that is the default of all topics.
    pub broker_name: Option<&'static str>,
    pub default: ConfigDefault,
    pub(super) rule: Rule,
    /// What it does here, for people.
    pub doc: &'static str,
}

/// Where a setting comes from when a topic says nothing.
#[derive(Debug, Clone, Copy)]
pub enum ConfigDefault {
    Fixed(&'static str),
    Setting(fn(&TopicSettings) -> std::string::String),
}

impl ConfigDefault {
    pub fn value(self, settings: &TopicSettings) -> Cow<'static, str> {
        match self {
            Self::Fixed(value) => Cow::Borrowed(value),
            Self::Setting(value) => Cow::Owned(value(settings)),
        }
    }
}

use ConfigDefault::{Fixed, Setting};

const LONG_MAX: &str = "9223372036854775807";
const NO_TIERS: &str = "this broker has no tiered storage";

macro_rules! configs {
    ($($name:literal $kind:ident $broker:expr, $default:expr, $rule:expr, $doc:expr;)*) => {
        /// Every topic setting, by name.
        pub static TOPIC_CONFIGS: &[ConfigKey] = &[$(ConfigKey {
            name: $name,
            kind: $kind,
            broker_name: $broker,
            default: $default,
            rule: $rule,
            doc: $doc,
        },)*];
    };
}

configs! {
    "cleanup.policy" List Some("log.cleanup.policy"), Fixed("delete"), Items(&["compact", "delete"]),
        "What happens to old records: 'delete' applies retention.ms and retention.bytes; 'compact' demands a key of every record. \
         Compaction itself is not carried out by this version: a topic with 'compact' alone keeps every record.";
    "compression.gzip.level" Int Some("compression.gzip.level"), Fixed("-1"), Between(-1, 9),
        "Not used: batches are stored as the producer compressed them.";
    "compression.lz4.level" Int Some("compression.lz4.level"), Fixed("9"), Between(1, 17),
        "Not used: batches are stored as the producer compressed them.";
    "compression.type" String Some("compression.type"), Fixed("producer"),
        Only { value: "producer", because: "batches are stored as the producer compressed them" },
        "Always 'producer': batches are stored and served as the producer compressed them.";
    "compression.zstd.level" Int Some("compression.zstd.level"), Fixed("3"), Between(-131_072, 22),
        "Not used: batches are stored as the producer compressed them.";
    "delete.retention.ms" Long Some("log.cleaner.delete.retention.ms"), Fixed("86400000"), AtLeast(0),
        "How long a compacted topic keeps tombstones. Not used: this version does not compact.";
    "file.delete.delay.ms" Long Some("log.segment.delete.delay.ms"), Fixed("60000"), AtLeast(0),
        "Not used: segments that retention drops are deleted at once; readers keep their open files.";
    "flush.messages" Long Some("log.flush.interval.messages"), Fixed(LONG_MAX), AtLeast(1),
        "Not used: acks=all is answered after the sync of the batch unless write.caching is on; acks=1 after the write.";
    "flush.ms" Long Some("log.flush.interval.ms"), Fixed(LONG_MAX), AtLeast(0),
        "Not used: acks=all is answered after the sync of the batch unless write.caching is on; acks=1 after the write.";
    "follower.replication.throttled.replicas" List None, Fixed(""), Any,
        "Not used: a partition has one replica.";
    "index.interval.bytes" Int Some("log.index.interval.bytes"), Fixed("4096"), AtLeast(0),
        "Log bytes between two index entries: less finds an offset faster, more keeps the index smaller.";
    "leader.replication.throttled.replicas" List None, Fixed(""), Any,
        "Not used: a partition has one replica.";
    "local.retention.bytes" Long Some("log.local.retention.bytes"), Fixed("-2"), AtLeast(-2),
        "Not used: this broker has no tiered storage.";
    "local.retention.ms" Long Some("log.local.retention.ms"), Fixed("-2"), AtLeast(-2),
        "Not used: this broker has no tiered storage.";
    "max.compaction.lag.ms" Long Some("log.cleaner.max.compaction.lag.ms"), Fixed(LONG_MAX), AtLeast(1),
        "The longest a record of a compacted topic stays uncompacted. Not used: this version does not compact.";
    "max.message.bytes" Int Some("message.max.bytes"), Setting(|topics| topics.max_message_bytes.to_string()), AtLeast(0),
        "The largest batch, as the producer compressed it.";
    "message.timestamp.after.max.ms" Long Some("log.message.timestamp.after.max.ms"), Fixed("3600000"), AtLeast(0),
        "How far a CreateTime timestamp may be ahead of the broker's clock.";
    "message.timestamp.before.max.ms" Long Some("log.message.timestamp.before.max.ms"), Fixed(LONG_MAX), AtLeast(0),
        "How far a CreateTime timestamp may be behind the broker's clock.";
    "message.timestamp.type" String Some("log.message.timestamp.type"), Fixed("CreateTime"), OneOf(&["CreateTime", "LogAppendTime"]),
        "Whether records carry the producer's time or the broker's time of the append.";
    "min.cleanable.dirty.ratio" Double Some("log.cleaner.min.cleanable.ratio"), Fixed("0.5"), Ratio,
        "How much of a compacted log may be dirty. Not used: this version does not compact.";
    "min.compaction.lag.ms" Long Some("log.cleaner.min.compaction.lag.ms"), Fixed("0"), AtLeast(0),
        "The shortest a record of a compacted topic stays uncompacted. Not used: this version does not compact.";
    "min.insync.replicas" Int Some("min.insync.replicas"), Fixed("1"), AtLeast(1),
        "Replicas that must have a batch before acks=all is answered. A partition has one replica here, so more than 1 makes acks=all \
         fail with NOT_ENOUGH_REPLICAS, as in Kafka with a replication factor of 1.";
    "preallocate" Boolean Some("log.preallocate"), Fixed("false"), Any,
        "Not used: how segment files are allocated is the log's own business.";
    "remote.copy.lag.bytes" Long None, Fixed("0"), AtLeast(-1),
        "Not used: this broker has no tiered storage.";
    "remote.copy.lag.ms" Long None, Fixed("0"), AtLeast(-1),
        "Not used: this broker has no tiered storage.";
    "remote.log.copy.disable" Boolean None, Fixed("false"), Any,
        "Not used: this broker has no tiered storage.";
    "remote.log.delete.on.disable" Boolean None, Fixed("false"), Any,
        "Not used: this broker has no tiered storage.";
    "remote.storage.enable" Boolean None, Fixed("false"), Only { value: "false", because: NO_TIERS },
        "Always false: this broker has no tiered storage.";
    "retention.bytes" Long Some("log.retention.bytes"), Setting(|topics| topics.retention_bytes.to_string()), Any,
        "With cleanup.policy 'delete', how large a partition may grow before its oldest segments go; -1: no limit.";
    "retention.ms" Long Some("log.retention.ms"), Setting(|topics| topics.retention_ms.to_string()), AtLeast(-1),
        "With cleanup.policy 'delete', how old records may grow before their segments go; -1: no limit.";
    "segment.bytes" Int Some("log.segment.bytes"), Setting(|topics| topics.segment_bytes.to_string()), AtLeast(1 << 20),
        "Log bytes after which a new segment begins; retention works on whole segments.";
    "segment.index.bytes" Int Some("log.index.size.max.bytes"), Fixed("10485760"), AtLeast(4),
        "Not used: an index is as large as its segment needs.";
    "segment.jitter.ms" Long Some("log.roll.jitter.ms"), Fixed("0"), AtLeast(0),
        "Not used: a segment is rolled by the append that finds it full or old, so idle partitions do not roll at once.";
    "segment.ms" Long Some("log.roll.ms"), Setting(|topics| topics.segment_ms.to_string()), AtLeast(1),
        "Age after which a new segment begins even if the old one is not full.";
    "unclean.leader.election.enable" Boolean Some("unclean.leader.election.enable"), Fixed("false"), Any,
        "Not used: a partition has one replica, so there is no other leader to elect.";
    "write.caching" Boolean Some("write.caching"), Setting(|topics| topics.write_caching.to_string()), Any,
        "Of this broker, not of Kafka: true answers acks=all, and shows records to consumers, once they are in the page cache. Faster, but \
         acknowledged records are lost when the machine (not just the process) dies before the next sync.";
}
