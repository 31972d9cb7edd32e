//! What is shown while the demo runs: a block that is redrawn in place on a terminal, else one line a second.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal, Write as _},
    time::Duration,
};

use tokio::time::{self, MissedTickBehavior};

use super::{
    percentile::percentile,
    progress::{Progress, Seen, Snapshot},
    region::Region,
    report::millis,
};

const REDRAW_EVERY: Duration = Duration::from_millis(250);
const LINE_EVERY: Duration = Duration::from_secs(1);
const CLEAR_BELOW: &str = "\x1b[J";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Redrawn,
    Lines,
}

impl Style {
    /// A terminal is redrawn, unless the script runs without one.
    pub(super) fn choose(once: bool) -> Self {
        if !once && io::stderr().is_terminal() { Self::Redrawn } else { Self::Lines }
    }
}

/// Shows on standard error, for as long as it is let.
pub(super) async fn show(progress: Progress, style: Style) {
    let mut ticks = time::interval(match style {
        Style::Redrawn => REDRAW_EVERY,
        Style::Lines => LINE_EVERY,
    });
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = progress.snapshot();
    loop {
        ticks.tick().await;
        let now = progress.snapshot();
        let text = match style {
            Style::Redrawn => redrawn(&now, &before),
            Style::Lines => line(&now, &before),
        };
        // Whoever closed standard error does not want to see it.
        drop(io::stderr().lock().write_all(text.as_bytes()));
        before = now;
    }
}

/// Shows the last state and leaves it there.
pub(super) fn finish(progress: &Progress, style: Style) {
    let last = progress.snapshot();
    if style == Style::Redrawn {
        let block = block(&last, &last);
        drop(io::stderr().lock().write_all(format!("{CLEAR_BELOW}{block}\n").as_bytes()));
    }
}

/// The block, with the cursor back at its start: whatever is written next replaces it.
fn redrawn(now: &Snapshot, before: &Snapshot) -> String {
    let block = block(now, before);
    let lines = block.lines().count();
    format!("{CLEAR_BELOW}{block}\x1b[{lines}F")
}

fn block(now: &Snapshot, before: &Snapshot) -> String {
    let (p50, p99) = lags(now);
    let mut text = format!(
        "{BOLD}isthmus demo{PLAIN}  {}\n\n  produced  {:>9}  {:>6}/s      mirror lag  p50 {p50:>8}  p99 {p99:>8}\n",
        now.step,
        now.acked,
        rate(now.acked, before.acked, now, before),
    );
    let processed = rate(now.processed, before.processed, now, before);
    // Writing into a string cannot fail.
    let _ = writeln!(text, "  processed {:>9}  {processed:>6}/s\n", now.processed);
    let _ = writeln!(text, "            {:>12} {:>12} {:>8}", "records", "group at", "behind");
    for (region, seen) in Region::BOTH.iter().zip(&now.regions) {
        let home = if *region == now.home { "home" } else { "" };
        let (records, group, behind) = columns(seen);
        let _ = writeln!(text, "  {region:<8} {records:>13} {group:>12} {behind:>8}  {home}");
    }
    text
}

fn line(now: &Snapshot, before: &Snapshot) -> String {
    let (p50, p99) = lags(now);
    let mut text = format!(
        "{:>6.1}s  {:<28} {:>8} events {:>6}/s  lag p50 {p50} p99 {p99}",
        now.at_us as f64 / 1e6,
        now.step,
        now.acked,
        rate(now.acked, before.acked, now, before),
    );
    for (region, seen) in Region::BOTH.iter().zip(&now.regions) {
        let (records, group, _) = columns(seen);
        // Writing into a string cannot fail.
        let _ = write!(text, "  {region}: {records} records, group at {group}");
    }
    text.push('\n');
    text
}

fn columns(seen: &Seen) -> (String, String, String) {
    let told = |count: Option<i64>| count.map_or_else(|| "-".to_owned(), |count| count.to_string());
    let behind = seen.records.zip(seen.group).map(|(records, group)| (records - group).max(0));
    (told(seen.records), told(seen.group), told(behind))
}

fn lags(now: &Snapshot) -> (String, String) {
    let told = |percent| percentile(&now.lags_us, percent).map_or_else(|| "-".to_owned(), millis);
    (told(50), told(99))
}

/// Per second, over the time between two snapshots.
fn rate(count: u64, count_before: u64, now: &Snapshot, before: &Snapshot) -> u64 {
    let passed_us = now.at_us.saturating_sub(before.at_us);
    let more = count.saturating_sub(count_before);
    more.saturating_mul(1_000_000).checked_div(passed_us).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(at_us: u64, acked: u64) -> Snapshot {
        let east = Seen { records: Some(500), group: Some(480) };
        Snapshot {
            at_us,
            step: "producing in us-east",
            home: Region::East,
            acked,
            processed: 480,
            regions: [east, Seen::default()],
            lags_us: vec![900, 1_100, 2_500],
        }
    }

    #[test]
    fn the_block_is_replaced_and_not_scrolled() {
        let (before, now) = (snapshot(0, 0), snapshot(500_000, 500));
        let drawn = redrawn(&now, &before);
        let lines = block(&now, &before).lines().count();
        assert!(drawn.ends_with(&format!("\x1b[{lines}F")), "{drawn:?}");
        assert!(drawn.contains("1000/s"), "{drawn}");
        assert!(drawn.contains("1.1 ms"), "{drawn}");
        assert!(drawn.contains("  20  home"), "{drawn}");
    }

    #[test]
    fn without_a_terminal_a_line_says_the_same_without_escapes() {
        let line = line(&snapshot(1_000_000, 500), &snapshot(0, 0));
        assert!(line.ends_with('\n') && line.lines().count() == 1, "{line}");
        assert!(line.contains("us-east: 500 records, group at 480"), "{line}");
        assert!(line.contains("eu-west: - records, group at -"), "{line}");
        assert!(!line.contains('\x1b'), "{line}");
    }
}
