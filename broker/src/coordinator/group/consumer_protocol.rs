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

#[cfg(test)]
mod tests {
    use super::*;

    fn topics(bytes: &'static [u8]) -> Result<Vec<String>, DecodeError> {
        let topics = subscribed_topics(Bytes::from_static(bytes))?;
        Ok(topics.into_iter().map(|topic| topic.as_str().to_owned()).collect())
    }

    #[test]
    fn topics_are_read_whatever_follows_them() {
        let version_0 = b"\0\0\0\0\0\x02\0\x01a\0\x02bb\xff\xff\xff\xff";
        assert_eq!(topics(version_0).unwrap(), ["a", "bb"]);
        let later = b"\0\x63\0\0\0\x01\0\x01awhat newer versions add";
        assert_eq!(topics(later).unwrap(), ["a"]);
        assert!(topics(b"\0\0\0\0\0\0").unwrap().is_empty());
    }

    #[test]
    fn broken_metadata_is_an_error() {
        let broken: [&[u8]; 5] =
            [b"", b"\0", b"\xff\xff\0\0\0\0", b"\0\0\x7f\xff\xff\xff", b"\0\0\0\0\0\x01\0\x09a"];
        assert!(broken.into_iter().all(|bytes| topics(bytes).is_err()));
    }
}
