//! IncrementalAlterConfigs (key 44).

use bytestring::ByteString;

use crate::{ErrorCode, codec::message};

message! {
    IncrementalAlterConfigsRequest, key 44, versions 0..=1, flexible 1.. => {
        resources: Vec<IncrementalAlterConfigsRequestResource> { 0.. },
        validate_only: bool { 0.. },
    }

    IncrementalAlterConfigsRequestResource {
        resource_type: i8 { 0.. },
        resource_name: ByteString { 0.. },
        configs: Vec<IncrementalAlterConfigsRequestConfig> { 0.. },
    }

    IncrementalAlterConfigsRequestConfig {
        name: ByteString { 0.. },
        config_operation: i8 { 0.. },
        value: Option<ByteString> { 0.., default Some(ByteString::new()) },
    }

    IncrementalAlterConfigsResponse, key 44, versions 0..=1, flexible 1.. => {
        throttle_time_ms: i32 { 0.. },
        responses: Vec<IncrementalAlterConfigsResponseResource> { 0.. },
    }

    IncrementalAlterConfigsResponseResource {
        error_code: ErrorCode { 0.. },
        error_message: Option<ByteString> { 0.., default Some(ByteString::new()) },
        resource_type: i8 { 0.. },
        resource_name: ByteString { 0.. },
    }
}
