//! Reads both logs from their starts to their ends and holds them against the ledger.

use std::time::Duration;

use tokio::time;

use super::{
    client::{Client, Topic},
    error::DemoError,
    ledger::{Acked, Ledger},
    region::Region,
    retry::Patience,
    verify::{Findings, PartitionCheck},
    world::{PARTITIONS, TOPIC, World},
};

const READ_WITHIN: Duration = Duration::from_secs(120);
const SERVED_WITHIN: Duration = Duration::from_secs(10);
/// How long the old home is given to follow the new one before it is judged by what it had to have at the failover.
const FOLLOWED_WITHIN: Duration = Duration::from_secs(10);
const FOLLOWED_PAUSE: Duration = Duration::from_millis(20);

/// What was found in both regions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Audit {
    /// Events that each region that had to have them has, once, unchanged and at the same offset.
    pub(super) verified: u64,
    /// Events of the new home that have come back to the old one.
    pub(super) returned: u64,
    pub(super) mismatches: u64,
    /// What was wrong first, where.
    pub(super) complaints: Vec<String>,
}

/// Every record in both regions. eu-west, the home now, must have all events; us-east those that were acknowledged there,
/// and whatever else it has must be right too.
pub(super) async fn audit(world: &World, ledger: &Ledger) -> Result<Audit, DemoError> {
    let ends = ledger.ends();
    let mut west = Client::open(world.endpoints(Region::West).kafka).await?;
    let mut east = Client::open(world.endpoints(Region::East).kafka).await?;
    follow(&mut east, &ends).await?;
    let all: Vec<&[Acked]> = ledger.partitions().collect();
    let west_found = read(&mut west, &all).await?;
    let east_ends = east.ends(TOPIC, PARTITIONS).await?;
    let had: Vec<&[Acked]> =
        all.iter().zip(&east_ends).map(|(acked, &end)| due_in_east(acked, end)).collect();
    let east_found = read(&mut east, &had).await?;
    let mut audit = compare(&all, &east_found, &west_found);
    let topics = (east.topic(TOPIC).await?, west.topic(TOPIC).await?);
    audit.compare_topics(topics.0, topics.1);
    Ok(audit)
}

/// Waits for the old home to get what was produced at the new one, for a while.
async fn follow(east: &mut Client, ends: &[i64]) -> Result<(), DemoError> {
    let patience = Patience::of(SERVED_WITHIN);
    let followed = async {
        loop {
            match east.ends(TOPIC, PARTITIONS).await {
                Ok(now) if now.iter().zip(ends).all(|(now, end)| now >= end) => return Ok(()),
                Ok(_) => time::sleep(FOLLOWED_PAUSE).await,
                Err(error) => patience.after(error).await?,
            }
        }
    };
    time::timeout(FOLLOWED_WITHIN, followed).await.unwrap_or(Ok(()))
}

/// What us-east must have, if its log ends at `end`.
fn due_in_east(acked: &[Acked], end: i64) -> &[Acked] {
    let due = acked.partition_point(|acked| acked.region == Region::East || acked.offset < end);
    acked.get(..due).unwrap_or(acked)
}

/// Reads each partition to where it ends now.
async fn read(client: &mut Client, expected: &[&[Acked]]) -> Result<Vec<Findings>, DemoError> {
    let late = |_| DemoError::Late { step: "reading a whole topic", within: READ_WITHIN };
    time::timeout(READ_WITHIN, read_to_ends(client, expected)).await.map_err(late)?
}

async fn read_to_ends(client: &mut Client, expected: &[&[Acked]]) -> Result<Vec<Findings>, DemoError> {
    let ends = client.ends(TOPIC, PARTITIONS).await?;
    let mut checks: Vec<PartitionCheck<'_>> =
        expected.iter().map(|expected| PartitionCheck::new(expected)).collect();
    let mut positions: Vec<i64> = ends.iter().map(|_| 0).collect();
    while positions.iter().zip(&ends).any(|(position, end)| position < end) {
        for fetched in client.fetch(TOPIC, &positions).await? {
            let at = usize::try_from(fetched.partition).unwrap_or(usize::MAX);
            let (Some(check), Some(position), Some(end)) =
                (checks.get_mut(at), positions.get_mut(at), ends.get(at))
            else {
                continue;
            };
            for record in fetched.records.iter().filter(|record| record.offset.0 < *end) {
                check.see(record.offset.0, record.key.as_deref(), record.value.as_deref());
            }
            *position = fetched.next;
        }
    }
    Ok(checks.into_iter().map(PartitionCheck::finish).collect())
}

