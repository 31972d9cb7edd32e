//! A reader in eu-west that waits for every record, so that lag is measured where a consumer would feel it.

use std::{net::SocketAddr, time::Duration};

use tokio::time;

use super::{
    client::Client,
    error::DemoError,
    progress::Progress,
    world::{PARTITIONS, TOPIC},
};

/// Before looking again for a topic that is not there yet.
const ABSENT_PAUSE: Duration = Duration::from_millis(20);

/// Reads from the start, for as long as it is let.
pub(super) async fn watch(progress: Progress, address: SocketAddr) -> Result<(), DemoError> {
    let mut client = Client::open(address).await?;
    let mut positions: Vec<i64> = (0..PARTITIONS).map(|_| 0).collect();
    loop {
        let fetched = match client.fetch(TOPIC, &positions).await {
            Ok(fetched) => fetched,
            Err(error) if error.is_passing() => {
                time::sleep(ABSENT_PAUSE).await;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let now = progress.now_us();
        progress.change(|state| {
            for partition in &fetched {
                state.ledger.readable(partition.partition, partition.next, now);
            }
        });
        for partition in fetched {
            let position = usize::try_from(partition.partition).ok().and_then(|at| positions.get_mut(at));
            if let Some(position) = position {
                *position = partition.next;
            }
        }
    }
}
