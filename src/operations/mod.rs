//! What an operator can ask of a running node, and the answers: the shape of the admin port's JSON, which scripts rely on.
//!
//! ```text
//!   isthmus status, failover, resume, translate  --HTTP-->  admin routes  -->  Operations  -->  the mirror
//!                  tables, --json               <--JSON---                             (src/adapters/operations)
//! ```
//!
//! Both ends of the wire use the types of this folder, so what is printed is what was answered.

pub(crate) mod failover;
pub(crate) mod problem;
pub(crate) mod resume;
pub(crate) mod status;
pub(crate) mod translate;

use std::{future::Future, pin::Pin};

use mirror::ownership::FailoverReport;

pub(crate) use self::{
    failover::FailoverRequest,
    problem::{Kind, Problem, ProblemAnswer},
    resume::{ResumeReport, ResumeRequest, ResumedPartition},
    status::NodeStatus,
    translate::{TranslateRequest, Translated},
};

pub(crate) type Answering<'a, T> = Telling<'a, Result<T, Problem>>;
pub(crate) type Telling<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A node that can be asked.
pub(crate) trait Operations: Send + Sync + 'static {
    fn status(&self) -> Telling<'_, NodeStatus>;

    /// Ends only when the verb has. Whoever stops waiting does not stop it.
    fn failover(&self, request: FailoverRequest) -> Answering<'_, FailoverReport>;

    fn resume(&self, request: ResumeRequest) -> Answering<'_, ResumeReport>;

    fn translate(&self, request: TranslateRequest) -> Answering<'_, Translated>;
}
