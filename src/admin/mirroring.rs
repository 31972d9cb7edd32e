//! Metrics of links and units, made of the node's status when asked for: `/metrics` and `isthmus status` cannot disagree.
//!
//! What a label can be is bounded: links and units by the topology, states and reasons by the code. Only lag and state are told
//! for each partition.

use std::{collections::BTreeMap, fmt};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, MetricEncoder},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::Registry,
};

use crate::operations::{
    NodeStatus,
    status::{LinkStatus, PartitionStatus, TransportStatus, UnitStatus},
};

/// A registry of what this status says.
pub(super) fn registry(status: NodeStatus) -> Registry {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Mirroring(status)));
    registry
}

#[derive(Debug)]
struct Mirroring(NodeStatus);

type OfLink = [(&'static str, String); 3];

impl Collector for Mirroring {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let NodeStatus { links, units, .. } = &self.0;
        if links.is_empty() && units.is_empty() {
            // A broker that stands alone has nothing to say of links, not even that there are none.
            return Ok(());
        }
        connections(&mut encoder, links)?;
        partitions(&mut encoder, links)?;
        homes(&mut encoder, units)
    }
}

fn connections(encoder: &mut DescriptorEncoder<'_>, links: &[LinkStatus]) -> fmt::Result {
    let up = |link: &LinkStatus| (of_link(link), f64::from(u8::from(link.state == "connected")));
    gauges(encoder, "isthmus_mirror_link_up", "1 while the link is connected", links.iter().map(up))?;
    let figures: [(&str, &str, fn(&TransportStatus) -> f64); 2] = [
        ("isthmus_mirror_link_rtt_seconds", "Round trip of the connection", |now| now.rtt_ms / 1_000.0),
        ("isthmus_mirror_link_congestion_window_bytes", "What may be on its way at once", |now| {
            now.congestion_window_bytes as f64
        }),
    ];
    for (name, help, figure) in figures {
        let told = links.iter().filter_map(|link| Some((of_link(link), figure(link.transport.as_ref()?))));
        gauges(encoder, name, help, told)?;
    }
    let totals: [(&str, &str, fn(&TransportStatus) -> u64); 3] = [
        ("isthmus_mirror_link_sent_bytes", "Sent over the connection of now", |now| now.sent_bytes),
        ("isthmus_mirror_link_received_bytes", "Received over the connection of now", |now| {
            now.received_bytes
        }),
        ("isthmus_mirror_link_lost_packets", "Packets lost on the connection of now", |now| now.lost_packets),
    ];
    for (name, help, total) in totals {
        let told = links.iter().filter_map(|link| Some((of_link(link), total(link.transport.as_ref()?))));
        totals_of(encoder, name, help, told)?;
    }
    Ok(())
}

fn partitions(encoder: &mut DescriptorEncoder<'_>, links: &[LinkStatus]) -> fmt::Result {
    let all = || links.iter().flat_map(|link| link.partitions.iter().map(move |one| (link, one)));
    let labels = |link: &LinkStatus, one: &PartitionStatus| {
        let number = one.partition.to_string();
        [("link", link.name.clone()), ("topic", one.topic.clone()), ("partition", number)]
    };
    let lag = all().filter_map(|(link, one)| Some((labels(link, one), one.lag_records? as f64)));
    gauges(encoder, "isthmus_mirror_lag_records", "Records of the source that are not durable here", lag)?;
    let lag = all().filter_map(|(link, one)| Some((labels(link, one), one.lag_seconds?)));
    let what = "Age of the oldest end of the source that is not durable here";
    gauges(encoder, "isthmus_mirror_lag_seconds", what, lag)?;
    let state = all().map(|(link, one)| {
        let [link, topic, partition] = labels(link, one);
        let reason = one.stop.as_ref().map(|stop| stop.code.clone()).unwrap_or_default();
        ([link, topic, partition, ("state", one.state.clone()), ("reason", reason)], 1.0)
    });
    let what = "The state of each partition, with the reason of one that is stopped; always 1";
    gauges(encoder, "isthmus_mirror_partition_state", what, state)?;
    let mut counts = BTreeMap::new();
    for (link, one) in all() {
        let reason = one.stop.as_ref().map(|stop| stop.code.as_str()).unwrap_or_default();
        *counts.entry((link.name.as_str(), one.state.as_str(), reason)).or_insert(0_u32) += 1;
    }
    let counted = counts.into_iter().map(|((link, state, reason), count)| {
        let owned = |label, word: &str| (label, word.to_owned());
        ([owned("link", link), owned("state", state), owned("reason", reason)], f64::from(count))
    });
    gauges(encoder, "isthmus_mirror_partitions", "Partitions by state, and by reason if stopped", counted)
}

fn homes(encoder: &mut DescriptorEncoder<'_>, units: &[UnitStatus]) -> fmt::Result {
    let of = |unit: &UnitStatus| [("unit", unit.name.clone())];
    let generations = units.iter().map(|unit| (of(unit), unit.generation as f64));
    gauges(encoder, "isthmus_mirror_unit_generation", "Home generation, as known here", generations)?;
    let writable = units.iter().map(|unit| (of(unit), f64::from(u8::from(unit.writable))));
    gauges(encoder, "isthmus_mirror_unit_writable", "1 where clients can write the unit's topics", writable)?;
    let homes = units.iter().map(|unit| {
        let [name] = of(unit);
        ([name, ("home", unit.home.clone()), ("state", unit.state.clone())], 1.0)
    });
    gauges(encoder, "isthmus_mirror_unit_home", "Home and state of the unit, as known here; always 1", homes)
}

fn of_link(link: &LinkStatus) -> OfLink {
    [("link", link.name.clone()), ("side", link.side.clone()), ("peer", link.peer.clone())]
}

fn gauges<L: EncodeLabelSet>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    all: impl Iterator<Item = (L, f64)>,
) -> fmt::Result {
    let all = all.map(|(labels, value)| (labels, ConstGauge::new(value)));
    family(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?, all)
}

