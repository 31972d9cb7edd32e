//! `isthmus failover`: moves a unit's home to the datacenter of the node that is asked, and reports what it cost.

use std::fmt::Write;

use clap::Args;

use mirror::ownership::{FailoverReport, GroupReport, Outcome, PartitionReport, Step, StepReport};

use super::{
    Answer,
    node::Asked,
    table::{cell, table},
};
use crate::{exit, operations::FailoverRequest};

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct FailoverArguments {
    /// The failover unit, as the topology names it.
    unit: String,
    /// The new home; the node that is asked must be in it.
    #[arg(long, value_name = "DATACENTER")]
    to: String,
    /// Only say what would be moved, with the numbers of now.
    #[arg(long)]
    dry_run: bool,
    /// Without the old home: it is lost, or cannot be reached. Records that it did not hand over are not at the new home.
    #[arg(long)]
    unplanned: bool,
    /// The report as one JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    asked: Asked,
}

pub(crate) fn answer(arguments: FailoverArguments) -> Answer {
    let FailoverArguments { unit, to, dry_run, unplanned, json, asked } = arguments;
    let request = FailoverRequest { unit, to, dry_run, unplanned };
    let report = match asked.post::<FailoverReport>("/v1/failover", &request) {
        Ok(report) => report,
        Err(answer) => return answer,
    };
    let code = match report.outcome {
        Outcome::Planned | Outcome::Moved | Outcome::AlreadyHome => exit::DONE,
        Outcome::Stopped { .. } => exit::FAILED,
    };
    if json {
        return Answer::json(&serde_json::to_value(&report).expect("a report serialises")).with_code(code);
    }
    Answer::done(text(&report)).with_code(code)
}

fn text(report: &FailoverReport) -> String {
    let mut text = format!("{}\n", headline(report));
    let sections = [
        table(["TOPIC", "PARTITION", "SOURCE END", "TARGET END", "MISSING"], &partitions(&report.partitions)),
        table(["GROUP", "TOPIC", "PARTITION", "AT SOURCE", "AT TARGET", "CLAMPED"], &groups(&report.groups)),
        table(["STEP", "TOOK"], &steps(&report.steps)),
    ];
    for section in sections.into_iter().filter(|section| !section.is_empty()) {
        text.push('\n');
        text.push_str(&section);
    }
    let known = if report.rpo_complete { "" } else { " at least: not every end of the old home is known" };
    let totals = report.group_totals;
    let told = writeln!(
        text,
        "\nrecords missing (RPO): {}{known}\ngroup positions: {}, of them clamped: {}",
        report.rpo_records, totals.positions, totals.clamped
    );
    told.expect("writing to a String cannot fail");
    if !report.dry_run {
        writeln!(text, "closed to writers for (RTO): {} ms", report.rto_ms)
            .expect("writing to a String cannot fail");
    }
    text
}

fn headline(report: &FailoverReport) -> String {
    let FailoverReport { unit, from, to, generation, planned, .. } = report;
    let kind = if *planned { "planned" } else { "unplanned" };
    match &report.outcome {
        Outcome::Planned => format!("{unit} would move from {from} to {to}, {kind}, generation {generation}"),
        Outcome::Moved => format!("{unit} moved from {from} to {to}, {kind}, generation {generation}"),
        Outcome::AlreadyHome => format!("{to} is the home of {unit} already, generation {generation}"),
        Outcome::Stopped { reason } => format!("{unit} stays at {from}: {reason}"),
    }
}

fn partitions(partitions: &[PartitionReport]) -> Vec<[String; 5]> {
    let row = |partition: &PartitionReport| {
        [
            partition.topic.clone(),
            partition.partition.to_string(),
            cell(partition.source_end),
            partition.target_end.to_string(),
            partition.lost.to_string(),
        ]
    };
    partitions.iter().map(row).collect()
}

fn groups(groups: &[GroupReport]) -> Vec<[String; 6]> {
    let row = |group: &GroupReport| {
        [
            group.group.clone(),
            group.topic.clone(),
            group.partition.to_string(),
            group.committed_source.to_string(),
            cell(group.committed_target),
            if group.clamped { "yes" } else { "no" }.to_owned(),
        ]
    };
    groups.iter().map(row).collect()
}

fn steps(steps: &[StepReport]) -> Vec<[String; 2]> {
    steps.iter().map(|step| [step_name(step.step).to_owned(), format!("{} ms", step.duration_ms)]).collect()
}

fn step_name(step: Step) -> &'static str {
    match step {
        Step::Survey => "survey",
        Step::Fence => "fence the old home",
        Step::Drain => "drain",
        Step::Groups => "apply group positions",
        Step::Close => "end the mirror's writes",
        Step::Barrier => "producer-id barrier",
        Step::Open => "open for writes",
    }
}

#[cfg(test)]
mod tests {
    use mirror::ownership::{GroupTotals, HomeGeneration, StopReason};

    use super::*;

    fn report(outcome: Outcome) -> FailoverReport {
        FailoverReport {
            unit: "orders".into(),
            from: "us".into(),
            to: "eu".into(),
            generation: HomeGeneration(2),
            planned: true,
            dry_run: false,
            outcome,
            partitions: vec![PartitionReport::new("orders.a", 0, Some(12), 10)],
            groups: Vec::new(),
            group_totals: GroupTotals::of(&[]),
            rpo_records: 2,
            rpo_complete: false,
            rto_ms: 31,
            steps: vec![StepReport { step: Step::Fence, duration_ms: 4 }],
        }
    }

    #[test]
    fn a_move_is_told_with_its_numbers() {
        let expected = "\
orders moved from us to eu, planned, generation 2

TOPIC     PARTITION  SOURCE END  TARGET END  MISSING
orders.a  0          12          10          2

STEP                TOOK
fence the old home  4 ms

records missing (RPO): 2 at least: not every end of the old home is known
group positions: 0, of them clamped: 0
closed to writers for (RTO): 31 ms
";
        assert_eq!(text(&report(Outcome::Moved)), expected);
    }

    #[test]
    fn a_move_that_stopped_says_why() {
        let stopped = Outcome::Stopped { reason: StopReason::OldHomeSilent { home: "us".into() } };
        assert!(text(&report(stopped)).starts_with("orders stays at us: us did not answer"), "the reason");
    }
}
