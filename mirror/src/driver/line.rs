//! Ownership messages between a connection and the state machines of the units.

use tokio::sync::mpsc;

use super::credentials::Peer;
use crate::link::wire::OwnershipMessage;

/// Messages that wait for a connection or for the state machines. Each may be lost; they are said again.
pub(crate) const LINE_MESSAGES: usize = 256;

/// A connection's end.
pub(crate) struct OwnershipLine {
    pub(crate) peer: Peer,
    pub(crate) heard: mpsc::Sender<Heard>,
    pub(crate) to_say: mpsc::Receiver<OwnershipMessage>,
}

/// What the state machines hear.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) from: Peer,
    pub(crate) message: OwnershipMessage,
}

impl OwnershipLine {
    pub(crate) fn pass_on(&self, message: OwnershipMessage) {
        let heard = Heard { from: self.peer.clone(), message };
        if self.heard.try_send(heard).is_err() {
            tracing::warn!(peer = %self.peer, "an ownership message was dropped");
        }
    }

    /// The next message for the peer; never, once nobody has any more.
    pub(crate) async fn next(&mut self) -> OwnershipMessage {
        match self.to_say.recv().await {
            Some(message) => message,
            None => std::future::pending().await,
        }
    }
}
