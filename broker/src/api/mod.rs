//! One file per API: `k<key>_<name>.rs` decides the answer to one request.
//!
//! A handler takes the parts of the node it needs, the [`RequestContext`] and the decoded request, and returns
//! the decoded response. It never touches the socket, and every error it can meet becomes an
//! [`protocol::ErrorCode`] in the answer.

pub(crate) mod k00_produce;
pub(crate) mod k01_fetch;
pub(crate) mod k02_list_offsets;
pub mod k03_metadata;
pub mod k08_offset_commit;
pub mod k09_offset_fetch;
pub mod k10_find_coordinator;
pub mod k11_join_group;
pub mod k12_heartbeat;
pub mod k13_leave_group;
pub mod k14_sync_group;
pub mod k15_describe_groups;
pub mod k16_list_groups;
pub(crate) mod k18_api_versions;
pub mod k19_create_topics;
pub mod k20_delete_topics;
pub(crate) mod k21_delete_records;
pub(crate) mod k22_init_producer_id;
pub(crate) mod k23_offset_for_leader_epoch;
pub mod k32_describe_configs;
pub mod k33_alter_configs;
pub(crate) mod k35_describe_log_dirs;
pub mod k37_create_partitions;
pub mod k42_delete_groups;
pub mod k44_incremental_alter_configs;
pub mod k47_offset_delete;
pub mod k60_describe_cluster;
pub mod k75_describe_topic_partitions;

mod alter;
mod authorized_operations;
mod config_resource;
mod context;
pub(crate) mod error_code;
mod failure;
mod gated;
pub(crate) mod leader_epochs;
mod settle;

pub use context::RequestContext;
