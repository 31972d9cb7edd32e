//! ApiVersions (key 18), versions 0-4.
//!
//! Answers the table of served APIs. From version 3 on, clients name their software; a name or version that Kafka's
//! `ApiVersionsRequest` would not take is refused with INVALID_REQUEST (KIP-511). A version we do not know is answered
//! by the router, in version 0.

use protocol::{
    ErrorCode,
    messages::k18_api_versions::{ApiVersionsRequest, ApiVersionsResponse},
    versions,
};

use super::RequestContext;

pub(crate) async fn handle(cx: &RequestContext, request: ApiVersionsRequest) -> ApiVersionsResponse {
    let named =
        is_software_text(&request.client_software_name) && is_software_text(&request.client_software_version);
    if cx.version >= 3 && !named {
        return ApiVersionsResponse { error_code: ErrorCode::INVALID_REQUEST, ..Default::default() };
    }
    versions::api_versions()
}

/// Kafka's pattern: `[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?`.
fn is_software_text(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    edge(bytes.first()) && edge(bytes.last()) && bytes.iter().copied().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(version: i16) -> RequestContext {
        RequestContext { version, client_id: None, peer: ([127, 0, 0, 1], 9).into() }
    }

    fn named(name: &'static str, version: &'static str) -> ApiVersionsRequest {
        ApiVersionsRequest { client_software_name: name.into(), client_software_version: version.into() }
    }

    #[tokio::test]
    async fn the_answer_is_the_served_table() {
        let answer = handle(&context(3), named("librdkafka", "2.12.1-RC1")).await;
        assert_eq!(answer.error_code, ErrorCode::NONE);
        assert_eq!(answer.api_keys.len(), versions::SERVED.len());
    }

    #[tokio::test]
    async fn a_client_without_a_proper_name_is_refused_from_version_3() {
        for (name, version) in [("", "1"), ("a", ""), ("-a", "1"), ("a b", "1"), ("a", "1.")] {
            let answer = handle(&context(3), named(name, version)).await;
            assert_eq!(answer.error_code, ErrorCode::INVALID_REQUEST, "{name:?} {version:?}");
        }
        assert_eq!(handle(&context(2), named("", "")).await.error_code, ErrorCode::NONE);
    }
}
