//! AlterConfigs (key 33), versions 0-2: replaces all settings of a topic at once.
//!
//! What is not in the request goes back to the broker's default. The broker's own settings cannot be altered.

use protocol::messages::k33_alter_configs::{
    AlterConfigsRequest, AlterConfigsRequestResource, AlterConfigsResponse, AlterConfigsResponseResource,
};

use super::{
    RequestContext,
    alter::{Alteration, Altered, alter},
};
use crate::{
    gate::Gate,
    metadata::{BrokerEndpoint, ConfigEdit, Metadata},
};

pub async fn handle(
    metadata: &Metadata,
    gate: &dyn Gate,
    broker: &BrokerEndpoint,
    _cx: &RequestContext,
    request: AlterConfigsRequest,
) -> AlterConfigsResponse {
    let alterations = request.resources.into_iter().map(alteration).collect();
    let altered = alter(metadata, gate, broker, request.validate_only, alterations).await;
    AlterConfigsResponse { responses: altered.into_iter().map(answer).collect(), ..Default::default() }
}

fn alteration(resource: AlterConfigsRequestResource) -> Alteration {
    let configs = resource.configs.iter();
    let nulls = configs.clone().filter(|config| config.value.is_none());
    let pairs = configs
        .clone()
        .map(|config| (config.name.to_string(), config.value.as_ref().map(ToString::to_string)));
    Alteration {
        names: configs.clone().map(|config| config.name.clone()).collect(),
        nulls: nulls.map(|config| config.name.clone()).collect(),
        edit: Ok(ConfigEdit::Replace(pairs.collect())),
        resource_type: resource.resource_type,
        resource_name: resource.resource_name,
    }
}

fn answer(altered: Altered) -> AlterConfigsResponseResource {
    AlterConfigsResponseResource {
        error_code: altered.error_code,
        error_message: altered.error_message,
        resource_type: altered.resource_type,
        resource_name: altered.resource_name,
    }
}

#[cfg(test)]
mod tests {
    use bytestring::ByteString;
    use protocol::{ErrorCode, messages::k33_alter_configs::AlterConfigsRequestConfig};

    use super::*;
    use crate::{
        gate::OpenGate,
        metadata::testing::{context, endpoint, over_the_wire, with_topics},
    };

    async fn ask(metadata: &Metadata, version: i16, request: AlterConfigsRequest) -> Vec<ErrorCode> {
        let request = over_the_wire(&request, version);
        let answer = handle(metadata, &OpenGate, &endpoint(), &context(version), request).await;
        over_the_wire(&answer, version).responses.iter().map(|result| result.error_code).collect()
    }

    fn resource(
        resource_type: i8,
        name: &'static str,
        configs: &[(&'static str, Option<&'static str>)],
    ) -> AlterConfigsRequestResource {
        let config = |(name, value): &(&'static str, Option<&'static str>)| AlterConfigsRequestConfig {
            name: ByteString::from_static(name),
            value: value.map(ByteString::from_static),
        };
        let configs = configs.iter().map(config).collect();
        AlterConfigsRequestResource { resource_type, resource_name: ByteString::from_static(name), configs }
    }

    fn request(resources: Vec<AlterConfigsRequestResource>) -> AlterConfigsRequest {
        AlterConfigsRequest { resources, ..Default::default() }
    }

    #[tokio::test]
    async fn a_topics_settings_are_replaced_in_every_version() {
        let metadata = with_topics(&["a"]).await;
        for version in 0..=2 {
            let first =
                request(vec![resource(2, "a", &[("retention.ms", Some("5")), ("segment.ms", Some("6"))])]);
            assert_eq!(ask(&metadata, version, first).await, [ErrorCode::NONE]);
            let second = request(vec![resource(2, "a", &[("segment.ms", Some("7"))])]);
            assert_eq!(ask(&metadata, version, second).await, [ErrorCode::NONE]);
            let topic = metadata.image().topic("a").cloned().expect("there");
            assert_eq!(topic.config.segment_ms, 7);
            assert_eq!(topic.overrides.len(), 1);
        }
    }

    #[tokio::test]
    async fn what_is_wrong_is_refused_per_resource() {
        let metadata = with_topics(&["a", "b", "c", "d"]).await;
        let resources = vec![
            resource(2, "a", &[("retention.ms", Some("x"))]),
            resource(2, "none", &[("retention.ms", Some("5"))]),
            resource(2, "b", &[("retention.ms", None)]),
            resource(2, "c", &[("retention.ms", Some("5")), ("retention.ms", Some("5"))]),
            resource(2, "d", &[("retention.ms", Some("5"))]),
            resource(2, "d", &[("retention.ms", Some("6"))]),
            resource(4, "1001", &[("num.partitions", Some("6"))]),
            resource(4, "", &[("num.partitions", Some("6"))]),
            resource(4, "7", &[("num.partitions", Some("6"))]),
            resource(77, "a", &[]),
            resource(2, "", &[]),
        ];
        let invalid = ErrorCode::INVALID_REQUEST;
        let mut expected = vec![ErrorCode::INVALID_CONFIG, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION];
        expected.extend([invalid; 9]);
        assert_eq!(ask(&metadata, 2, request(resources)).await, expected);
        assert!(metadata.image().topics().all(|topic| topic.overrides.is_empty()));
    }

    #[tokio::test]
    async fn validation_alters_nothing() {
        let metadata = with_topics(&["a"]).await;
        let resources = vec![resource(2, "a", &[("retention.ms", Some("5"))])];
        let only = AlterConfigsRequest { validate_only: true, ..request(resources) };
        assert_eq!(ask(&metadata, 2, only).await, [ErrorCode::NONE]);
        assert!(metadata.image().topic("a").expect("there").overrides.is_empty());
    }
}
