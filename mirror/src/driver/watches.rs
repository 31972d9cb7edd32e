//! From the wake-ups of many logs to the keys of those that changed.

use std::{collections::HashMap, hash::Hash, sync::Arc};

use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinSet},
};

use core_log::{Waiter, Watch};

/// Keys that wait to be looked at. More wake-ups of a log than that are one.
const QUEUE: usize = 256;

/// Watches logs; each has a waiter, so that a wake-up costs the same whether ten are watched or a hundred thousand.
pub(crate) struct Watches<K> {
    woken: mpsc::Sender<K>,
    wakes: mpsc::Receiver<K>,
    watched: HashMap<K, AbortHandle>,
    tasks: JoinSet<()>,
}

impl<K: Copy + Eq + Hash + Send + 'static> Watches<K> {
    pub(crate) fn new() -> Self {
        let (woken, wakes) = mpsc::channel(QUEUE);
        Self { woken, wakes, watched: HashMap::new(), tasks: JoinSet::new() }
    }

    /// Watches from now on: look at the log after this.
    pub(crate) fn add(&mut self, key: K, register: impl FnOnce(&Arc<Waiter>) -> Watch) {
        let waiter = Waiter::new();
        let watch = register(&waiter);
        let woken = self.woken.clone();
        let task = self.tasks.spawn(async move {
            let _watch = watch;
            loop {
                waiter.woken().await;
                if woken.send(key).await.is_err() {
                    return;
                }
            }
        });
        if let Some(former) = self.watched.insert(key, task) {
            former.abort();
        }
    }

    pub(crate) fn remove(&mut self, key: &K) {
        if let Some(task) = self.watched.remove(key) {
            task.abort();
        }
        while self.tasks.try_join_next().is_some() {}
    }

    /// The next log that changed; one that was removed meanwhile may still come.
    pub(crate) async fn next(&mut self) -> K {
        match self.wakes.recv().await {
            Some(key) => key,
            // Never: this side holds a sender.
            None => std::future::pending().await,
        }
    }

    pub(crate) fn try_next(&mut self) -> Option<K> {
        self.wakes.try_recv().ok()
    }
}
