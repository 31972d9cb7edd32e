//! The outcome: numbers, whether the check held, and both in words and as JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{audit::Audit, percentile::percentile, progress::State, region::Region};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Report {
    produced: u64,
    produced_west: u64,
    mirrored: u64,
    audit: Audit,
    /// Audit's, and events that were not acknowledged exactly once.
    mismatches: u64,
    group_processed: u64,
    group_reread: u64,
    group_skipped: u64,
    lag_us: Option<(u64, u64)>,
    failover_ms: u64,
    write_pause_ms: Option<u64>,
    /// By the daemon's own account.
    rpo_records: u64,
    rto_ms: u64,
    elapsed_ms: u64,
}

/// How long things took, and what the daemon said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Course {
    pub(super) failover_ms: u64,
    pub(super) elapsed_ms: u64,
    pub(super) rpo_records: u64,
    pub(super) rto_ms: u64,
}

impl Report {
    pub(super) fn new(state: &State, audit: Audit, course: Course) -> Self {
        let lags = state.ledger.lags_us(0);
        let groups = || state.processed.iter().zip(state.ledger.partitions());
        let unaccounted = state.ledger.unaccounted(state.produced);
        Self {
            produced: state.produced,
            produced_west: state.ledger.acked_in(Region::West),
            mirrored: state.ledger.mirrored(),
            mismatches: audit.mismatches + unaccounted,
            audit,
            group_processed: state.processed.iter().map(|processed| processed.count()).sum(),
            group_reread: groups().map(|(processed, _)| processed.reread()).sum(),
            group_skipped: groups()
                .map(|(processed, acked)| processed.skipped(acked.iter().map(|acked| acked.offset)))
                .sum(),
            lag_us: percentile(&lags, 50).zip(percentile(&lags, 99)),
            failover_ms: course.failover_ms,
            write_pause_ms: state.ledger.pause_us().map(|pause| pause / 1_000),
            rpo_records: course.rpo_records,
            rto_ms: course.rto_ms,
            elapsed_ms: course.elapsed_ms,
        }
    }

    /// Everything produced is there, once, unchanged, where it has to be, and the group read each of it exactly once.
    pub(super) fn held(&self) -> bool {
        self.produced > 0
            && self.mirrored > 0
            && self.audit.verified == self.produced
            && self.mismatches == 0
            && self.rpo_records == 0
            && self.group_reread == 0
            && self.group_skipped == 0
    }

    pub(super) fn to_json(&self) -> Value {
        let ms = |us: u64| us as f64 / 1_000.0;
        json!({
            "held": self.held(),
            "records_produced": self.produced,
            "records_mirrored": self.mirrored,
            "records_returned": self.audit.returned,
            "records_verified": self.audit.verified,
            "mismatches": self.mismatches,
            "group_processed": self.group_processed,
            "group_reread": self.group_reread,
            "group_skipped": self.group_skipped,
            "lag_ms_p50": self.lag_us.map(|(p50, _)| ms(p50)),
            "lag_ms_p99": self.lag_us.map(|(_, p99)| ms(p99)),
            "failover_ms": self.failover_ms,
            "write_pause_ms": self.write_pause_ms,
            "rpo_records": self.rpo_records,
            "rto_ms": self.rto_ms,
            "elapsed_ms": self.elapsed_ms,
        })
    }

    pub(super) fn to_text(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, told: String| {
            // Writing into a string cannot fail.
            let _ = writeln!(text, "  {name:<12} {told}");
        };
        let Self { produced, produced_west, mirrored, mismatches, .. } = *self;
        let produced_east = produced.saturating_sub(produced_west);
        line(
            "produced",
            format!("{produced} events: {produced_east} in us-east, then {produced_west} in eu-west"),
        );
        line("mirrored", format!("{mirrored} to eu-west, {} back to us-east", self.audit.returned));
        if let Some((p50, p99)) = self.lag_us {
            line(
                "lag",
                format!("{} at p50, {} at p99, from acknowledged to readable", millis(p50), millis(p99)),
            );
        }
        let pause = self.write_pause_ms.map(|ms| format!(", {ms} ms without a write")).unwrap_or_default();
        let lost = self.rpo_records;
        line("failover", format!("{} ms{pause}, {lost} records left behind", self.failover_ms));
        let (reread, skipped) = (self.group_reread, self.group_skipped);
        line("group", format!("{} processed, {reread} read again, {skipped} skipped", self.group_processed));
        line("check", format!("{} verified, {mismatches} mismatches", self.audit.verified));
        for complaint in &self.audit.complaints {
            line("", complaint.clone());
        }
        let verdict = if self.held() { "the check held" } else { "THE CHECK DID NOT HOLD" };
        line("result", verdict.to_owned());
        text
    }
}

/// Microseconds as milliseconds, for people.
pub(super) fn millis(us: u64) -> String {
    format!("{:.1} ms", us as f64 / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Report {
        Report {
            produced: 10,
            produced_west: 4,
            mirrored: 6,
            audit: Audit { verified: 10, ..Audit::default() },
            mismatches: 0,
            group_processed: 10,
            group_reread: 0,
            group_skipped: 0,
            lag_us: Some((1_250, 3_000)),
            failover_ms: 42,
            write_pause_ms: Some(40),
            rpo_records: 0,
            rto_ms: 40,
            elapsed_ms: 900,
        }
    }

    #[test]
    fn only_a_faultless_run_holds() {
        assert!(good().held());
        let faults: [fn(&mut Report); 7] = [
            |report| report.rpo_records = 1,
            |report| report.mismatches = 1,
            |report| report.audit.verified = 9,
            |report| report.group_reread = 1,
            |report| report.group_skipped = 1,
            |report| report.mirrored = 0,
            |report| (report.produced, report.audit.verified) = (0, 0),
        ];
        for fault in faults {
            let mut report = good();
            fault(&mut report);
            assert!(!report.held(), "{report:?}");
            assert!(report.to_text().contains("DID NOT HOLD"));
            assert_eq!(report.to_json()["held"], false);
        }
    }

    #[test]
    fn the_json_has_every_number_that_is_promised() {
        let json = good().to_json();
        for name in [
            "records_produced",
            "records_mirrored",
            "records_verified",
            "mismatches",
            "group_reread",
            "group_skipped",
            "lag_ms_p50",
            "lag_ms_p99",
            "failover_ms",
            "elapsed_ms",
        ] {
            assert!(json[name].is_number(), "no number {name} in {json}");
        }
        assert_eq!(json["lag_ms_p50"], 1.25);
        assert!(!json.to_string().contains('\n'));
    }
}
