//! What values each setting takes: one line per setting.

use tracing_subscriber::EnvFilter;

use super::{
    Refusal,
    address::HostPort,
    given::{Given, Scalar},
};

const I32_MAX: i128 = i32::MAX as i128;
const I64_MAX: i128 = i64::MAX as i128;
const U64_MAX: i128 = u64::MAX as i128;
const PARTITIONS_MAX: i128 = broker::limits::PARTITIONS_PER_TOPIC_MAX as i128;
const HOUR_MS: i128 = 3_600_000;
/// Far more than any waiting is good for, and far from where sums of times overflow.
const YEAR_MS: i128 = 365 * 24 * HOUR_MS;
const THREADS_MAX: i128 = 1_024;
const MILLION: i128 = 1_000_000;
const MIB: i128 = 1 << 20;
const TIB: i128 = 1 << 40;
/// A request's length is a signed 32-bit number on the wire; less than this fits no request that is worth taking.
const REQUEST_BYTES_MIN: i128 = 1_024;

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// The values a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    AnyText,
    SomeText,
    OneOf(&'static [&'static str]),
    /// From the first to the second, both included.
    Whole(i128, i128),
    /// `HOST:PORT` to bind.
    Listen,
    /// `HOST:PORT` that others connect to, or nothing.
    Advertise,
    /// What `tracing` events are written.
    LogFilter,
}

#[rustfmt::skip]
const RULES: &[(&str, Rule)] = &[
    ("admin",                                       Rule::Listen),
    ("broker.advertise",                            Rule::Advertise),
    ("broker.broker_id",                            Rule::Whole(0, I32_MAX)),
    ("broker.connections.connections_max",          Rule::Whole(1, MILLION)),
    ("broker.connections.connections_per_ip_max",   Rule::Whole(1, MILLION)),
    ("broker.connections.idle_ms",                  Rule::Whole(1, YEAR_MS)),
    ("broker.connections.in_flight_bytes_max",      Rule::Whole(REQUEST_BYTES_MIN, TIB)),
    ("broker.connections.request_bytes_max",        Rule::Whole(REQUEST_BYTES_MIN, I32_MAX)),
    ("broker.connections.request_read_ms",          Rule::Whole(1, YEAR_MS)),
    ("broker.connections.response_write_ms",        Rule::Whole(1, YEAR_MS)),
    ("broker.groups.initial_rebalance_delay_ms",    Rule::Whole(0, HOUR_MS)),
    ("broker.groups.members_max",                   Rule::Whole(1, U64_MAX)),
    ("broker.groups.offset_metadata_bytes_max",     Rule::Whole(0, I32_MAX)),
    ("broker.groups.offsets_partitions",            Rule::Whole(1, PARTITIONS_MAX)),
    ("broker.groups.offsets_retention_minutes",     Rule::Whole(1, I32_MAX)),
    ("broker.groups.session_timeout_max_ms",        Rule::Whole(1, I32_MAX)),
    ("broker.groups.session_timeout_min_ms",        Rule::Whole(1, I32_MAX)),
    ("broker.listen",                               Rule::Listen),
    ("broker.rack",                                 Rule::AnyText),
    ("broker.topics.auto_create",                   Rule::OneOf(&["true", "false"])),
    ("broker.topics.max_message_bytes",             Rule::Whole(1, I32_MAX)),
    ("broker.topics.partitions",                    Rule::Whole(1, PARTITIONS_MAX)),
    ("broker.topics.retention_bytes",               Rule::Whole(-1, I64_MAX)),
    ("broker.topics.retention_check_interval_ms",   Rule::Whole(1, YEAR_MS)),
    ("broker.topics.retention_ms",                  Rule::Whole(-1, I64_MAX)),
    ("broker.topics.segment_bytes",                 Rule::Whole(REQUEST_BYTES_MIN, I32_MAX)),
    ("broker.topics.segment_ms",                    Rule::Whole(1, I64_MAX)),
    ("broker.topics.write_caching",                 Rule::OneOf(&["true", "false"])),
    ("certs",                                       Rule::SomeText),
    ("data",                                        Rule::SomeText),
    ("drain_ms",                                    Rule::Whole(0, HOUR_MS)),
    ("link.congestion",                             Rule::OneOf(&["link", "cubic"])),
    ("link.credit_bytes",                           Rule::Whole(4 * MIB, TIB)),
    ("link.idle_timeout_ms",                        Rule::Whole(1_000, HOUR_MS)),
    ("link.keep_alive_ms",                          Rule::Whole(100, HOUR_MS)),
    ("link.mtu_max",                                Rule::Whole(1_200, 6_500)),
    ("link.socket_buffer_bytes",                    Rule::Whole(64 << 10, 1 << 30)),
    ("link.worker_threads",                         Rule::Whole(1, THREADS_MAX)),
    ("log.checkpoint_interval_ms",                     Rule::Whole(0, HOUR_MS)),
    ("log.decompressed_bytes_max",                  Rule::Whole(REQUEST_BYTES_MIN, TIB)),
    ("log.index_bytes_max",                         Rule::Whole(0, TIB)),
    ("log.journal_bytes_max",                       Rule::Whole(0, TIB)),
    ("log.open_files_max",                          Rule::Whole(1, MILLION)),
    ("log.producer_expiry_ms",                         Rule::Whole(1, YEAR_MS)),
    ("log.queue_max",                               Rule::Whole(1, MILLION)),
    ("log.recent_bytes_max",                        Rule::Whole(0, TIB)),
    ("log.round_bytes_max",                         Rule::Whole(1, TIB)),
    ("node",                                        Rule::AnyText),
    ("telemetry.filter",                            Rule::LogFilter),
    ("telemetry.format",                            Rule::OneOf(&["auto", "human", "json"])),
    ("topology",                                    Rule::AnyText),
    ("worker_threads",                              Rule::Whole(0, THREADS_MAX)),
];

