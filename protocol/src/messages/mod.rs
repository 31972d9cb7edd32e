//! One file per API: `k<key>_<name>.rs` holds request and response.

pub mod k03_metadata;
