//! Memory for requests that are being read or handled: one budget for all, and a share of it for each address.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Semaphores count to 2^32, so bytes are counted in KiB, rounded up.
const UNIT: usize = 1 << 10;

/// All request bytes in memory.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    global: Arc<Semaphore>,
    units: usize,
}

/// The part of the budget that one address may hold: half, so that no single one can stop the others.
#[derive(Debug, Clone)]
pub(crate) struct PeerBudget {
    global: Arc<Semaphore>,
    share: Arc<Semaphore>,
    share_units: usize,
}

/// Bytes taken from the budget, until dropped.
#[derive(Debug)]
#[must_use = "dropping the charge gives the bytes back"]
pub(crate) struct Charge {
    _share: OwnedSemaphorePermit,
    _global: OwnedSemaphorePermit,
}

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        let units = (bytes / UNIT).clamp(2, Semaphore::MAX_PERMITS);
        Self { global: Arc::new(Semaphore::new(units)), units }
    }

    pub(crate) fn for_peer(&self) -> PeerBudget {
        let share_units = self.units.div_ceil(2);
        PeerBudget { global: self.global.clone(), share: Arc::new(Semaphore::new(share_units)), share_units }
    }
}

impl PeerBudget {
    /// Waits until `bytes` may be held. More than the whole share is charged as the whole share, so that a request
    /// within the size limit always gets through, alone.
    pub(crate) async fn charge(&self, bytes: usize) -> Charge {
        let units = bytes.div_ceil(UNIT).min(self.share_units);
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        // Always the share first: who waits for the global budget holds only its own address back.
        let share = self.share.clone().acquire_many_owned(units).await;
        let global = self.global.clone().acquire_many_owned(units).await;
        Charge {
            _share: share.expect("the budget's semaphores are never closed"),
            _global: global.expect("the budget's semaphores are never closed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_address_cannot_take_the_whole_budget() {
        let budget = Budget::new(64 << 10);
        let greedy = budget.for_peer();
        let _held = greedy.charge(1 << 20).await;
        assert_eq!(budget.global.available_permits(), 32);
        let _other = budget.for_peer().charge(32 << 10).await;
        assert_eq!(budget.global.available_permits(), 0);
    }

    #[tokio::test]
    async fn dropping_a_charge_gives_its_bytes_back() {
        let budget = Budget::new(64 << 10);
        drop(budget.for_peer().charge(5_000).await);
        assert_eq!(budget.global.available_permits(), 64);
    }
}