/// Is a value of the right form also one that the setting takes?
pub(crate) fn check(given: &Given) -> Result<(), Refusal> {
    let rule = of(&given.name);
    if rule.admits(&given.value) {
        return Ok(());
    }
    Err(Refusal {
        setting: given.spelling.of(&given.name),
        origin: given.origin.clone(),
        problem: format!("{} is not {}", given.value, rule.words()),
        fix: format!("write {}", rule.example()),
    })
}

/// The rule of a setting.
pub(crate) fn of(name: &str) -> Rule {
    RULES.iter().find(|(known, _)| *known == name).map_or(Rule::AnyText, |(_, rule)| *rule)
}

impl Rule {
    fn admits(self, value: &Scalar) -> bool {
        match (self, value) {
            (Self::Whole(least, most), Scalar::Whole(number)) => (least..=most).contains(number),
            (Self::SomeText, Scalar::Text(text)) => !text.trim().is_empty(),
            (Self::OneOf(words), Scalar::Text(text)) => words.contains(&text.as_str()),
            (Self::Listen, Scalar::Text(text)) => HostPort::parse(text).is_some(),
            (Self::Advertise, Scalar::Text(text)) => text.is_empty() || can_be_dialled(text),
            (Self::LogFilter, Scalar::Text(text)) => is_log_filter(text),
            (Self::AnyText, _) | (Self::OneOf(_), Scalar::Flag(_)) => true,
            _ => false,
        }
    }

    pub(crate) fn words(self) -> String {
        match self {
            Self::AnyText | Self::SomeText => "text".to_owned(),
            Self::OneOf(words) => format!("one of {}", words.join(", ")),
            Self::Whole(least, most) => format!("a whole number from {least} to {most}"),
            Self::Listen => "HOST:PORT".to_owned(),
            Self::Advertise => "a HOST:PORT that clients can connect to".to_owned(),
            Self::LogFilter => "a level or a list of target=level".to_owned(),
        }
    }

