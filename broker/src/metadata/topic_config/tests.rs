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

/// Each setting with a value, and what is complained about it.
fn assert_complaints(cases: &[(&str, &str, &str)]) {
    for (name, value, complaint) in cases {
        let refused = resolve(&[(name, value)]).expect_err(name);
        let expected = format!("Invalid value {value} for configuration {name}: {complaint}");
        assert_eq!(refused.to_string(), expected);
    }
}

#[test]
fn numbers_out_of_range_are_refused_in_kafkas_words() {
    assert_complaints(&[
        ("retention.ms", "abc", "Not a number of type LONG"),
        ("retention.ms", "-2", "Value must be at least -1"),
        ("segment.bytes", "1048575", "Value must be at least 1048576"),
        ("segment.bytes", "2147483648", "Not a number of type INT"),
        ("compression.lz4.level", "18", "Value must be no more than 17"),
        ("min.cleanable.dirty.ratio", "half", "Not a number of type DOUBLE"),
        ("min.cleanable.dirty.ratio", "1.5", "Value must be no more than 1"),
        ("min.cleanable.dirty.ratio", "NaN", "Value must be at least 0"),
    ]);
}

#[test]
fn words_that_are_not_allowed_are_refused_in_kafkas_words() {
    assert_complaints(&[
        ("cleanup.policy", "delete,shred", "String must be one of: compact, delete"),
        ("cleanup.policy", "delete,delete", "Values must not be duplicated"),
        ("message.timestamp.type", "createtime", "String must be one of: CreateTime, LogAppendTime"),
        ("preallocate", "yes", "Expected value to be either true or false"),
        ("remote.storage.enable", "yes", "Expected value to be either true or false"),
    ]);
    let unknown = resolve(&[("no.such.setting", "1")]).expect_err("it is not in the table");
    assert_eq!(unknown.to_string(), "Unknown topic config name: no.such.setting");
}

#[test]
fn values_that_would_promise_what_is_not_done_are_refused_with_the_reason() {
    assert_complaints(&[
        (
            "compression.type",
            "zstd",
            "Only producer is supported: batches are stored as the producer compressed them",
        ),
        ("remote.storage.enable", "true", "Only false is supported: this broker has no tiered storage"),
    ]);
}

#[test]
fn conflicting_lags_are_refused() {
    let refused = resolve(&[("min.compaction.lag.ms", "10"), ("max.compaction.lag.ms", "9")]);
    assert_eq!(refused, Err(InvalidConfig::LagsConflict { min: 10, max: 9 }));
}
