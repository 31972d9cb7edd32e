//! The file layer: TOML, with the line of every setting.

use std::path::Path;

use toml::de::{DeInteger, DeTable, DeValue};

use super::{
    Refusal,
    given::{Given, Scalar, Spelling},
};

/// Every setting that the text of a file gives.
pub(crate) fn read(path: &Path, text: &str) -> (Vec<Given>, Vec<Refusal>) {
    let mut reading = Reading { path, text, given: Vec::new(), refusals: Vec::new() };
    match DeTable::parse(text) {
        Ok(table) => reading.table("", table.get_ref()),
        Err(error) => {
            let start = error.span().map_or(0, |span| span.start);
            let fix = "see https://toml.io for the form of the file";
            reading.refuse(&path.display().to_string(), start, error.message(), fix);
        }
    }
    (reading.given, reading.refusals)
}

struct Reading<'a> {
    path: &'a Path,
    text: &'a str,
    given: Vec<Given>,
    refusals: Vec<Refusal>,
}

impl Reading<'_> {
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let separator = if prefix.is_empty() { "" } else { "." };
            let name = format!("{prefix}{separator}{}", key.get_ref());
            self.value(name, key.span().start, value.get_ref());
        }
    }

    fn value(&mut self, name: String, at: usize, value: &DeValue<'_>) {
        let value = match value {
            DeValue::Table(inner) => return self.table(&name, inner),
            DeValue::Boolean(flag) => Some(Scalar::Flag(*flag)),
            DeValue::Integer(number) => whole(number).map(Scalar::Whole),
            DeValue::String(text) => Some(Scalar::Text(text.to_string())),
            DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Array(_) => None,
        };
        match value {
            Some(value) => {
                let origin = self.place(at);
                self.given.push(Given { name, value, origin, spelling: Spelling::Dotted });
            }
            None => self.refuse(
                &name,
                at,
                "no setting has this form",
                "write text, a whole number, true or false",
            ),
        }
    }

    fn refuse(&mut self, setting: &str, at: usize, problem: &str, fix: &str) {
        self.refusals.push(Refusal {
            setting: setting.to_owned(),
            origin: self.place(at),
            problem: problem.to_owned(),
            fix: fix.to_owned(),
        });
    }

    fn place(&self, at: usize) -> String {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        format!("{}:{line}", self.path.display())
    }
}

fn whole(number: &DeInteger<'_>) -> Option<i128> {
    i128::from_str_radix(number.as_str(), number.radix()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> (Vec<Given>, Vec<Refusal>) {
        read(Path::new("isthmus.toml"), text)
    }

    #[test]
    fn every_value_knows_its_line() {
        let (given, refusals) =
            read_text("data = 'x'\n\n[broker]\nlisten = \"a:1\"\ntopics.partitions = 3\n");
        let places: Vec<_> = given.iter().map(|given| (given.name.as_str(), given.origin.as_str())).collect();
        assert_eq!(
            places,
            [
                ("broker.listen", "isthmus.toml:4"),
                ("broker.topics.partitions", "isthmus.toml:5"),
                ("data", "isthmus.toml:1")
            ]
        );
        assert_eq!(refusals, []);
    }

    #[test]
    fn a_syntax_error_names_file_and_line() {
        let (_, refusals) = read_text("data = 'x'\nadmin = = 3\n");
        assert_eq!(refusals[0].origin, "isthmus.toml:2");
    }

    #[test]
    fn lists_floats_and_dates_are_refused() {
        let (_, refusals) = read_text("a = [1]\nb = 1.5\nc = 2026-01-01\n");
        let places: Vec<_> = refusals.iter().map(|refusal| refusal.origin.as_str()).collect();
        assert_eq!(places, ["isthmus.toml:1", "isthmus.toml:2", "isthmus.toml:3"]);
    }

    #[test]
    fn the_largest_number_is_read_whole() {
        let (given, _) = read_text("n = 18446744073709551615\nh = 0xff\n");
        let values: Vec<_> = given.into_iter().map(|given| given.value).collect();
        assert_eq!(values, [Scalar::Whole(255), Scalar::Whole(u64::MAX.into())]);
    }
}
