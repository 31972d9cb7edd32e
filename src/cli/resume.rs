//! `isthmus resume`: tries partitions again that are stopped, once what stopped them has been seen to.

use std::fmt::Write;

use clap::Args;

use super::{Answer, node::Asked};
use crate::operations::{ResumeReport, ResumeRequest};

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct ResumeArguments {
    /// The link; a node at its target must be asked.
    #[arg(long, value_name = "FROM:TO")]
    link: String,
    /// One topic, as the source names it; otherwise all.
    #[arg(long)]
    topic: Option<String>,
    /// One partition of the topic; otherwise all.
    #[arg(long, requires = "topic")]
    partition: Option<i32>,
    /// Only say which are stopped, and why.
    #[arg(long)]
    dry_run: bool,
    /// As one JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    asked: Asked,
}

pub(crate) fn answer(arguments: ResumeArguments) -> Answer {
    let ResumeArguments { link, topic, partition, dry_run, json, asked } = arguments;
    let request = ResumeRequest { link, topic, partition, dry_run };
    match asked.post::<ResumeReport>("/v1/resume", &request) {
        Ok(report) if json => Answer::json(&serde_json::to_value(&report).expect("plain structs serialise")),
        Ok(report) => Answer::done(text(&report)),
        Err(answer) => answer,
    }
}

fn text(report: &ResumeReport) -> String {
    let ResumeReport { link, dry_run, partitions } = report;
    if partitions.is_empty() {
        return format!("nothing of {link} that was asked for is stopped\n");
    }
    let mut text = String::new();
    for resumed in partitions {
        let (topic, partition, stop) = (&resumed.topic, resumed.partition, &resumed.stop);
        writeln!(text, "{topic}-{partition} over {link} was stopped [{}]: {}", stop.code, stop.what)
            .expect("writing to a String cannot fail");
    }
    text.push_str(match dry_run {
        true => "nothing was changed\n",
        false => "tried again; one whose cause is still there stops again: see `isthmus status`\n",
    });
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::{ResumedPartition, status::Stop};

    fn report(dry_run: bool, partitions: Vec<ResumedPartition>) -> ResumeReport {
        ResumeReport { link: "us:eu".into(), dry_run, partitions }
    }

    #[test]
    fn what_was_stopped_is_told_with_its_reason() {
        let stop = Stop { code: "bad-block".into(), what: "a bad CRC".into(), action: "resume".into() };
        let stopped = vec![ResumedPartition { topic: "orders".into(), partition: 3, stop }];
        let first = "orders-3 over us:eu was stopped [bad-block]: a bad CRC\n";
        let dry = text(&report(true, stopped.clone()));
        assert_eq!(dry, format!("{first}nothing was changed\n"));
        assert!(text(&report(false, stopped)).starts_with(&format!("{first}tried again; ")));
        assert!(text(&report(false, Vec::new())).contains("nothing of us:eu"));
    }
}
