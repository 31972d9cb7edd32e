//! InitProducerId (key 22).

use bytestring::ByteString;

use crate::{ErrorCode, codec::message};

message! {
    InitProducerIdRequest, key 22, versions 0..=5, flexible 2.. => {
        transactional_id: Option<ByteString> { 0.., default Some(ByteString::new()) },
        transaction_timeout_ms: i32 { 0.. },
        producer_id: i64 { 3.., default -1 },
        producer_epoch: i16 { 3.., default -1 },
    }

    InitProducerIdResponse, key 22, versions 0..=5, flexible 2.. => {
        throttle_time_ms: i32 { 0..; ignorable },
        error_code: ErrorCode { 0.. },
        producer_id: i64 { 0.., default -1 },
        producer_epoch: i16 { 0.. },
    }
}
