//! The broker's settings under Kafka's names, for clients that describe the broker.
//!
//! All are read-only: they are set in the broker's config file and hold from its next start.

use super::topic_config::{ConfigKind, ConfigSource, Described, Synonym, TOPIC_CONFIGS, describe};
use crate::settings::Settings;

/// One setting that clients see.
pub struct BrokerConfigKey {
    pub name: &'static str,
    pub kind: ConfigKind,
    value: fn(&Settings) -> String,
    pub doc: &'static str,
}

/// A setting with its value and where that comes from.
pub struct BrokerConfig {
    pub name: &'static str,
    pub kind: ConfigKind,
    pub doc: &'static str,
    pub described: Described,
}

/// Every setting, by name: the broker's own and the defaults of all topics.
pub fn broker_configs(settings: &Settings) -> Vec<BrokerConfig> {
    let own = BROKER_CONFIGS.iter().map(|key| BrokerConfig {
        name: key.name,
        kind: key.kind,
        doc: key.doc,
        described: describe_own(key, settings),
    });
    let of_topics = TOPIC_CONFIGS.iter().filter_map(|key| {
        Some(BrokerConfig {
            name: key.broker_name?,
            kind: key.kind,
            doc: key.doc,
            described: describe(key, &Default::default(), &settings.topics),
        })
    });
    let mut all: Vec<_> = own.chain(of_topics).collect();
    all.sort_unstable_by_key(|config| config.name);
    all
}

fn describe_own(key: &BrokerConfigKey, settings: &Settings) -> Described {
    let (value, built_in) = ((key.value)(settings), (key.value)(&Settings::default()));
    let source = if value == built_in { ConfigSource::Default } else { ConfigSource::StaticBroker };
    let mut synonyms = vec![Synonym { name: key.name, value: value.clone(), source }];
    if source == ConfigSource::StaticBroker {
        synonyms.push(Synonym { name: key.name, value: built_in, source: ConfigSource::Default });
    }
    Described { value, source, synonyms }
}

/// The largest value of Kafka's INT, for counts that are wider here.
fn int(count: usize) -> String {
    i32::try_from(count).unwrap_or(i32::MAX).to_string()
}

fn listener(address: &str) -> String {
    if address.is_empty() { String::new() } else { format!("PLAINTEXT://{address}") }
}

macro_rules! configs {
    ($($name:literal $kind:ident $value:expr, $doc:literal;)*) => {
        static BROKER_CONFIGS: &[BrokerConfigKey] = &[$(BrokerConfigKey {
            name: $name,
            kind: ConfigKind::$kind,
            value: $value,
            doc: $doc,
        },)*];
    };
}

configs! {
    "advertised.listeners" String |settings| listener(&settings.advertise),
        "Where clients are told to connect; empty: the listening address.";
    "auto.create.topics.enable" Boolean |settings| settings.topics.auto_create.to_string(),
        "Whether asking for an unknown topic creates it.";
    "broker.id" Int |settings| settings.broker_id.to_string(),
        "This broker's id, unique over all datacenters.";
    "broker.rack" String |settings| settings.rack.clone(),
        "The rack that is named in metadata; empty: none.";
    "connections.max.idle.ms" Long |settings| settings.connections.idle_ms.to_string(),
        "A connection without a request for so long is closed.";
    "default.replication.factor" Int |_| "1".to_owned(),
        "Always 1: followers are in other datacenters, not in other brokers of this one.";
    "delete.topic.enable" Boolean |_| "true".to_owned(),
        "Always true: topics can be deleted.";
    "group.initial.rebalance.delay.ms" Int |settings| settings.groups.initial_rebalance_delay_ms.to_string(),
        "How long the first join of an empty group waits for other members.";
    "group.max.session.timeout.ms" Int |settings| settings.groups.session_timeout_max_ms.to_string(),
        "The longest session timeout a member may ask for.";
    "group.max.size" Int |settings| int(settings.groups.members_max),
        "The most members a group may have.";
    "group.min.session.timeout.ms" Int |settings| settings.groups.session_timeout_min_ms.to_string(),
        "The shortest session timeout a member may ask for.";
    "listeners" List |settings| listener(&settings.listen),
        "Where clients connect.";
    "log.retention.check.interval.ms" Long |settings| settings.topics.retention_check_interval_ms.to_string(),
        "How often retention looks for segments to delete.";
    "max.connections" Int |settings| int(settings.connections.connections_max),
        "Connections at once.";
    "max.connections.per.ip" Int |settings| int(settings.connections.connections_per_ip_max),
        "Connections at once from one address.";
    "node.id" Int |settings| settings.broker_id.to_string(),
        "This broker's id, unique over all datacenters.";
    "num.partitions" Int |settings| settings.topics.partitions.to_string(),
        "Partitions of a topic that is created without a count.";
    "offset.metadata.max.bytes" Int |settings| int(settings.groups.offset_metadata_bytes_max),
        "The longest text a member may commit with an offset.";
    "offsets.retention.minutes" Int |settings| settings.groups.offsets_retention_minutes.to_string(),
        "How long the offsets of an empty group are kept.";
    "offsets.topic.num.partitions" Int |settings| settings.groups.offsets_partitions.to_string(),
        "Partitions of __consumer_offsets when it is created.";
    "offsets.topic.replication.factor" Short |_| "1".to_owned(),
        "Always 1: followers are in other datacenters, not in other brokers of this one.";
    "queued.max.request.bytes" Long |settings| settings.connections.in_flight_bytes_max.to_string(),
        "Request bytes in memory at once over all connections; further requests wait unread.";
    "socket.request.max.bytes" Int |settings| int(settings.connections.request_bytes_max),
        "The largest request.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_appears_once() {
        let all = broker_configs(&Settings::default());
        assert!(all.is_sorted_by(|a, b| a.name < b.name));
        assert!(all.iter().all(|config| config.described.source == ConfigSource::Default));
    }

    #[test]
    fn what_the_operator_set_shows_as_static_over_the_default() {
        let mut settings = Settings { broker_id: 2_003, ..Settings::default() };
        settings.topics.retention_ms = 60_000;
        let all = broker_configs(&settings);
        for (name, value, built_in) in
            [("broker.id", "2003", "1001"), ("log.retention.ms", "60000", "604800000")]
        {
            let config = all.iter().find(|config| config.name == name).expect("it is in the table");
            assert_eq!(config.described.value, value);
            assert_eq!(config.described.source, ConfigSource::StaticBroker);
            let synonyms: Vec<_> =
                config.described.synonyms.iter().map(|known| known.value.as_str()).collect();
            assert_eq!(synonyms, [value, built_in]);
        }
    }
}