    fn example(self) -> String {
        match self {
            Self::SomeText => "something, such as \"./isthmus-data\"".to_owned(),
            Self::Listen => "a host and a port, such as \"127.0.0.1:9092\"".to_owned(),
            Self::Advertise => {
                "the name clients know this host by, such as \"kafka-1.example:9092\"".to_owned()
            }
            Self::LogFilter => format!("one of {}, or such as \"info,broker=debug\"", LEVELS.join(", ")),
            Self::AnyText | Self::OneOf(_) | Self::Whole(..) => self.words(),
        }
    }
}

fn can_be_dialled(text: &str) -> bool {
    HostPort::parse(text).is_some_and(|address| address.port != 0 && !address.is_wildcard())
}

/// `EnvFilter` takes any word for the name of a target, `inof` too: a bare word must be a level here.
fn is_log_filter(text: &str) -> bool {
    let plausible = |part: &str| part.contains('=') || LEVELS.contains(&part.trim());
    text.split(',').all(plausible) && EnvFilter::try_new(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Settings, given::Spelling, schema::Schema};

    fn given(name: &str, value: Scalar) -> Given {
        Given { name: name.to_owned(), value, origin: "here".to_owned(), spelling: Spelling::Dotted }
    }

    fn admits(rule: Rule, text: &str) -> bool {
        rule.admits(&Scalar::Text(text.to_owned()))
    }

    #[test]
    fn every_setting_has_a_rule_and_every_rule_a_setting() {
        let schema = Schema::of_settings();
        let settings: Vec<_> = schema.names().collect();
        let rules: Vec<_> = RULES.iter().map(|(name, _)| *name).collect();
        assert_eq!(rules, settings);
    }

    #[test]
    fn every_default_is_admitted() {
        for default in Schema::of_settings().defaults() {
            assert_eq!(check(&default), Ok(()));
        }
    }

    #[test]
    fn the_ends_of_every_range_fit_the_setting() {
        let ends = RULES.iter().filter_map(|(name, rule)| match rule {
            Rule::Whole(least, most) => Some([(name, *least), (name, *most)]),
            _ => None,
        });
        for (name, end) in ends.flatten() {
            let number = i64::try_from(end).map_or_else(|_| u64::MAX.into(), serde_json::Value::from);
            let mut all = serde_json::to_value(Settings::default()).expect("settings serialise");
            *all.pointer_mut(&format!("/{}", name.replace('.', "/"))).expect("a setting") = number;
            serde_json::from_value::<Settings>(all).unwrap_or_else(|error| panic!("{name} = {end}: {error}"));
        }
    }

    #[test]
    fn a_number_out_of_range_is_refused_with_the_range() {
        let refusal = check(&given("broker.topics.partitions", Scalar::Whole(0))).expect_err("refused");
        assert_eq!(refusal.problem, "0 is not a whole number from 1 to 100000");
        assert_eq!(check(&given("broker.topics.partitions", Scalar::Whole(100_000))), Ok(()));
        assert!(check(&given("broker.topics.partitions", Scalar::Whole(100_001))).is_err());
    }

    #[test]
    fn an_address_that_cannot_be_dialled_is_not_advertised() {
        for text in ["0.0.0.0:9092", "[::]:9092", "kafka:0", "kafka"] {
            assert!(!admits(Rule::Advertise, text), "{text}");
        }
        for text in ["", "kafka:9092", "[2001:db8::1]:9092"] {
            assert!(admits(Rule::Advertise, text), "{text}");
        }
    }

    #[test]
    fn a_misspelt_level_is_no_filter() {
        for text in ["inof", "", "info,broker", "broker=loud", "info,"] {
            assert!(!admits(Rule::LogFilter, text), "{text:?}");
        }
        for text in ["info", "off", "warn,broker=debug", "broker::partition=trace,info"] {
            assert!(admits(Rule::LogFilter, text), "{text:?}");
        }
    }

    #[test]
    fn an_unknown_word_is_refused_with_the_known_ones() {
        let refusal = check(&given("telemetry.format", Scalar::Text("xml".into()))).expect_err("refused");
        assert_eq!(refusal.problem, "\"xml\" is not one of auto, human, json");
    }
}