fn totals_of<L: EncodeLabelSet>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    all: impl Iterator<Item = (L, u64)>,
) -> fmt::Result {
    let all = all.map(|(labels, value)| (labels, ConstCounter::new(value)));
    family(encoder.encode_descriptor(name, help, None, MetricType::Counter)?, all)
}

fn family<L: EncodeLabelSet>(
    mut encoder: MetricEncoder<'_>,
    all: impl Iterator<Item = (L, impl EncodeMetric)>,
) -> fmt::Result {
    for (labels, value) in all {
        value.encode(encoder.encode_family(&labels)?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;
    use crate::admin::testing;

    #[test]
    fn every_figure_has_its_labels() {
        let mut text = String::new();
        encode(&mut text, &registry(testing::status())).expect("text");
        let samples: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let link = r#"link="us:eu",side="target",peer="us-1""#;
        let partition = r#"link="us:eu",topic="orders",partition="0""#;
        let expected = [
            format!("isthmus_mirror_link_up{{{link}}} 1.0"),
            format!("isthmus_mirror_link_rtt_seconds{{{link}}} 0.08"),
            format!("isthmus_mirror_link_congestion_window_bytes{{{link}}} 1000.0"),
            format!("isthmus_mirror_link_sent_bytes_total{{{link}}} 7"),
            format!("isthmus_mirror_link_received_bytes_total{{{link}}} 9"),
            format!("isthmus_mirror_link_lost_packets_total{{{link}}} 1"),
            format!("isthmus_mirror_lag_records{{{partition}}} 2.0"),
            format!("isthmus_mirror_lag_seconds{{{partition}}} 1.5"),
            format!(
                "isthmus_mirror_partition_state{{{partition},state=\"stopped\",reason=\"diverged\"}} 1.0"
            ),
            r#"isthmus_mirror_partitions{link="us:eu",state="stopped",reason="diverged"} 1.0"#.to_owned(),
            r#"isthmus_mirror_unit_generation{unit="orders"} 1.0"#.to_owned(),
            r#"isthmus_mirror_unit_writable{unit="orders"} 0.0"#.to_owned(),
            r#"isthmus_mirror_unit_home{unit="orders",home="us",state="standby"} 1.0"#.to_owned(),
        ];
        assert_eq!(samples, expected);
    }
}
