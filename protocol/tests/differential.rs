//! Our codec against the crate `kafka-protocol`, whose messages are generated from Kafka's own definitions.
//!
//! For every message and every version that both know, random bodies are written by an encoder that knows only our
//! schema ([`sample`]); both codecs decode them, must see the same value in every field *by name*, and must encode
//! that value to the same bytes again. So each direction is held: what we encode they decode, and the reverse.
//!
//! * [`messages`]: all of the above, and defaults.
//! * [`headers`]: whole frames, requests and responses, header included.
//! * [`table`]: the advertised table against the declarations.
//! * [`batches`]: record batches, both ways, every codec.
//! * [`newer`]: the versions that `kafka-protocol` does not know yet, against bytes written by hand.

#![cfg(test)]

#[path = "../../fuzz/src/apis.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the fuzz targets")]
mod apis;
#[path = "../../fuzz/src/entropy.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the fuzz targets")]
mod entropy;
#[path = "../../fuzz/src/sample.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the fuzz targets")]
mod sample;

#[path = "differential/batches.rs"]
mod batches;
#[path = "differential/headers.rs"]
mod headers;
#[path = "differential/messages.rs"]
mod messages;
#[path = "differential/newer.rs"]
mod newer;
#[path = "differential/printed.rs"]
mod printed;
#[path = "differential/table.rs"]
mod table;
