//! What AlterConfigs and IncrementalAlterConfigs have in common: one result per resource, each on its own.

use std::collections::HashSet;

use bytestring::ByteString;
use protocol::ErrorCode;

use super::{
    config_resource::ConfigResource,
    failure::Failure,
    gated,
    settle::{repeated, settle},
};
use crate::{
    gate::Gate,
    metadata::{BrokerEndpoint, Change, ConfigEdit, Metadata, TopicConfigChange},
};

/// One resource of a request.
pub(super) struct Alteration {
    pub resource_type: i8,
    pub resource_name: ByteString,
    pub names: Vec<ByteString>,
    /// Names whose value is null although the operation needs one.
    pub nulls: Vec<ByteString>,
    pub edit: Result<ConfigEdit, Failure>,
}

/// The result for a resource.
pub(super) struct Altered {
    pub resource_type: i8,
    pub resource_name: ByteString,
    pub error_code: ErrorCode,
    pub error_message: Option<ByteString>,
}

pub(super) async fn alter(
    metadata: &Metadata,
    gate: &dyn Gate,
    broker: &BrokerEndpoint,
    validate_only: bool,
    alterations: Vec<Alteration>,
) -> Vec<Altered> {
    let repeats = repeated(alterations.iter().map(Alteration::resource));
    let resources: Vec<_> = alterations.iter().map(Alteration::resource).collect();
    let wanted = alterations.into_iter().map(|alteration| {
        if repeats.contains(&alteration.resource()) {
            return Err(Failure::invalid_request("Each resource must appear at most once."));
        }
        change(alteration, gate, broker)
    });
    let settled = settle(metadata, validate_only, wanted.collect()).await;
    let altered = resources.into_iter().zip(settled).map(|((resource_type, resource_name), outcome)| {
        let (error_code, error_message) = match outcome {
            Ok(_) => Default::default(),
            Err(failure) => (failure.code, Some(failure.message)),
        };
        Altered { resource_type, resource_name, error_code, error_message }
    });
    altered.collect()
}

impl Alteration {
    fn resource(&self) -> (i8, ByteString) {
        (self.resource_type, self.resource_name.clone())
    }
}

/// Kafka's order of checks.
fn change(alteration: Alteration, gate: &dyn Gate, broker: &BrokerEndpoint) -> Result<Change, Failure> {
    let mut seen = HashSet::new();
    if !alteration.names.iter().all(|name| seen.insert(name)) {
        return Err(Failure::invalid_request("Error due to duplicate config keys"));
    }
    if !alteration.nulls.is_empty() {
        let nulls = alteration.nulls.join(", ");
        return Err(Failure::invalid_request(format!("Null value not supported for : {nulls}")));
    }
    match ConfigResource::parse(alteration.resource_type, &alteration.resource_name, broker)? {
        ConfigResource::Topic(topic) => {
            gated::check_change(gate, topic.as_str())?;
            Ok(Change::AlterTopicConfig(TopicConfigChange { topic, edit: alteration.edit? }))
        }
        ConfigResource::Broker | ConfigResource::AllBrokers => Err(Failure::invalid_request(format!(
            "The broker's settings cannot change while it runs: set {} in its config file and start it again",
            alteration.names.join(", ")
        ))),
    }
}
