//! One file per API: `k<key>_<name>.rs` decides the answer to one request.
//!
//! A handler takes the parts of the node it needs, the [`RequestContext`] and the decoded request, and returns
//! the decoded response. It never touches the socket, and every error it can meet becomes an
//! [`protocol::ErrorCode`] in the answer.

mod context;

pub use context::RequestContext;
