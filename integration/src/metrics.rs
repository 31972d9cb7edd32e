//! What a daemon counted, as `/metrics` tells it.

use std::collections::BTreeMap;

/// Samples by series (`name{labels}`).
#[derive(Debug, Clone, Default)]
pub struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    /// Reads the Prometheus text format.
    pub fn parse(text: &str) -> Self {
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        Self(samples.filter_map(|line| line.rsplit_once(' ')).filter_map(sample).collect())
    }

    /// The sum over all series in whose name and labels every one of `words` occurs.
    pub fn sum(&self, words: &[&str]) -> f64 {
        let matching = self.0.iter().filter(|(series, _)| words.iter().all(|word| series.contains(word)));
        matching.map(|(_, value)| value).sum()
    }

    /// Series that grew since `before`.
    pub fn grown_since(&self, before: &Self) -> Vec<String> {
        let old = |series: &String| before.0.get(series).copied().unwrap_or(0.0);
        let grown = self.0.iter().filter(|(series, value)| **value > old(series));
        grown.map(|(series, value)| format!("{series} {} -> {value}", old(series))).collect()
    }
}

fn sample((series, value): (&str, &str)) -> Option<(String, f64)> {
    Some((series.to_owned(), value.parse().ok()?))
}

#[test]
fn series_are_summed_by_what_their_names_hold() {
    let text = "# HELP a_total x\na_total{k=\"x y\",l=\"b\"} 2\na_total{k=\"z\"} 3\nb 1\n# EOF\n";
    let metrics = Metrics::parse(text);
    assert_eq!(metrics.sum(&["a_total"]), 5.0);
    assert_eq!(metrics.sum(&["a_total", "\"z\""]), 3.0);
    assert_eq!(metrics.grown_since(&Metrics::parse("a_total{k=\"z\"} 3\nb 0")).len(), 2);
}
