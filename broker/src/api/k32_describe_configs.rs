//! DescribeConfigs (key 32), versions 1-4: the settings of topics and of this broker.
//!
//! Every setting is listed, with its default when nothing else is set. The broker's are read-only; nothing is ever set for all
//! brokers while they run, so describing the broker without an id gives no settings.
//!
//! - 3: types, and documentation when asked for.

use bytestring::ByteString;
use protocol::{
    ErrorCode, TopicName,
    messages::k32_describe_configs::{
        DescribeConfigsRequest, DescribeConfigsRequestResource, DescribeConfigsResponse,
        DescribeConfigsResponseResource, DescribeConfigsResponseResult, DescribeConfigsResponseSynonym,
    },
};

use super::{RequestContext, config_resource::ConfigResource, failure::Failure};
use crate::{
    metadata::{
        BrokerEndpoint, Image, Metadata, Refusal,
        broker_config::broker_configs,
        topic_config::{ConfigKind, Described, Synonym, TOPIC_CONFIGS, describe},
    },
    settings::Settings,
};

pub async fn handle(
    metadata: &Metadata,
    broker: &BrokerEndpoint,
    settings: &Settings,
    _cx: &RequestContext,
    request: DescribeConfigsRequest,
) -> DescribeConfigsResponse {
    let image = metadata.image();
    let detail = Detail { synonyms: request.include_synonyms, documentation: request.include_documentation };
    let results = request.resources.into_iter().map(|resource| {
        let configs = ConfigResource::parse(resource.resource_type, &resource.resource_name, broker)
            .and_then(|parsed| match parsed {
                ConfigResource::Topic(name) => of_topic(&image, &name, &resource, detail),
                ConfigResource::Broker => Ok(of_broker(settings, &resource, detail)),
                ConfigResource::AllBrokers => Ok(Vec::new()),
            });
        answer(resource, configs)
    });
    DescribeConfigsResponse { results: results.collect(), ..Default::default() }
}

/// How much of each setting was asked for.
#[derive(Clone, Copy)]
struct Detail {
    synonyms: bool,
    documentation: bool,
}

fn of_topic(
    image: &Image,
    name: &TopicName,
    resource: &DescribeConfigsRequestResource,
    detail: Detail,
) -> Result<Vec<DescribeConfigsResponseResource>, Failure> {
    let topic = image.topic(name.as_str()).ok_or_else(|| Refusal::UnknownTopic(name.clone()))?;
    let asked = TOPIC_CONFIGS.iter().filter(|key| is_asked(resource, key.name));
    let configs = asked.map(|key| {
        let described = describe(key, &topic.overrides, image.defaults());
        entry(key.name, key.kind, key.doc, described, detail)
    });
    Ok(configs.collect())
}

fn of_broker(
    settings: &Settings,
    resource: &DescribeConfigsRequestResource,
    detail: Detail,
) -> Vec<DescribeConfigsResponseResource> {
    let configs = broker_configs(settings).into_iter().filter(|config| is_asked(resource, config.name));
    let entries = configs.map(|config| DescribeConfigsResponseResource {
        read_only: true,
        ..entry(config.name, config.kind, config.doc, config.described, detail)
    });
    entries.collect()
}

/// No names, or null, ask for all settings.
fn is_asked(resource: &DescribeConfigsRequestResource, name: &str) -> bool {
    match resource.configuration_keys.as_deref() {
        None | Some([]) => true,
        Some(names) => names.iter().any(|asked| asked == name),
    }
}

fn entry(
    name: &'static str,
    kind: ConfigKind,
    doc: &'static str,
    described: Described,
    detail: Detail,
) -> DescribeConfigsResponseResource {
    let synonyms = if detail.synonyms { described.synonyms } else { Vec::new() };
    DescribeConfigsResponseResource {
        name: ByteString::from_static(name),
        value: Some(described.value.into()),
        config_source: described.source as i8,
        synonyms: synonyms.into_iter().map(synonym).collect(),
        config_type: kind as i8,
        documentation: detail.documentation.then(|| ByteString::from_static(doc)),
        ..Default::default()
    }
}

fn synonym(synonym: Synonym) -> DescribeConfigsResponseSynonym {
    DescribeConfigsResponseSynonym {
        name: ByteString::from_static(synonym.name),
        value: Some(synonym.value.into()),
        source: synonym.source as i8,
    }
}

