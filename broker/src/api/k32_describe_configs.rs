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
