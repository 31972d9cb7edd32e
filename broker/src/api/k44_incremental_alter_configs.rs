//! IncrementalAlterConfigs (key 44), versions 0-1: sets, removes, and changes lists of, single settings of a topic.
//!
//! A list without an override is changed from its default. The broker's own settings cannot be altered.

use protocol::messages::k44_incremental_alter_configs::{
    IncrementalAlterConfigsRequest, IncrementalAlterConfigsRequestConfig,
    IncrementalAlterConfigsRequestResource, IncrementalAlterConfigsResponse,
    IncrementalAlterConfigsResponseResource,
};

use super::{
    RequestContext,
    alter::{Alteration, Altered, alter},
    failure::Failure,
};
use crate::{
    gate::Gate,
    metadata::{BrokerEndpoint, ConfigAdjustment, ConfigEdit, ConfigOperation, Metadata},
};

pub async fn handle(
    metadata: &Metadata,
    gate: &dyn Gate,
    broker: &BrokerEndpoint,
    _cx: &RequestContext,
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    let alterations = request.resources.into_iter().map(alteration).collect();
    let altered = alter(metadata, gate, broker, request.validate_only, alterations).await;
    IncrementalAlterConfigsResponse {
        responses: altered.into_iter().map(answer).collect(),
        ..Default::default()
    }
}

fn alteration(resource: IncrementalAlterConfigsRequestResource) -> Alteration {
    let configs = resource.configs.iter();
    let nulls = configs
        .clone()
        .filter(|config| config.value.is_none() && config.config_operation != ConfigOperation::Delete as i8);
    let adjustments: Result<_, _> = configs.clone().map(adjustment).collect();
    Alteration {
        names: configs.clone().map(|config| config.name.clone()).collect(),
        nulls: nulls.map(|config| config.name.clone()).collect(),
        edit: adjustments.map(ConfigEdit::Adjust),
        resource_type: resource.resource_type,
        resource_name: resource.resource_name,
    }
}

fn adjustment(config: &IncrementalAlterConfigsRequestConfig) -> Result<ConfigAdjustment, Failure> {
    let number = config.config_operation;
    let operation = ConfigOperation::from_wire(number)
        .ok_or_else(|| Failure::invalid_request(format!("Unknown operations type {number}")))?;
    let value = config.value.as_ref().map(ToString::to_string);
    Ok(ConfigAdjustment { name: config.name.to_string(), operation, value })
}

fn answer(altered: Altered) -> IncrementalAlterConfigsResponseResource {
    IncrementalAlterConfigsResponseResource {
        error_code: altered.error_code,
        error_message: altered.error_message,
        resource_type: altered.resource_type,
        resource_name: altered.resource_name,
    }
}

#[cfg(test)]
mod tests {
    use bytestring::ByteString;
    use protocol::ErrorCode;

    use super::*;
    use crate::{
        gate::OpenGate,
        metadata::testing::{context, endpoint, over_the_wire, with_topics},
    };

    const SET: i8 = 0;
    const DELETE: i8 = 1;
    const APPEND: i8 = 2;
    const SUBTRACT: i8 = 3;

    type Config = (i8, &'static str, Option<&'static str>);

    async fn ask(
        metadata: &Metadata,
        version: i16,
        request: IncrementalAlterConfigsRequest,
    ) -> IncrementalAlterConfigsResponse {
        let request = over_the_wire(&request, version);
        over_the_wire(&handle(metadata, &OpenGate, &endpoint(), &context(version), request).await, version)
    }

    fn resource(kind: i8, name: &'static str, configs: &[Config]) -> IncrementalAlterConfigsRequestResource {
        let config = |(operation, name, value): &Config| IncrementalAlterConfigsRequestConfig {
            name: ByteString::from_static(name),
            config_operation: *operation,
            value: value.map(ByteString::from_static),
        };
        IncrementalAlterConfigsRequestResource {
            resource_type: kind,
            resource_name: ByteString::from_static(name),
            configs: configs.iter().map(config).collect(),
        }
    }

    async fn alter_topic(metadata: &Metadata, version: i16, configs: &[Config]) -> ErrorCode {
        let resources = vec![resource(2, "a", configs)];
        let request = IncrementalAlterConfigsRequest { resources, ..Default::default() };
        ask(metadata, version, request).await.responses[0].error_code
    }

    fn overrides(metadata: &Metadata) -> Vec<(String, String)> {
        metadata.image().topic("a").expect("there").overrides.clone().into_iter().collect()
    }

    #[tokio::test]
    async fn settings_are_set_removed_and_lists_changed_in_both_versions() {
        for version in 0..=1 {
            let metadata = with_topics(&["a"]).await;
            let first = [(SET, "retention.ms", Some("5")), (APPEND, "cleanup.policy", Some("compact"))];
            assert_eq!(alter_topic(&metadata, version, &first).await, ErrorCode::NONE);
            let second = [(DELETE, "retention.ms", None), (SUBTRACT, "cleanup.policy", Some("delete"))];
            assert_eq!(alter_topic(&metadata, version, &second).await, ErrorCode::NONE);
            assert_eq!(overrides(&metadata), [("cleanup.policy".to_owned(), "compact".to_owned())]);
        }
    }

    #[tokio::test]
    async fn a_resource_is_changed_wholly_or_not_at_all() {
        let metadata = with_topics(&["a"]).await;
        let invalid = ErrorCode::INVALID_REQUEST;
        let cases: [(&[Config], ErrorCode); 7] = [
            (&[(SET, "segment.ms", Some("5")), (SET, "retention.ms", Some("x"))], ErrorCode::INVALID_CONFIG),
            (
                &[(SET, "segment.ms", Some("5")), (APPEND, "retention.ms", Some("1"))],
                ErrorCode::INVALID_CONFIG,
            ),
            (&[(SET, "no.such", Some("5"))], ErrorCode::INVALID_CONFIG),
            (&[(SET, "compression.type", Some("gzip"))], ErrorCode::INVALID_CONFIG),
            (&[(SET, "segment.ms", None)], invalid),
            (&[(9, "segment.ms", Some("5"))], invalid),
            (&[(SET, "segment.ms", Some("5")), (DELETE, "segment.ms", None)], invalid),
        ];
        for (configs, expected) in cases {
            assert_eq!(alter_topic(&metadata, 1, configs).await, expected, "{configs:?}");
            assert_eq!(overrides(&metadata), []);
        }
    }

    #[tokio::test]
    async fn the_broker_says_how_its_settings_are_changed() {
        let metadata = with_topics(&[]).await;
        let resources = vec![resource(4, "1001", &[(SET, "num.partitions", Some("5"))])];
        let request = IncrementalAlterConfigsRequest { resources, ..Default::default() };
        let answer = ask(&metadata, 1, request).await;
        let [refused] = &answer.responses[..] else { panic!("one resource") };
        assert_eq!(refused.error_code, ErrorCode::INVALID_REQUEST);
        let message = refused.error_message.as_deref().expect("it says why");
        assert!(message.contains("set num.partitions in its config file"), "{message}");
    }
}
