//! `isthmus config show`: every setting in force with where it came from.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use crate::config::{Effective, given::Scalar};

/// Writes the settings as TOML with the origins as comments (so what is shown can be used as a file), or as JSON.
pub(crate) fn show(effective: &Effective, as_json: bool, out: &mut impl Write) -> io::Result<()> {
    if as_json { write_json(effective, out) } else { write_toml(effective, out) }
}

fn write_toml(effective: &Effective, out: &mut impl Write) -> io::Result<()> {
    let line =
        |(name, (value, origin)): (&String, &(Scalar, String))| (format!("{name} = {value}"), origin.clone());
    let lines: Vec<_> = effective.shown.iter().map(line).collect();
    let width = lines.iter().map(|(setting, _)| setting.chars().count()).max().unwrap_or(0);
    for (setting, origin) in lines {
        writeln!(out, "{setting:width$}  # {origin}")?;
    }
    Ok(())
}

fn write_json(effective: &Effective, out: &mut impl Write) -> io::Result<()> {
    let entry = |(name, (value, origin)): (&String, &(Scalar, String))| {
        (name.clone(), json!({ "value": plain(value), "origin": origin }))
    };
    let all: Map<_, _> = effective.shown.iter().map(entry).collect();
    serde_json::to_writer_pretty(&mut *out, &all)?;
    writeln!(out)
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
