//! All runs of a scenario as a table, for people and for machines.

use std::fmt::Write as _;

use serde::Serialize;

use super::figures::{Better, Figure, Figures};

/// The runs of one case.
pub(crate) struct CaseRuns {
    pub(crate) name: String,
    /// For each side that took part, what each run came to.
    pub(crate) sides: Vec<(&'static str, Vec<Figures>)>,
    /// Runs that did not come to figures, and why.
    pub(crate) failures: Vec<String>,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    unit: &'a str,
    better: Better,
    sides: Vec<Cell>,
    /// By how much the first side is better than the second: above 1, it is.
    ratio: Option<f64>,
}

#[derive(Serialize)]
struct Cell {
    side: &'static str,
    median: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
    runs: Vec<f64>,
}

impl CaseRuns {
    pub(crate) fn new(name: &str, sides: impl Iterator<Item = &'static str>) -> Self {
        let sides = sides.map(|side| (side, Vec::new())).collect();
        Self { name: name.to_owned(), sides, failures: Vec::new() }
    }

    /// Each once, with the side that it is about.
    fn notes(&self) -> Vec<String> {
        let of = |(side, runs): &(&str, Vec<Figures>)| {
            let notes = runs.iter().flat_map(|figures| &figures.notes);
            notes.map(|note| format!("{side}: {note}")).collect::<Vec<String>>()
        };
        let mut notes: Vec<String> = self.sides.iter().flat_map(of).collect();
        notes.dedup();
        notes
    }
}

/// Markdown.
pub(crate) fn markdown(scenario: &str, cases: &[CaseRuns]) -> String {
    let mut text = String::new();
    for case in cases {
        let names: Vec<&str> = case.sides.iter().map(|(name, _)| *name).collect();
        let pairs = case.sides.iter().map(|(_, runs)| runs.len()).max().unwrap_or(0);
        let runs =
            if pairs == 1 { "1 run each".to_owned() } else { format!("median [min-max] of {pairs} runs") };
        let ratio = if names.len() == 2 { " ahead by |" } else { "" };
        let _ = writeln!(text, "### {scenario}: {}\n\n| {runs} | {} |{ratio}", case.name, names.join(" | "));
        let _ = writeln!(text, "|---|{}", "---:|".repeat(names.len() + usize::from(names.len() == 2)));
        for row in rows(case) {
            let _ = write!(text, "| {}, {} |", row.name, row.unit);
            for cell in &row.sides {
                let _ = write!(text, " {} |", cell.shown());
            }
            if names.len() == 2 {
                let _ =
                    write!(text, " {} |", row.ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}")));
            }
            text.push('\n');
        }
        for note in case.notes() {
            let _ = writeln!(text, "\n{note}");
        }
        for failure in &case.failures {
            let _ = writeln!(text, "\nFailed: {failure}");
        }
        text.push('\n');
    }
    text
}

/// Everything, run by run.
pub(crate) fn json(scenario: &str, cases: &[CaseRuns]) -> serde_json::Value {
    let cases: Vec<_> = cases
        .iter()
        .map(
            |case| serde_json::json!({ "name": case.name, "figures": rows(case), "notes": case.notes(), "failures": case.failures }),
        )
        .collect();
    serde_json::json!({ "scenario": scenario, "cases": cases })
}

/// A row for each figure that any run has, in the order of the run that has most of them.
fn rows(case: &CaseRuns) -> Vec<Row<'_>> {
    let mut known: Vec<&Figure> = Vec::new();
    let mut runs: Vec<&Figures> = case.sides.iter().flat_map(|(_, runs)| runs).collect();
    runs.sort_by_key(|figures| std::cmp::Reverse(figures.all.len()));
    for figure in runs.iter().flat_map(|figures| &figures.all) {
        if !known.iter().any(|known| known.name == figure.name) {
            known.push(figure);
        }
    }
    known
        .into_iter()
        .map(|figure| {
            let sides: Vec<Cell> =
                case.sides.iter().map(|(side, runs)| Cell::of(side, runs, &figure.name)).collect();
            let ratio = match &sides[..] {
                [first, second] => ratio(first.median, second.median, figure.better),
                _ => None,
            };
            Row { name: &figure.name, unit: figure.unit, better: figure.better, sides, ratio }
        })
        .collect()
}

fn ratio(first: Option<f64>, second: Option<f64>, better: Better) -> Option<f64> {
    let ratio = match better {
        Better::Higher => first? / second?,
        Better::Lower => second? / first?,
    };
    ratio.is_finite().then_some(ratio)
}

impl Cell {
    fn of(side: &'static str, runs: &[Figures], name: &str) -> Self {
        let runs: Vec<f64> = runs.iter().filter_map(|figures| figures.value(name)).collect();
        let mut sorted = runs.clone();
        sorted.sort_by(f64::total_cmp);
        let median = sorted.get(sorted.len() / 2).map(|upper| {
            let lower = sorted[(sorted.len() - 1) / 2];
            f64::midpoint(lower, *upper)
        });
        Self { side, median, min: sorted.first().copied(), max: sorted.last().copied(), runs }
    }

    fn shown(&self) -> String {
        match (self.median, self.min, self.max) {
            (Some(median), Some(_), Some(_)) if self.runs.len() == 1 => number(median),
            (Some(median), Some(min), Some(max)) => {
                format!("{} [{}-{}]", number(median), number(min), number(max))
            }
            _ => "-".to_owned(),
        }
    }
}

/// Three digits that count.
fn number(value: f64) -> String {
    match value.abs() {
        size if size == 0.0 || size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(throughput: f64, cpu: f64) -> Figures {
        let mut figures = Figures::default();
        figures.higher("throughput", "MB/s", throughput);
        figures.lower("CPU", "s/GB", cpu);
        figures
    }

    #[test]
    fn medians_ranges_and_ratios_are_shown() {
        let case = CaseRuns {
            name: "one".to_owned(),
            failures: vec!["B: it went away".to_owned()],
            sides: vec![
                ("A", vec![run(100.0, 1.0), run(300.0, 3.0), run(200.0, 2.0)]),
                ("B", vec![run(10.0, 4.0), run(30.0, 4.0)]),
            ],
        };
        let text = markdown("s", &[case]);
        assert!(text.contains("| throughput, MB/s | 200 [100-300] | 20.0 [10.0-30.0] | 10.00 |"), "{text}");
        assert!(text.contains("Failed: B: it went away"), "{text}");
        assert!(text.contains("| CPU, s/GB | 2.00 [1.00-3.00] | 4.00 [4.00-4.00] | 2.00 |"), "{text}");
    }

    #[test]
    fn what_no_figure_says_is_below_the_table_once() {
        let mut noted = run(1.0, 1.0);
        noted.note("it did not get there");
        let case = CaseRuns {
            name: "one".to_owned(),
            failures: Vec::new(),
            sides: vec![("A", vec![run(5.0, 1.0)]), ("B", vec![noted.clone(), noted])],
        };
        assert_eq!(markdown("s", &[case]).matches("\nB: it did not get there\n").count(), 1);
    }

    #[test]
    fn a_figure_that_one_side_lacks_has_no_ratio() {
        let case = CaseRuns {
            name: "one".to_owned(),
            failures: Vec::new(),
            sides: vec![("A", vec![run(5.0, 0.0)]), ("B", vec![Figures::default()])],
        };
        let text = markdown("s", &[case]);
        assert!(text.contains("| throughput, MB/s | 5.00 | - | - |"), "{text}");
    }
}