fn compare(all: &[&[Acked]], east: &[Findings], west: &[Findings]) -> Audit {
    let mut audit = Audit::default();
    for ((acked, east), west) in all.iter().zip(east).zip(west) {
        let of_east = acked.iter().filter(|acked| acked.region == Region::East).map(|_| 1).sum::<u64>();
        let returned = east.verified.saturating_sub(of_east);
        // Before the failover both must have it; after it, the new home must.
        audit.verified +=
            west.verified - west.verified.min(of_east) + west.verified.min(of_east).min(east.verified);
        audit.returned += returned;
    }
    for (region, found) in [(Region::East, east), (Region::West, west)] {
        for (partition, found) in found.iter().enumerate() {
            audit.mismatches += found.mismatches();
            let complaint = found.first.as_ref();
            let complaint = complaint.map(|first| format!("{region}, partition {partition}: {first}"));
            audit.complaints.extend(complaint);
        }
    }
    audit
}

impl Audit {
    fn compare_topics(&mut self, east: Topic, west: Topic) {
        if east != west {
            self.mismatches += 1;
            let told = |topic: Topic| format!("{} with {} partitions", topic.id, topic.partitions);
            self.complaints.push(format!(
                "the topic is {} in us-east and {} in eu-west",
                told(east),
                told(west)
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acked(east: i64, west: i64) -> Vec<Acked> {
        let of = |offset: i64| Acked {
            offset,
            number: u64::try_from(offset).expect("small"),
            at_us: 0,
            region: if offset < east { Region::East } else { Region::West },
        };
        (0..east + west).map(of).collect()
    }

    fn found(verified: u64) -> Findings {
        Findings { verified, ..Findings::default() }
    }

    #[test]
    fn the_old_home_must_have_what_it_acknowledged_and_may_have_more() {
        let acked = acked(6, 4);
        assert_eq!(due_in_east(&acked, 0).len(), 6);
        assert_eq!(due_in_east(&acked, 6).len(), 6);
        assert_eq!(due_in_east(&acked, 8).len(), 8);
        assert_eq!(due_in_east(&acked, 99).len(), 10);
    }

    #[test]
    fn verified_is_what_both_regions_had_to_have_and_have() {
        let acked = acked(6, 4);
        let verified = |east, west| compare(&[&acked], &[found(east)], &[found(west)]).verified;
        assert_eq!(verified(6, 10), 10);
        assert_eq!(verified(10, 10), 10);
        assert_eq!(verified(5, 10), 9, "one is not in the old home");
        assert_eq!(verified(6, 9), 9, "one is not in the new home");
        assert_eq!(compare(&[&acked], &[found(9)], &[found(10)]).returned, 3);
    }

    #[test]
    fn mismatches_of_both_regions_add_up_with_where_they_are() {
        let wrong = Findings { changed: 2, first: Some("offset 3 is not it".to_owned()), ..found(8) };
        let audit = compare(&[&acked(6, 4)], std::slice::from_ref(&wrong), std::slice::from_ref(&wrong));
        assert_eq!(audit.mismatches, 4);
        assert_eq!(audit.complaints[0], "us-east, partition 0: offset 3 is not it");
    }

    #[test]
    fn another_topic_of_the_same_name_is_a_mismatch() {
        let mut audit = Audit::default();
        let one = Topic { id: protocol::Uuid::from_u128(1), partitions: 4 };
        audit.compare_topics(one, one);
        assert_eq!(audit.mismatches, 0);
        audit.compare_topics(one, Topic { id: protocol::Uuid::from_u128(2), ..one });
        assert_eq!(audit.mismatches, 1);
    }
}
