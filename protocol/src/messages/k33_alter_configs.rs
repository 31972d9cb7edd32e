//! AlterConfigs (key 33).

use bytestring::ByteString;

use crate::{ErrorCode, codec::message};

message! {
    AlterConfigsRequest, key 33, versions 0..=2, flexible 2.. => {
        resources: Vec<AlterConfigsRequestResource> { 0.. },
        validate_only: bool { 0.. },
    }

    AlterConfigsRequestResource {
        resource_type: i8 { 0.. },
        resource_name: ByteString { 0.. },
        configs: Vec<AlterConfigsRequestConfig> { 0.. },
    }

    AlterConfigsRequestConfig {
        name: ByteString { 0.. },
        value: Option<ByteString> { 0.., default Some(ByteString::new()) },
    }

    AlterConfigsResponse, key 33, versions 0..=2, flexible 2.. => {
        throttle_time_ms: i32 { 0.. },
        responses: Vec<AlterConfigsResponseResource> { 0.. },
    }

    AlterConfigsResponseResource {
        error_code: ErrorCode { 0.. },
        error_message: Option<ByteString> { 0.., default Some(ByteString::new()) },
        resource_type: i8 { 0.. },
        resource_name: ByteString { 0.. },
    }
}
