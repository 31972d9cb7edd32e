//! One file per API: `k<key>_<name>.rs` decides the answer to one request.
//!
//! A handler takes the parts of the node it needs, the [`RequestContext`] and the decoded request, and returns
//! the decoded response. It never touches the socket, and every error it can meet becomes an
//! [`protocol::ErrorCode`] in the answer.

pub mod k08_offset_commit;
pub mod k09_offset_fetch;
pub mod k10_find_coordinator;
pub mod k11_join_group;
pub mod k12_heartbeat;
pub mod k13_leave_group;
pub mod k14_sync_group;
pub mod k15_describe_groups;
pub mod k16_list_groups;
pub mod k42_delete_groups;
pub mod k47_offset_delete;

mod context;

pub use context::RequestContext;
