//! A node without a broker, for tests of what the admin port says of it.

use mirror::ownership::{FailoverReport, GroupTotals, HomeGeneration, Outcome};

use crate::operations::{
    Answering, FailoverRequest, Kind, NodeStatus, Operations, Problem, Telling, TranslateRequest, Translated,
    status::{LinkStatus, PartitionStatus, Stop, TransportStatus, UnitStatus},
};

/// Moves `orders` and nothing else, after an hour; mirrored `10` to `20`.
pub(super) struct FakeNode;

impl Operations for FakeNode {
    fn status(&self) -> Telling<'_, NodeStatus> {
        Box::pin(async { status() })
    }

    fn failover(&self, request: FailoverRequest) -> Answering<'_, FailoverReport> {
        Box::pin(async move {
            if request.unit != "orders" {
                return Err(Problem::new(Kind::NotFound, "unknown-unit", "there is no such unit"));
            }
            // Of virtual time: the tests that wait for it have paused the clock.
            tokio::time::sleep(std::time::Duration::from_secs(3_600)).await;
            Ok(FailoverReport {
                unit: request.unit,
                from: "us".into(),
                to: request.to.into(),
                generation: HomeGeneration(2),
                planned: !request.unplanned,
                dry_run: request.dry_run,
                outcome: Outcome::Moved,
                partitions: Vec::new(),
                groups: Vec::new(),
                group_totals: GroupTotals::default(),
                rpo_records: 0,
                rpo_complete: true,
                rto_ms: 1,
                steps: Vec::new(),
            })
        })
    }

    fn translate(&self, request: TranslateRequest) -> Answering<'_, Translated> {
        let TranslateRequest { link, topic, partition, offset, reverse } = request;
        let translated = (offset == 10).then_some(20);
        let how = "exact".to_owned();
        let target_topic = topic.clone();
        let answer = Translated { link, topic, target_topic, partition, offset, reverse, translated, how };
        Box::pin(async move { Ok(answer) })
    }
}

pub(super) fn status() -> NodeStatus {
    let transport = TransportStatus {
        rtt_ms: 80.0,
        congestion_window_bytes: 1_000,
        sent_bytes: 7,
        received_bytes: 9,
        lost_packets: 1,
    };
    let partition = PartitionStatus {
        topic: "orders".into(),
        partition: 0,
        state: "stopped".into(),
        source_end: Some(9),
        position: Some(7),
        lag_records: Some(2),
        lag_seconds: Some(1.5),
        stop: Some(Stop { code: "diverged".into(), what: "two stories".into(), action: "compare".into() }),
    };
    let link = LinkStatus {
        name: "us:eu".into(),
        side: "target".into(),
        peer: "us-1".into(),
        state: "connected".into(),
        transport: Some(transport),
        partitions: vec![partition],
        ..LinkStatus::default()
    };
    let unit = UnitStatus {
        tails: Vec::new(),
        name: "orders".into(),
        state: "standby".into(),
        home: "us".into(),
        generation: 1,
        writable: false,
    };
    NodeStatus { links: vec![link], units: vec![unit], ..NodeStatus::default() }
}
