//! Work that would hold up the network: checks, packing and unpacking of blocks.

use std::sync::Arc;

use tokio::{
    runtime::Handle,
    sync::{AcquireError, Semaphore},
};

/// Runs jobs on the runtime's blocking threads, a few at once; further ones wait their turn.
#[derive(Debug, Clone)]
pub(crate) struct Workers {
    runtime: Handle,
    turns: Arc<Semaphore>,
}

/// The job did not run or did not end: the node is shutting down, or a job had a bug.
#[derive(Debug, thiserror::Error)]
#[error("the work was not done")]
pub(crate) struct NotDone;

impl Workers {
    pub(crate) fn new(runtime: Handle, threads: usize) -> Self {
        Self { runtime, turns: Arc::new(Semaphore::new(threads.max(1))) }
    }

    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NotDone> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_: AcquireError| NotDone)?;
        let done = self.runtime.spawn_blocking(move || {
            let _turn = turn;
            job()
        });
        done.await.map_err(|_| NotDone)
    }
}
