use super::*;

fn overrides(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn resolve(pairs: &[(&str, &str)]) -> Result<TopicConfig, InvalidConfig> {
    TopicConfig::resolve(&overrides(pairs), &TopicSettings::default())
}

#[test]
fn the_table_is_sorted_and_its_defaults_satisfy_its_rules() {
    assert!(TOPIC_CONFIGS.is_sorted_by(|a, b| a.name < b.name));
    assert_eq!(check_defaults(&TopicSettings::default()), Ok(()));
    for key in TOPIC_CONFIGS {
        assert!(!key.doc.is_empty() && key.doc.ends_with('.'), "{}", key.name);
    }
}

#[test]
fn a_wrong_broker_default_is_named_by_its_broker_setting() {
    let wrong = TopicSettings { segment_ms: 0, ..TopicSettings::default() };
    let refused = check_defaults(&wrong).expect_err("0 is below the rule");
    assert_eq!(
        refused.to_string(),
        "Invalid value 0 for configuration log.roll.ms: Value must be at least 1"
    );
}

#[test]
fn defaults_come_from_the_settings() {
    let settings = TopicSettings { retention_ms: 5, write_caching: true, ..TopicSettings::default() };
    let config = TopicConfig::resolve(&BTreeMap::new(), &settings).expect("defaults are sound");
    assert!(config.delete && !config.compact && config.write_caching && !config.append_time);
    assert_eq!((config.retention_ms, config.retention_bytes), (5, -1));
    assert_eq!((config.segment_bytes, config.max_message_bytes), (1 << 30, 1_048_588));
    assert_eq!(config.message_timestamp_before_max_ms, i64::MAX);
    assert_eq!(config.message_timestamp_after_max_ms, 3_600_000);
}

#[test]
fn overrides_win() {
    let config = resolve(&[
        ("cleanup.policy", "compact, delete"),
        ("message.timestamp.type", "LogAppendTime"),
        ("min.insync.replicas", "3"),
        ("retention.bytes", "-7"),
        ("write.caching", "TRUE"),
        ("index.interval.bytes", " 10 "),
    ])
    .expect("all are allowed");
    assert!(config.delete && config.compact && config.append_time && config.write_caching);
    assert_eq!((config.min_insync_replicas, config.retention_bytes), (3, -7));
    assert_eq!(config.index_interval_bytes, 10);
}

#[test]
fn an_empty_cleanup_policy_keeps_everything() {
    let config = resolve(&[("cleanup.policy", "")]).expect("the empty list is allowed");
    assert!(!config.delete && !config.compact);
}

#[test]
fn bad_values_are_refused_in_kafkas_words() {
    let cases = [
        (
            "retention.ms",
            "abc",
            "Invalid value abc for configuration retention.ms: Not a number of type LONG",
        ),
        ("retention.ms", "-2", "Invalid value -2 for configuration retention.ms: Value must be at least -1"),
        (
            "segment.bytes",
            "1048575",
            "Invalid value 1048575 for configuration segment.bytes: Value must be at least 1048576",
        ),
        (
            "segment.bytes",
            "2147483648",
            "Invalid value 2147483648 for configuration segment.bytes: Not a number of type INT",
        ),
        (
            "compression.lz4.level",
            "18",
            "Invalid value 18 for configuration compression.lz4.level: Value must be no more than 17",
        ),
        (
            "cleanup.policy",
            "delete,shred",
            "Invalid value delete,shred for configuration cleanup.policy: String must be one of: compact, delete",
        ),
        (
            "cleanup.policy",
            "delete,delete",
            "Invalid value delete,delete for configuration cleanup.policy: Values must not be duplicated",
        ),
        (
            "message.timestamp.type",
            "createtime",
            "Invalid value createtime for configuration message.timestamp.type: String must be one of: CreateTime, \
             LogAppendTime",
        ),
        (
            "preallocate",
            "yes",
            "Invalid value yes for configuration preallocate: Expected value to be either true or false",
        ),
        (
            "min.cleanable.dirty.ratio",
            "1.5",
            "Invalid value 1.5 for configuration min.cleanable.dirty.ratio: Value must be no more than 1",
        ),
        (
            "min.cleanable.dirty.ratio",
            "NaN",
            "Invalid value NaN for configuration min.cleanable.dirty.ratio: Value must be at least 0",
        ),
        (
            "compression.type",
            "zstd",
            "Invalid value zstd for configuration compression.type: Only producer is supported: batches are stored as the \
             producer compressed them",
        ),
        (
            "remote.storage.enable",
            "true",
            "Invalid value true for configuration remote.storage.enable: Only false is supported: this broker has no tiered \
             storage",
        ),
        ("no.such.setting", "1", "Unknown topic config name: no.such.setting"),
    ];
    for (name, value, complaint) in cases {
        let refused = resolve(&[(name, value)]).expect_err(name);
        assert_eq!(refused.to_string(), complaint);
    }
}

#[test]
fn conflicting_lags_are_refused() {
    let refused = resolve(&[("min.compaction.lag.ms", "10"), ("max.compaction.lag.ms", "9")]);
    assert_eq!(refused, Err(InvalidConfig::LagsConflict { min: 10, max: 9 }));
}
