//! `isthmus config show`: every setting in force with where it came from.

use serde_json::{Map, Value, json};

use super::Answer;
use crate::config::{Effective, given::Scalar};

/// The settings as TOML with the origins as comments (so what is shown can be used as a file), or as JSON.
pub(crate) fn show(effective: &Effective, as_json: bool) -> Answer {
    if as_json { Answer::json(&json_of(effective)) } else { Answer::done(toml_of(effective)) }
}

fn toml_of(effective: &Effective) -> String {
    let line =
        |(name, (value, origin)): (&String, &(Scalar, String))| (format!("{name} = {value}"), origin.clone());
    let lines: Vec<_> = effective.shown.iter().map(line).collect();
    let width = lines.iter().map(|(setting, _)| setting.chars().count()).max().unwrap_or(0);
    lines.iter().map(|(setting, origin)| format!("{setting:width$}  # {origin}\n")).collect()
}

fn json_of(effective: &Effective) -> Value {
    let entry = |(name, (value, origin)): (&String, &(Scalar, String))| {
        (name.clone(), json!({ "value": plain(value), "origin": origin }))
    };
    Value::Object(effective.shown.iter().map(entry).collect::<Map<_, _>>())
}

fn plain(value: &Scalar) -> Value {
    match value {
        Scalar::Flag(flag) => Value::from(*flag),
        Scalar::Text(text) => Value::from(text.as_str()),
        Scalar::Whole(number) => i64::try_from(*number)
            .map(Value::from)
            .or_else(|_| u64::try_from(*number).map(Value::from))
            .unwrap_or(Value::Null),
    }
}
