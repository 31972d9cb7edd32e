//! Which segments may go: a pure decision.

use protocol::Offset;

use crate::LogConfig;

/// What retention knows of a segment; the last one of a list is the active one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentFacts {
    pub(crate) base: Offset,
    /// Offset after its last record.
    pub(crate) end: Offset,
    pub(crate) bytes: u64,
    /// Largest record timestamp; `None` if no record has one, and then age says nothing.
    pub(crate) largest_timestamp: Option<i64>,
}

/// How many of the oldest segments go. May count the active one, which then has to be sealed first.
pub(crate) fn plan_retention(
    segments: &[SegmentFacts],
    config: &LogConfig,
    high_watermark: Offset,
    now_ms: i64,
) -> usize {
    if !config.delete {
        return 0;
    }
    let mut rest: u64 = segments.iter().map(|segment| segment.bytes).sum();
    let going = segments.iter().take_while(|segment| {
        // What is not yet committed stays, whatever its age; an empty segment frees nothing.
        if segment.end > high_watermark || segment.bytes == 0 {
            return false;
        }
        let without = rest.saturating_sub(segment.bytes);
        let goes =
            is_expired(segment, config.retention_ms, now_ms) || is_surplus(without, config.retention_bytes);
        rest = without;
        goes
    });
    let going = going.count();
    // Size alone never takes the active segment.
    match segments.split_last() {
        Some((active, sealed))
            if going > sealed.len() && !is_expired(active, config.retention_ms, now_ms) =>
        {
            sealed.len()
        }
        _ => going,
    }
}

fn is_expired(segment: &SegmentFacts, retention_ms: i64, now_ms: i64) -> bool {
    let Some(largest) = segment.largest_timestamp else { return false };
    retention_ms >= 0 && now_ms.saturating_sub(largest) > retention_ms
}

/// Whether the log keeps at least `retention_bytes` with `rest` bytes.
fn is_surplus(rest: u64, retention_bytes: i64) -> bool {
    u64::try_from(retention_bytes).is_ok_and(|keep| rest >= keep)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(timestamps: &[i64]) -> Vec<SegmentFacts> {
        let facts = timestamps.iter().enumerate().map(|(i, timestamp)| SegmentFacts {
            base: Offset(i as i64 * 10),
            end: Offset(i as i64 * 10 + 10),
            bytes: 100,
            largest_timestamp: (*timestamp >= 0).then_some(*timestamp),
        });
        facts.collect()
    }

    fn going(timestamps: &[i64], retention_ms: i64, retention_bytes: i64) -> usize {
        let config = LogConfig { retention_ms, retention_bytes, ..LogConfig::default() };
        plan_retention(&segments(timestamps), &config, Offset(1000), 10_000)
    }

    #[test]
    fn expired_segments_go_oldest_first_and_none_behind_one_that_stays() {
        assert_eq!(going(&[1000, 2000, 9000, 1000], 5000, -1), 2);
        assert_eq!(going(&[1000, 2000], -1, -1), 0);
        assert_eq!(going(&[5000], 5000, -1), 0, "exactly as old as retention allows");
    }

    #[test]
    fn a_wholly_expired_log_goes_with_its_active_segment() {
        assert_eq!(going(&[1000, 2000, 3000], 5000, -1), 3);
        assert_eq!(going(&[1000, 2000, -1], 5000, -1), 2, "no timestamp, no age");
    }

    #[test]
    fn size_takes_what_the_log_can_do_without_but_never_the_active_segment() {
        assert_eq!(going(&[1, 2, 3], -1, 250), 0);
        assert_eq!(going(&[1, 2, 3], -1, 200), 1);
        assert_eq!(going(&[1, 2, 3], -1, 0), 2);
    }

    #[test]
    fn nothing_goes_that_is_not_committed_or_not_to_be_deleted() {
        let config = LogConfig { retention_ms: 0, ..LogConfig::default() };
        let expired = segments(&[1, 2, 3]);
        assert_eq!(plan_retention(&expired, &config, Offset(19), 10_000), 1);
        let compacted = LogConfig { delete: false, ..config };
        assert_eq!(plan_retention(&expired, &compacted, Offset(1000), 10_000), 0);
    }
}
