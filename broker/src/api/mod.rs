//! One file per API: `k<key>_<name>.rs` decides the answer to one request.
//!
//! A handler takes the parts of the node it needs, the [`RequestContext`] and the decoded request, and returns
//! the decoded response. It never touches the socket, and every error it can meet becomes an
//! [`protocol::ErrorCode`] in the answer.

mod alter;
mod authorized_operations;
mod config_resource;
mod context;
mod failure;
pub mod k03_metadata;
pub mod k19_create_topics;
pub mod k20_delete_topics;
pub mod k32_describe_configs;
pub mod k33_alter_configs;
pub mod k37_create_partitions;
pub mod k44_incremental_alter_configs;
pub mod k60_describe_cluster;
pub mod k75_describe_topic_partitions;
mod settle;

pub use context::RequestContext;
