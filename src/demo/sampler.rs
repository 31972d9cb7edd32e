//! Asks both regions how far the topic and the group are, for the view. What cannot be told is left out: a region that
//! is just being fenced is no reason to stop.

use std::{net::SocketAddr, time::Duration};

use tokio::time;

use super::{
    client::{Client, ClientError},
    progress::{Progress, Seen},
    region::Region,
    world::{GROUP, PARTITIONS, TOPIC},
};

const EVERY: Duration = Duration::from_millis(250);

/// Asks one region again and again, for as long as it is let.
pub(super) async fn sample(progress: Progress, region: Region, address: SocketAddr) {
    let mut client = None;
    loop {
        let connected = match client.take() {
            Some(connected) => Ok(connected),
            None => Client::open(address).await,
        };
        if let Ok(mut connected) = connected
            && let Ok(seen) = ask(&mut connected).await
        {
            progress.change(|state| state.seen_mut(region).learn(seen));
            client = Some(connected);
        }
        time::sleep(EVERY).await;
    }
}

/// Asks one region once more, so that the last thing that is shown is how it ended.
pub(super) async fn sample_last(
    progress: &Progress,
    region: Region,
    address: SocketAddr,
) -> Result<(), ClientError> {
    let seen = ask(&mut Client::open(address).await?).await?;
    progress.change(|state| state.seen_mut(region).learn(seen));
    Ok(())
}

async fn ask(client: &mut Client) -> Result<Seen, ClientError> {
    let passing = |error: ClientError| if error.is_passing() { Ok(None) } else { Err(error) };
    let records = match client.ends(TOPIC, PARTITIONS).await {
        Ok(ends) => Some(ends.iter().sum()),
        Err(error) => passing(error)?,
    };
    let group = match client.committed(GROUP, TOPIC, PARTITIONS).await {
        Ok(committed) => committed.into_iter().flatten().reduce(|sum, offset| sum + offset),
        Err(error) => passing(error)?,
    };
    Ok(Seen { records, group })
}
