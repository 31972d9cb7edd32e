//! The thread that all links of a node live on.
//!
//! One thread with a runtime of its own: that is worth 20 % over sharing a runtime of several threads, since a connection's
//! packets, streams and core then never change hands. What would hold it up goes to blocking threads.

use std::{future::Future, io};

use tokio::sync::watch;

/// A running thread. Dropping it lets the thread run; [`Self::stop`] ends it.
#[derive(Debug)]
pub(crate) struct LinkThread {
    stop: watch::Sender<bool>,
    ended: watch::Receiver<bool>,
}

/// Becomes true when the links are to end.
pub(crate) type Stopping = watch::Receiver<bool>;

impl LinkThread {
    /// Runs what `main` makes until it returns, which it is to do soon after it is told to stop.
    pub(crate) fn start<F>(
        worker_threads: usize,
        main: impl FnOnce(Stopping) -> F + Send + 'static,
    ) -> io::Result<Self>
    where
        F: Future<Output = ()>,
    {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(worker_threads.max(1))
            .thread_name("isthmus-link-work")
            .build()?;
        let (stop, stopping) = watch::channel(false);
        let (end, ended) = watch::channel(false);
        std::thread::Builder::new().name("isthmus-links".to_owned()).spawn(move || {
            runtime.block_on(main(stopping));
            // A job that hangs on a disk must not hang the shutdown.
            runtime.shutdown_background();
            let _ = end.send(true);
        })?;
        Ok(Self { stop, ended })
    }

    /// Returns once everything on the thread has ended.
    pub(crate) async fn stop(&self) {
        let _ = self.stop.send(true);
        // An error means that the thread is gone, which is what is waited for.
        let _ = self.ended.clone().wait_for(|ended| *ended).await;
    }
}

/// Returns once the links, or what else listens to such a signal, are to end.
pub(crate) async fn stopped(stopping: &mut Stopping) {
    // An error means that nobody is left who could want anything else.
    let _ = stopping.wait_for(|stop| *stop).await;
}
