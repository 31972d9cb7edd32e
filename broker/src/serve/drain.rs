//! The one signal that ends a broker in good order: everything that waits also waits for this.

use tokio::sync::watch;

/// Starts the drain; dropping it starts it too.
#[derive(Debug)]
pub(crate) struct DrainTrigger(watch::Sender<bool>);

/// Tells when the drain has started. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Drain(watch::Receiver<bool>);

pub(crate) fn drain() -> (DrainTrigger, Drain) {
    let (sender, receiver) = watch::channel(false);
    (DrainTrigger(sender), Drain(receiver))
}

impl DrainTrigger {
    pub(crate) fn start(&self) {
        self.0.send_replace(true);
    }
}

impl Drain {
    pub(crate) fn has_started(&self) -> bool {
        *self.0.borrow()
    }

    /// Resolves once the drain has started.
    pub(crate) async fn started(&mut self) {
        // An error means that the trigger is gone, which is a start as well.
        let _ = self.0.wait_for(|started| *started).await;
    }
}
