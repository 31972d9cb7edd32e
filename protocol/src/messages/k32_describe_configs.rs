//! DescribeConfigs (key 32).

use bytestring::ByteString;

use crate::{ErrorCode, codec::message};

message! {
    DescribeConfigsRequest, key 32, versions 1..=4, flexible 4.. => {
        resources: Vec<DescribeConfigsRequestResource> { 0.. },
        include_synonyms: bool { 1.. },
        include_documentation: bool { 3.. },
    }

    DescribeConfigsRequestResource {
        resource_type: i8 { 0.. },
        resource_name: ByteString { 0.. },
        configuration_keys: Option<Vec<ByteString>> { 0.., default Some(Vec::new()) },
    }

    DescribeConfigsResponse, key 32, versions 1..=4, flexible 4.. => {
        throttle_time_ms: i32 { 0.. },
        results: Vec<DescribeConfigsResponseResult> { 0.. },
    }

    DescribeConfigsResponseResult {
        error_code: ErrorCode { 0.. },
        error_message: Option<ByteString> { 0.., default Some(ByteString::new()) },
        resource_type: i8 { 0.. },
        resource_name: ByteString { 0.. },
        configs: Vec<DescribeConfigsResponseResource> { 0.. },
    }

    DescribeConfigsResponseResource {
        name: ByteString { 0.. },
        value: Option<ByteString> { 0.., default Some(ByteString::new()) },
        read_only: bool { 0.. },
        config_source: i8 { 1.., default -1; ignorable },
        is_sensitive: bool { 0.. },
        synonyms: Vec<DescribeConfigsResponseSynonym> { 1..; ignorable },
        config_type: i8 { 3..; ignorable },
        documentation: Option<ByteString> { 3.., default Some(ByteString::new()); ignorable },
    }

    DescribeConfigsResponseSynonym {
        name: ByteString { 1.. },
        value: Option<ByteString> { 1.., default Some(ByteString::new()) },
        source: i8 { 1.. },
    }
}