fn answer(
    resource: DescribeConfigsRequestResource,
    configs: Result<Vec<DescribeConfigsResponseResource>, Failure>,
) -> DescribeConfigsResponseResult {
    let (error_code, error_message, configs) = match configs {
        Ok(configs) => (ErrorCode::NONE, None, configs),
        Err(failure) => (failure.code, Some(failure.message), Vec::new()),
    };
    DescribeConfigsResponseResult {
        error_code,
        error_message,
        resource_type: resource.resource_type,
        resource_name: resource.resource_name,
        configs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::{
        Change, NewTopic,
        testing::{self, MemoryLog, commit, context, endpoint, over_the_wire, with_topics},
    };

    const TOPIC: i8 = 2;
    const BROKER: i8 = 4;

    fn resource(
        kind: i8,
        name: &'static str,
        keys: Option<&[&'static str]>,
    ) -> DescribeConfigsRequestResource {
        DescribeConfigsRequestResource {
            resource_type: kind,
            resource_name: ByteString::from_static(name),
            configuration_keys: keys
                .map(|keys| keys.iter().map(|key| ByteString::from_static(key)).collect()),
        }
    }

    async fn ask(
        metadata: &Metadata,
        settings: &Settings,
        version: i16,
        request: DescribeConfigsRequest,
    ) -> Vec<DescribeConfigsResponseResult> {
        let request = over_the_wire(&request, version);
        let answer = handle(metadata, &endpoint(), settings, &context(version), request).await;
        over_the_wire(&answer, version).results
    }

    async fn with_retention(settings: &Settings) -> Metadata {
        let opened = testing::open_with(&MemoryLog::new(), settings.topics.clone()).await;
        let metadata = opened.expect("an empty log is sound");
        let configs = vec![("retention.ms".to_owned(), Some("5".to_owned()))];
        let topic = NewTopic { configs, ..NewTopic::named("a") };
        commit(&metadata, Change::CreateTopic(topic)).await.expect("the name is free");
        metadata
    }

    #[tokio::test]
    async fn every_setting_of_a_topic_is_listed_in_every_version() {
        let settings = Settings::default();
        let metadata = with_retention(&settings).await;
        for version in 1..=4 {
            let request =
                DescribeConfigsRequest { resources: vec![resource(TOPIC, "a", None)], ..Default::default() };
            let [result] = &ask(&metadata, &settings, version, request).await[..] else { panic!("one") };
            assert_eq!((result.error_code, result.configs.len()), (ErrorCode::NONE, TOPIC_CONFIGS.len()));
            for config in &result.configs {
                assert!(config.value.is_some() && config.synonyms.is_empty() && !config.read_only);
                let expected = if config.name == "retention.ms" { 1 } else { 5 };
                assert_eq!(config.config_source, expected, "{}", config.name);
                assert_eq!(config.config_type > 0, version >= 3);
            }
        }
    }

    #[tokio::test]
    async fn keys_synonyms_and_documentation_are_told_when_asked_for() {
        let mut settings = Settings::default();
        settings.topics.retention_ms = 9;
        let metadata = with_retention(&settings).await;
        let keys: &[&str] = &["retention.ms", "no.such"];
        let request = DescribeConfigsRequest {
            resources: vec![resource(TOPIC, "a", Some(keys))],
            include_synonyms: true,
            include_documentation: true,
        };
        let [result] = &ask(&metadata, &settings, 4, request).await[..] else { panic!("one") };
        let [config] = &result.configs[..] else { panic!("one key is known") };
        assert_eq!((config.value.as_deref(), config.config_type), (Some("5"), 5));
        assert!(config.documentation.as_deref().is_some_and(|doc| doc.contains("no limit")));
        let synonyms: Vec<_> = config
            .synonyms
            .iter()
            .map(|synonym| (&*synonym.name, synonym.value.as_deref(), synonym.source))
            .collect();
        let expected = [
            ("retention.ms", Some("5"), 1),
            ("log.retention.ms", Some("9"), 4),
            ("log.retention.ms", Some("604800000"), 5),
        ];
        assert_eq!(synonyms, expected);
    }

    #[tokio::test]
    async fn the_broker_lists_its_settings_read_only() {
        let mut settings = Settings::default();
        settings.topics.partitions = 12;
        let metadata = with_topics(&[]).await;
        let keys: &[&str] = &["num.partitions", "broker.id"];
        let resources = vec![
            resource(BROKER, "1001", None),
            resource(BROKER, "1001", Some(keys)),
            resource(BROKER, "", None),
        ];
        let request = DescribeConfigsRequest { resources, ..Default::default() };
        let results = ask(&metadata, &settings, 4, request).await;
        assert!(results.iter().all(|result| result.error_code == ErrorCode::NONE));
        assert_eq!(results[0].configs.len(), broker_configs(&settings).len());
        assert!(results[0].configs.iter().all(|config| config.read_only));
        let chosen: Vec<_> = results[1]
            .configs
            .iter()
            .map(|config| (&*config.name, config.value.as_deref(), config.config_source))
            .collect();
        assert_eq!(chosen, [("broker.id", Some("1001"), 5), ("num.partitions", Some("12"), 4)]);
        assert!(results[2].configs.is_empty());
    }

    #[tokio::test]
    async fn what_is_not_there_is_refused_per_resource() {
        let metadata = with_topics(&["a"]).await;
        let resources = vec![
            resource(TOPIC, "none", None),
            resource(TOPIC, "bad name", None),
            resource(BROKER, "7", None),
            resource(BROKER, "x", None),
            resource(8, "1001", None),
            resource(99, "a", None),
            resource(TOPIC, "a", None),
        ];
        let request = DescribeConfigsRequest { resources, ..Default::default() };
        let results = ask(&metadata, &Settings::default(), 4, request).await;
        let codes: Vec<_> = results.iter().map(|result| result.error_code).collect();
        let invalid = ErrorCode::INVALID_REQUEST;
        let expected = [
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            ErrorCode::INVALID_TOPIC_EXCEPTION,
            invalid,
            invalid,
            invalid,
            invalid,
            ErrorCode::NONE,
        ];
        assert_eq!(codes, expected);
    }
}
