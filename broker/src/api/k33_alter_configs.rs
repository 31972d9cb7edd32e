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
use crate::metadata::{BrokerEndpoint, ConfigEdit, Metadata};

pub async fn handle(
    metadata: &Metadata,
    broker: &BrokerEndpoint,
    _cx: &RequestContext,
    request: AlterConfigsRequest,
) -> AlterConfigsResponse {
    let alterations = request.resources.into_iter().map(alteration).collect();
    let altered = alter(metadata, broker, request.validate_only, alterations).await;
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
