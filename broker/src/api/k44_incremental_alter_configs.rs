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
use crate::metadata::{BrokerEndpoint, ConfigAdjustment, ConfigEdit, ConfigOperation, Metadata};

pub async fn handle(
    metadata: &Metadata,
    broker: &BrokerEndpoint,
    _cx: &RequestContext,
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    let alterations = request.resources.into_iter().map(alteration).collect();
    let altered = alter(metadata, broker, request.validate_only, alterations).await;
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
