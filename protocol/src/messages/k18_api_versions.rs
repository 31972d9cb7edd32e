//! ApiVersions (key 18).

use bytestring::ByteString;

use crate::{ErrorCode, codec::message};

message! {
    ApiVersionsRequest, key 18, versions 0..=4, flexible 3.. => {
        client_software_name: ByteString { 3..; ignorable },
        client_software_version: ByteString { 3..; ignorable },
    }

    ApiVersionsResponse, key 18, versions 0..=4, flexible 3.. => {
        error_code: ErrorCode { 0.. },
        api_keys: Vec<ApiVersionsResponseApiVersion> { 0.. },
        throttle_time_ms: i32 { 1..; ignorable },
        supported_features: Vec<ApiVersionsResponseSupportedFeatureKey> { 3.., tag 0; ignorable },
        finalized_features_epoch: i64 { 3.., default -1, tag 1; ignorable },
        finalized_features: Vec<ApiVersionsResponseFinalizedFeatureKey> { 3.., tag 2; ignorable },
        zk_migration_ready: bool { 3.., tag 3; ignorable },
    }

    ApiVersionsResponseApiVersion {
        api_key: i16 { 0.. },
        min_version: i16 { 0.. },
        max_version: i16 { 0.. },
    }

    ApiVersionsResponseSupportedFeatureKey {
        name: ByteString { 3.. },
        min_version: i16 { 3.. },
        max_version: i16 { 3.. },
    }

    ApiVersionsResponseFinalizedFeatureKey {
        name: ByteString { 3.. },
        max_version_level: i16 { 3.. },
        min_version_level: i16 { 3.. },
    }
}
