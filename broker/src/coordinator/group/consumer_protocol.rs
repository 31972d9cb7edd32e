//! The part of a consumer's metadata that a coordinator may look at: which topics it subscribes to.
//!
//! Version 0 is a prefix of all later versions, so nothing else needs to be known about them.

use bytes::Bytes;
use bytestring::ByteString;

use protocol::{
    TopicName,
    codec::{DecodeError, Decoder, Field, Layout},
};

/// The protocol type of groups whose metadata can be read like this.
pub const PROTOCOL_TYPE: &str = "consumer";

const LAYOUT: Layout = Layout { version: 0, flexible: false };

pub fn subscribed_topics(metadata: Bytes) -> Result<Vec<TopicName>, DecodeError> {
    let mut from = Decoder::new(metadata);
    let version = from.i16()?;
    if version < 0 {
        return Err(DecodeError::UnknownVersion { message: "ConsumerProtocolSubscription", version });
    }
    let topics = Vec::<ByteString>::decode(&mut from, LAYOUT)?;
    Ok(topics.into_iter().map(|topic| TopicName(topic).detached()).collect())
}
