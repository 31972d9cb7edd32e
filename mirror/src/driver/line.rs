//! Ownership messages between connections and the state machines of the units.
//!
//! Two datacenters talk over whatever connection stands between them, in either link's direction.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};

use crate::{link::wire::OwnershipMessage, ownership::Datacenter};

/// Messages that wait for a connection or for the state machines. Each may be lost; they are said again.
const LINE_MESSAGES: usize = 256;

/// The connections over which something can be said, by datacenter and then by age.
#[derive(Clone)]
pub(crate) struct Lines {
    shared: Arc<Shared>,
    heard: mpsc::Sender<Heard>,
}

struct Shared {
    open: Mutex<BTreeMap<(Datacenter, u64), mpsc::Sender<OwnershipMessage>>>,
    next: AtomicU64,
    changes: watch::Sender<u64>,
}

/// What the state machines hear.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) from: Datacenter,
    pub(crate) message: OwnershipMessage,
}

/// A connection's end; dropping it takes the connection off the lines.
pub(crate) struct Line {
    key: (Datacenter, u64),
    shared: Arc<Shared>,
    heard: mpsc::Sender<Heard>,
    to_say: mpsc::Receiver<OwnershipMessage>,
}

impl Lines {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Heard>) {
        let (heard, hears) = mpsc::channel(LINE_MESSAGES);
        let (open, next) = (Mutex::default(), AtomicU64::new(1));
        (Self { shared: Arc::new(Shared { open, next, changes: watch::Sender::new(0) }), heard }, hears)
    }

    pub(crate) fn open(&self, datacenter: Datacenter) -> Line {
        let key = (datacenter, self.shared.next.fetch_add(1, Ordering::Relaxed));
        let (say, to_say) = mpsc::channel(LINE_MESSAGES);
        self.shared.open.lock().insert(key.clone(), say);
        self.shared.changes.send_modify(|count| *count += 1);
        Line { key, shared: Arc::clone(&self.shared), heard: self.heard.clone(), to_say }
    }

    /// Says it over the newest connection; nowhere, if there is none.
    pub(crate) fn say(&self, to: &Datacenter, message: OwnershipMessage) {
        let open = self.shared.open.lock();
        let newest = open.range((to.clone(), 0)..=(to.clone(), u64::MAX)).next_back();
        if newest.is_none_or(|(_, line)| line.try_send(message).is_err()) {
            tracing::debug!(%to, "an ownership message was dropped");
        }
    }

    /// Who can be spoken to, with the number of the newest connection: another number is another connection.
    pub(crate) fn connected(&self) -> BTreeMap<Datacenter, u64> {
        self.shared.open.lock().keys().cloned().collect()
    }

    /// Marked changed with every connection that comes or goes.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }
}

impl Line {
    pub(crate) fn pass_on(&self, message: OwnershipMessage) {
        let heard = Heard { from: self.key.0.clone(), message };
        if self.heard.try_send(heard).is_err() {
            tracing::warn!(from = %self.key.0, "an ownership message was dropped");
        }
    }

    /// The next message for the peer.
    pub(crate) async fn next(&mut self) -> OwnershipMessage {
        match self.to_say.recv().await {
            Some(message) => message,
            // Not before this is dropped.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.shared.open.lock().remove(&self.key);
        self.shared.changes.send_modify(|count| *count += 1);
    }
}
