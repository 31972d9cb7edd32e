//! The consumer group, as a single consumer: reads, processes, then commits, first in one region and then in the other.
//!
//! It stops between a commit and the next batch, as a consumer does that is moved on purpose. So whatever the other region
//! has it read again, or not read at all, is the mirror's doing.

use std::{net::SocketAddr, time::Duration};

use tokio::sync::watch;

use super::{
    client::{Client, ClientError, Fetched},
    error::DemoError,
    progress::{Progress, Seen},
    region::Region,
    retry::Patience,
    world::{GROUP, PARTITIONS, TOPIC},
};

/// How long a region may take until it serves a group that has moved there.
const SERVED_WITHIN: Duration = Duration::from_secs(20);

/// Goes on where the group's committed positions are, until told to stop.
pub(super) async fn consume(
    progress: Progress,
    region: Region,
    address: SocketAddr,
    mut stop: watch::Receiver<bool>,
) -> Result<(), DemoError> {
    let (mut coordinator, mut positions) = join(address).await?;
    note_positions(&progress, region, &positions);
    let mut fetches = Client::open(address).await?;
    loop {
        // A fetch that is dropped leaves its connection unusable, which ends here anyway.
        let fetched = tokio::select! {
            fetched = fetch(&mut fetches, &positions) => fetched?,
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
        };
        if fetched.iter().all(|partition| partition.records.is_empty()) {
            continue;
        }
        for partition in fetched {
            process(&progress, &partition);
            advance(&mut positions, &partition);
        }
        commit(&mut coordinator, &positions).await?;
        note_positions(&progress, region, &positions);
    }
}

/// The group's coordinator, and where the group is.
async fn join(address: SocketAddr) -> Result<(Client, Vec<i64>), ClientError> {
    let patience = Patience::of(SERVED_WITHIN);
    loop {
        match try_join(address).await {
            Ok((coordinator, committed)) => {
                return Ok((coordinator, committed.into_iter().map(|offset| offset.unwrap_or(0)).collect()));
            }
            Err(error) => patience.after(error).await?,
        }
    }
}

async fn try_join(address: SocketAddr) -> Result<(Client, Vec<Option<i64>>), ClientError> {
    let mut coordinator = Client::coordinator(address, GROUP).await?;
    let committed = coordinator.committed(GROUP, TOPIC, PARTITIONS).await?;
    Ok((coordinator, committed))
}

async fn fetch(client: &mut Client, positions: &[i64]) -> Result<Vec<Fetched>, ClientError> {
    let patience = Patience::of(SERVED_WITHIN);
    loop {
        match client.fetch(TOPIC, positions).await {
            Ok(fetched) => return Ok(fetched),
            Err(error) => patience.after(error).await?,
        }
    }
}

async fn commit(coordinator: &mut Client, positions: &[i64]) -> Result<(), ClientError> {
    let patience = Patience::of(SERVED_WITHIN);
    while let Err(error) = coordinator.commit(GROUP, TOPIC, positions).await {
        patience.after(error).await?;
    }
    Ok(())
}

fn process(progress: &Progress, fetched: &Fetched) {
    let offsets = fetched.records.iter().map(|record| record.offset.0);
    progress.change(|state| state.process(fetched.partition, offsets));
}

fn advance(positions: &mut [i64], fetched: &Fetched) {
    let position = usize::try_from(fetched.partition).ok().and_then(|at| positions.get_mut(at));
    if let Some(position) = position {
        *position = fetched.next;
    }
}

fn note_positions(progress: &Progress, region: Region, positions: &[i64]) {
    let seen = Seen { records: None, group: Some(positions.iter().sum()) };
    progress.change(|state| state.seen_mut(region).learn(seen));
}
