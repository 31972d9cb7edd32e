//! What a state machine wants done to the unit's topics and groups here.

use std::{collections::BTreeMap, sync::Arc};

use bytestring::ByteString;

use core_log::Waiter;
use protocol::{LeaderEpoch, Offset, PartitionId, ProducerId, TopicId, TopicName};

use super::ends::{HeardEnds, PartitionName};
use crate::{
    driver::flows::UnitViews,
    ownership::{GroupPosition, GroupReport, PartitionEnd, PartitionReport, Survey},
    ports::{Catalog, CatalogTopic, GroupCommit, GroupOffset, PortError, Ports, SinkPartition},
    position::{SourceOffset, TargetOffset},
    translation::{TargetLog, identity},
};

/// The unit's part of this datacenter. Cheap to clone.
#[derive(Clone)]
pub(super) struct Here {
    pub(super) unit: Arc<str>,
    pub(super) ports: Ports,
    pub(super) views: Arc<UnitViews>,
    pub(super) heard: HeardEnds,
}

/// A partition of the unit that exists here.
struct Open {
    topic: Arc<CatalogTopic>,
    partition: PartitionId,
    sink: Arc<dyn SinkPartition>,
}

impl Here {
    /// The numbers: what is here, beside what was last heard of the home.
    pub(super) async fn survey(&self) -> Result<Survey, PortError> {
        let mut partitions = BTreeMap::new();
        for (PartitionName { topic, partition }, end) in self.heard.ends().await {
            if self.views.membership().unit_of_topic(&topic) == Some(&*self.unit) {
                let report = PartitionReport::new(&topic, partition, Some(end), 0);
                partitions.insert((topic, partition), report);
            }
        }
        for open in self.partitions().await? {
            let name = open.topic.name.as_str().to_owned();
            let target_end = open.sink.ends().durable_end.0;
            let key = (name.clone(), open.partition.0);
            let source_end = partitions.get(&key).and_then(|heard| heard.source_end);
            partitions.insert(key, PartitionReport::new(&name, open.partition.0, source_end, target_end));
        }
        let mut groups = Vec::new();
        for (group, offset) in self.group_offsets().await? {
            groups.push(GroupReport {
                group,
                topic: offset.topic.as_str().to_owned(),
                partition: offset.partition.0,
                committed_source: offset.offset.0,
                committed_target: Some(offset.offset.0),
                clamped: false,
            });
        }
        Ok(Survey { partitions: partitions.into_values().collect(), groups })
    }

    /// With the gates closed: where everything ends.
    pub(super) async fn settle(&self) -> Result<(Vec<PartitionEnd>, Vec<GroupPosition>), PortError> {
        let mut ends = Vec::new();
        for open in self.partitions().await? {
            ends.push(open.end(open.sink.ends().durable_end));
        }
        let mut positions = Vec::new();
        for all in self.ports.groups.all().await? {
            if self.views.membership().unit_of_group(all.group.as_str()) != Some(&*self.unit) {
                continue;
            }
            for offset in self.ports.groups.settled(all.group.clone()).await? {
                if self.is_ours(&offset) {
                    positions.push(GroupPosition {
                        group: all.group.clone(),
                        topic: offset.topic,
                        topic_id: offset.topic_id,
                        partition: offset.partition,
                        offset: offset.offset,
                        metadata: offset.metadata.to_string(),
                    });
                }
            }
        }
        Ok((ends, positions))
    }

    /// Tells the durable ends of these partitions, at once and whenever one moved. Never returns, except when this datacenter
    /// goes down.
    pub(super) async fn drain(
        &self,
        until: &[PartitionEnd],
        mut tell: impl FnMut(Vec<PartitionEnd>),
    ) -> Result<(), PortError> {
        let waiter = Waiter::new();
        let mut catalogs = self.ports.catalog.subscribe();
        loop {
            let catalog = Arc::clone(&catalogs.borrow_and_update());
            let mut open = Vec::new();
            for wanted in until {
                let sink = self.sink(&catalog, wanted.topic_id, wanted.partition).await?;
                open.push((wanted, sink));
            }
            let _watches: Vec<_> =
                open.iter().filter_map(|(_, sink)| Some(sink.as_ref()?.watch(&waiter))).collect();
            loop {
                let ends = open.iter().map(|(wanted, sink)| {
                    let end = sink.as_ref().map_or(Offset::ZERO, |sink| sink.ends().durable_end);
                    PartitionEnd { end, ..(*wanted).clone() }
                });
                tell(ends.collect());
                tokio::select! {
                    () = waiter.woken() => {}
                    changed = catalogs.changed() => {
                        if changed.is_err() {
                            return Err(PortError::Closed);
                        }
                        break;
                    }
                }
            }
        }
    }

