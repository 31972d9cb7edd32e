//! Frames: a length, a header, a message.
//!
//! ```text
//! request:  length i32 | api key i16, version i16, correlation id i32 | client id | tagged fields | body
//! response: length i32 | correlation id i32 | tagged fields | body
//! ```
//!
//! The first eight bytes of a request are read before anything is known about it; the rest of its header depends on
//! whether the version is flexible.

use bytestring::ByteString;

use crate::{
    codec::{Api, Chunks, DecodeError, Decoder, EncodeError, Encoder, Frame},
    messages::k18_api_versions::ApiVersionsResponse,
    versions,
};

/// The part of a request header that every version of every API has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestPrefix {
    pub api_key: i16,
    pub version: i16,
    pub correlation_id: i32,
}

impl RequestPrefix {
    /// Takes the prefix off a frame (without its length field). Whether the rest is flexible depends on it.
    pub fn read<F: Frame>(from: &mut Decoder<F>) -> Result<Self, DecodeError> {
        Ok(Self { api_key: from.i16()?, version: from.i16()?, correlation_id: from.i32()? })
    }
}

/// Takes the rest of the header off a frame: the client's id. What remains is the body.
pub fn read_client_id<F: Frame>(
    from: &mut Decoder<F>,
    flexible: bool,
) -> Result<Option<ByteString>, DecodeError> {
    // The client id keeps its old form in flexible headers (KIP-482).
    let client_id = from.text_length(false)?.map(|length| from.text(length)).transpose()?;
    if flexible {
        from.tagged_fields(|_, _| Ok(false))?;
    }
    Ok(client_id)
}

/// A response as the pieces of one vectored write: length, header and body.
pub fn response<M: Api>(correlation_id: i32, version: i16, message: &M) -> Result<Chunks, EncodeError> {
    // ApiVersions is answered with the old header whatever its version: the client cannot know ours yet.
    let flexible_header = M::layout(version).flexible && M::KEY != ApiVersionsResponse::KEY;
    let mut body = Encoder::new();
    message.write(&mut body, version)?;
    response_from(correlation_id, flexible_header, body)
}

/// Frames a body that was encoded by hand.
pub fn response_from(
    correlation_id: i32,
    flexible_header: bool,
    body: Encoder,
) -> Result<Chunks, EncodeError> {
    let header_length = if flexible_header { 5 } else { 4 };
    let length = body.length() + header_length;
    let mut head = Encoder::new();
    head.i32(i32::try_from(length).map_err(|_| EncodeError::TooLong { what: "a response", length })?);
    head.i32(correlation_id);
    if flexible_header {
        head.uvarint(0);
    }
    Ok(head.followed_by(body).into_chunks())
}

/// A request as a client sends it; for tests, load generators and links to foreign clusters.
pub fn request<M: Api>(
    correlation_id: i32,
    version: i16,
    client_id: &str,
    message: &M,
) -> Result<Chunks, EncodeError> {
    let flexible = M::layout(version).flexible;
    let mut body = Encoder::new();
    message.write(&mut body, version)?;
    let mut header = Encoder::new();
    header.i16(M::KEY);
    header.i16(version);
    header.i32(correlation_id);
    header.text_length(Some(client_id.len()), false)?;
    header.raw(client_id.as_bytes());
    if flexible {
        header.uvarint(0);
    }
    let length = header.length() + body.length();
    let mut head = Encoder::new();
    head.i32(i32::try_from(length).map_err(|_| EncodeError::TooLong { what: "a request", length })?);
    Ok(head.followed_by(header).followed_by(body).into_chunks())
}

/// The body of an ApiVersions answer to a version we do not know: version 0, an error, and the range of ApiVersions
/// itself, from which the client picks one to try again (KIP-511).
pub fn unsupported_api_versions(correlation_id: i32) -> Result<Chunks, EncodeError> {
    response(correlation_id, 0, &versions::api_versions_refusal())
}
