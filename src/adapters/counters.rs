//! What the links of this node count, as metrics. Totals over all links: what a peer is refused for is in the log, with its name.

use std::{fmt, sync::Arc};

use mirror::driver::{Counter, LinkMetrics};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
    registry::Registry,
};

type Figure = (&'static str, &'static str, fn(&LinkMetrics) -> &Counter);

#[rustfmt::skip]
const TOTALS: &[Figure] = &[
    ("isthmus_mirror_connections_dialled", "Connections to peers that were made", |of| &of.connections_dialled),
    ("isthmus_mirror_connections_accepted", "Connections of peers that were taken", |of| &of.connections_accepted),
    ("isthmus_mirror_connections_closed", "Connections that ended, whatever the reason", |of| &of.connections_closed),
    ("isthmus_mirror_dials_failed", "Attempts to reach a peer that failed", |of| &of.dials_failed),
    ("isthmus_mirror_connections_refused", "Peers without identity, without such a link, or with a bad greeting", |of| &of.peers_refused),
    ("isthmus_mirror_connections_hostile", "Connections closed because the peer broke the protocol", |of| &of.peers_hostile),
    ("isthmus_mirror_blocks_sent", "Blocks sent", |of| &of.blocks_sent),
    ("isthmus_mirror_block_bytes_sent", "Bytes of blocks sent, as on the wire", |of| &of.block_bytes_sent),
    ("isthmus_mirror_payload_bytes_sent", "Bytes of batches sent, before compression on the wire", |of| &of.payload_bytes_sent),
    ("isthmus_mirror_blocks_received", "Blocks received", |of| &of.blocks_received),
    ("isthmus_mirror_block_bytes_received", "Bytes of blocks received, as on the wire", |of| &of.block_bytes_received),
    ("isthmus_mirror_batches_applied", "Batches of links made durable here", |of| &of.batches_applied),
    ("isthmus_mirror_bytes_applied", "Bytes of links made durable here", |of| &of.bytes_applied),
    ("isthmus_mirror_applies_failed", "Writes of links that failed; those for want of space are repeated", |of| &of.applies_failed),
    ("isthmus_mirror_partitions_stopped", "How often a partition stopped", |of| &of.partitions_stopped),
    ("isthmus_mirror_group_commits_applied", "Group positions of links committed here", |of| &of.group_commits_applied),
];

#[rustfmt::skip]
const GAUGES: &[Figure] = &[
    ("isthmus_mirror_transport_bytes", "Bytes of blocks handed to the transport and not known to have arrived", |of| &of.transport_bytes),
    ("isthmus_mirror_unapplied_bytes", "Bytes of blocks received, or being received, and not yet applied", |of| &of.unapplied_bytes),
];

pub(super) fn register(registry: &mut Registry, metrics: Arc<LinkMetrics>) {
    registry.register_collector(Box::new(Counters(metrics)));
}

#[derive(Debug)]
struct Counters(Arc<LinkMetrics>);

impl Collector for Counters {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for (name, help, figure) in TOTALS {
            one(&mut encoder, name, help, &ConstCounter::new(figure(&self.0).value()))?;
        }
        for (name, help, figure) in GAUGES {
            let value = i64::try_from(figure(&self.0).value()).unwrap_or(i64::MAX);
            one(&mut encoder, name, help, &ConstGauge::new(value))?;
        }
        Ok(())
    }
}

fn one(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    metric: &impl EncodeMetric,
) -> fmt::Result {
    metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    #[test]
    fn every_figure_is_told_and_documented() {
        let mut registry = Registry::default();
        register(&mut registry, Arc::default());
        let mut text = String::new();
        encode(&mut text, &registry).expect("text");
        let page = include_str!("../../docs/operations.md");
        let samples: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(samples.len(), TOTALS.len() + GAUGES.len());
        for sample in samples {
            let name = sample.strip_suffix(" 0").expect("nothing was counted");
            assert!(page.contains(&format!("`{name}`")), "{name} is not documented");
        }
    }
}