    /// Commits positions of the old home, clamped to what is here.
    pub(super) async fn apply_groups(
        &self,
        positions: Vec<GroupPosition>,
    ) -> Result<Vec<GroupReport>, PortError> {
        let catalog = self.catalog();
        let mut by_group = BTreeMap::<_, (Vec<GroupCommit>, Vec<GroupReport>)>::new();
        for position in positions {
            let sink = self.sink(&catalog, position.topic_id, position.partition).await?;
            let (commits, reports) = by_group.entry(position.group.clone()).or_default();
            let mut report = GroupReport {
                group: position.group.as_str().to_owned(),
                topic: position.topic.as_str().to_owned(),
                partition: position.partition.0,
                committed_source: position.offset.0,
                committed_target: None,
                clamped: false,
            };
            if let Some(sink) = sink {
                let ends = sink.ends();
                let log = TargetLog {
                    start: TargetOffset::new(ends.log_start),
                    end: TargetOffset::new(ends.high_watermark),
                };
                let at = identity(SourceOffset::new(position.offset), log).position().offset();
                report.committed_target = Some(at.0);
                report.clamped = at != position.offset;
                commits.push(GroupCommit {
                    topic: position.topic,
                    partition: position.partition,
                    offset: at,
                    leader_epoch: LeaderEpoch::NONE,
                    metadata: ByteString::from(position.metadata),
                });
            }
            reports.push(report);
        }
        let mut all = Vec::new();
        for (group, (commits, mut reports)) in by_group {
            // One that has members here commits for itself.
            let theirs = self.ports.groups.is_active(group.clone()).await?;
            if theirs {
                reports.iter_mut().for_each(|report| report.committed_target = None);
            } else {
                self.ports.groups.commit(group, commits).await?;
            }
            all.append(&mut reports);
        }
        Ok(all)
    }

    /// Answers the largest producer id that any of the logs knew.
    pub(super) async fn forget_producers(&self) -> Result<Option<ProducerId>, PortError> {
        let mut largest = None;
        for open in self.partitions().await? {
            largest = largest.max(open.sink.forget_producers().await?);
        }
        Ok(largest)
    }

    /// Above every epoch that the logs or the catalog know.
    pub(super) async fn raise_epochs(&self) -> Result<(), PortError> {
        let open = self.partitions().await?;
        let in_logs = open.iter().filter_map(|open| open.sink.latest_epoch());
        let in_catalog = open.iter().flat_map(|open| open.topic.leader_epochs.iter().copied());
        let Some(largest) = in_logs.chain(in_catalog).max() else { return Ok(()) };
        let topics: std::collections::BTreeSet<TopicName> =
            open.iter().map(|open| open.topic.name.clone()).collect();
        let above = LeaderEpoch(largest.0.saturating_add(1));
        self.ports.ownership.raise_leader_epochs(topics.into_iter().collect(), above).await
    }

    fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.ports.catalog.subscribe().borrow())
    }

    async fn partitions(&self) -> Result<Vec<Open>, PortError> {
        let catalog = self.catalog();
        let mut topics: Vec<_> = catalog
            .topics
            .values()
            .filter(|topic| self.views.membership().unit_of_topic(topic.name.as_str()) == Some(&*self.unit))
            .collect();
        topics.sort_by(|a, b| a.name.cmp(&b.name));
        let mut open = Vec::new();
        for topic in topics {
            for partition in (0..).take(topic.leader_epochs.len()).map(PartitionId) {
                let sink = self.ports.sink.partition(topic.id, partition).await?;
                open.push(Open { topic: Arc::clone(topic), partition, sink });
            }
        }
        Ok(open)
    }

    /// `None`: there is no such partition here yet.
    async fn sink(
        &self,
        catalog: &Catalog,
        topic: TopicId,
        partition: PartitionId,
    ) -> Result<Option<Arc<dyn SinkPartition>>, PortError> {
        let count = catalog.topics.get(&topic).map_or(0, |topic| topic.leader_epochs.len());
        let exists = usize::try_from(partition.0).is_ok_and(|partition| partition < count);
        if !exists {
            return Ok(None);
        }
        match self.ports.sink.partition(topic, partition).await {
            Ok(sink) => Ok(Some(sink)),
            Err(PortError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn group_offsets(&self) -> Result<Vec<(String, GroupOffset)>, PortError> {
        let mut found = Vec::new();
        for all in self.ports.groups.all().await? {
            if self.views.membership().unit_of_group(all.group.as_str()) == Some(&*self.unit) {
                let ours = all.offsets.into_iter().filter(|offset| self.is_ours(offset));
                found.extend(ours.map(|offset| (all.group.as_str().to_owned(), offset)));
            }
        }
        Ok(found)
    }

    fn is_ours(&self, offset: &GroupOffset) -> bool {
        self.views.membership().unit_of_topic(offset.topic.as_str()) == Some(&*self.unit)
    }
}

impl Open {
    fn end(&self, end: Offset) -> PartitionEnd {
        PartitionEnd {
            topic: self.topic.name.clone(),
            topic_id: self.topic.id,
            partition: self.partition,
            end,
        }
    }
}
