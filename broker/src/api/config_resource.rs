//! What a config request is about: a topic, this broker, or something that has no settings here.

use bytestring::ByteString;
use protocol::TopicName;

use super::failure::Failure;
use crate::metadata::{BrokerEndpoint, Refusal, topic_name};

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const BROKER_LOGGER: i8 = 8;
const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ConfigResource {
    Topic(TopicName),
    Broker,
    /// What is set for all brokers while they run: nothing.
    AllBrokers,
}

impl ConfigResource {
    pub(super) fn parse(kind: i8, name: &ByteString, broker: &BrokerEndpoint) -> Result<Self, Failure> {
        match kind {
            TOPIC if name.is_empty() => {
                Err(Failure::invalid_request("Default topic resources are not allowed."))
            }
            TOPIC => match topic_name::check(name) {
                Ok(()) => Ok(Self::Topic(TopicName(name.clone()))),
                Err(invalid) => Err(Refusal::from(invalid).into()),
            },
            BROKER if name.is_empty() => Ok(Self::AllBrokers),
            BROKER => check_broker(name, broker),
            BROKER_LOGGER | CLIENT_METRICS | GROUP => Err(Failure::invalid_request(format!(
                "Unsupported resource type {kind}: this broker has settings of topics and of itself"
            ))),
            _ => Err(Failure::invalid_request(format!("Unknown resource type {kind}"))),
        }
    }
}

fn check_broker(name: &str, broker: &BrokerEndpoint) -> Result<ConfigResource, Failure> {
    match name.parse::<i32>() {
        Ok(id) if id == broker.id.0 => Ok(ConfigResource::Broker),
        Ok(id) => Err(Failure::invalid_request(format!(
            "Unexpected broker id, expected {} or empty string, but received {id}",
            broker.id
        ))),
        Err(_) => Err(Failure::invalid_request("Broker id must be an integer")),
    }
}
