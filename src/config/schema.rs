//! Which settings there are and of which form: read off the serialised default of the settings struct.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    Refusal, Settings,
    given::{Given, Scalar, Spelling},
};

/// Names further from any setting than this fraction get no suggestion.
const SIMILAR_ENOUGH: f64 = 0.75;

/// Every setting by its dotted name, with its default.
#[derive(Debug, Clone)]
pub(crate) struct Schema {
    defaults: BTreeMap<String, Scalar>,
    sections: BTreeSet<String>,
}

impl Schema {
    pub(crate) fn of_settings() -> Self {
        Self::of(&Settings::default())
    }

    /// The same names with the values of `settings` in place of the defaults.
    pub(crate) fn of(settings: &Settings) -> Self {
        let mut schema = Self { defaults: BTreeMap::new(), sections: BTreeSet::new() };
        let values = serde_json::to_value(settings).expect("plain structs of scalars serialise");
        schema.add("", &values);
        schema
    }

    fn add(&mut self, prefix: &str, value: &Value) {
        let scalar = match value {
            Value::Object(fields) => {
                for (field, value) in fields {
                    let separator = if prefix.is_empty() { "" } else { "." };
                    self.add(&format!("{prefix}{separator}{field}"), value);
                }
                self.sections.insert(prefix.to_owned());
                return;
            }
            Value::Bool(flag) => Scalar::Flag(*flag),
            Value::String(text) => Scalar::Text(text.clone()),
            Value::Number(number) => Scalar::Whole(number.as_i128().unwrap_or(0)),
            Value::Null | Value::Array(_) => return,
        };
        self.defaults.insert(prefix.to_owned(), scalar);
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.defaults.keys().map(String::as_str)
    }

    pub(crate) fn default_of(&self, name: &str) -> Option<&Scalar> {
        self.defaults.get(name)
    }

    /// The lowest layer.
    pub(crate) fn defaults(&self) -> Vec<Given> {
        let given = |(name, value): (&String, &Scalar)| Given {
            name: name.clone(),
            value: value.clone(),
            origin: "default".to_owned(),
            spelling: Spelling::Dotted,
        };
        self.defaults.iter().map(given).collect()
    }

    /// Text from a variable or a flag, in the form the setting has.
    pub(crate) fn read(&self, name: &str, text: &str) -> Scalar {
        match self.default_of(name) {
            Some(Scalar::Flag(_)) => text.parse().map(Scalar::Flag).ok(),
            Some(Scalar::Whole(_)) => text.parse().map(Scalar::Whole).ok(),
            _ => None,
        }
        .unwrap_or_else(|| Scalar::Text(text.to_owned()))
    }

    /// Is there such a setting, and is the value of its form?
    pub(crate) fn check(&self, given: &Given) -> Result<(), Refusal> {
        let refusal = |problem: String, fix: String| {
            let setting = given.spelling.of(&given.name);
            Err(Refusal { setting, origin: given.origin.clone(), problem, fix })
        };
        match (self.default_of(&given.name), &given.value) {
            (None, _) if self.sections.contains(&given.name) => refusal(
                "this is a section, not a setting".to_owned(),
                format!("set one of its settings, such as {}", given.spelling.of(&self.member(&given.name))),
            ),
            (None, _) => refusal("there is no such setting".to_owned(), self.suggestion(given)),
            (Some(Scalar::Flag(_)), Scalar::Flag(_))
            | (Some(Scalar::Whole(_)), Scalar::Whole(_))
            | (Some(Scalar::Text(_)), Scalar::Text(_)) => Ok(()),
            (Some(default), value) => refusal(
                format!("{value} is not {}", form(default)),
                format!("write {}, such as {default}", form(default)),
            ),
        }
    }

    fn suggestion(&self, given: &Given) -> String {
        match self.nearest(&given.name) {
            Some(name) => format!("did you mean {}?", given.spelling.of(name)),
            None => "`isthmus config show` lists every setting; remove this one".to_owned(),
        }
    }

    /// The known name that looks most like `name`, if any does; the last word alone counts too, so that a setting
    /// without its section is found.
    fn nearest(&self, name: &str) -> Option<&str> {
        let likeness = |known: &str| {
            let whole = strsim::jaro_winkler(known, name);
            let last = known.rsplit('.').next().unwrap_or(known);
            let last_given = name.rsplit('.').next().unwrap_or(name);
            whole.max(strsim::normalized_damerau_levenshtein(last, last_given))
        };
        let scored = self.names().map(|known| (likeness(known), known));
        let best = scored.max_by(|left, right| left.0.total_cmp(&right.0));
        best.filter(|(score, _)| *score >= SIMILAR_ENOUGH).map(|(_, known)| known)
    }

    fn member(&self, section: &str) -> String {
        let inside = format!("{section}.");
        self.names().find(|name| name.starts_with(&inside)).unwrap_or(section).to_owned()
    }
}

fn form(default: &Scalar) -> &'static str {
    match default {
        Scalar::Flag(_) => "true or false",
        Scalar::Whole(_) => "a whole number",
        Scalar::Text(_) => "text in quotes",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(name: &str, value: Scalar) -> Given {
        Given { name: name.to_owned(), value, origin: "here".to_owned(), spelling: Spelling::Dotted }
    }

    fn fix(name: &str, value: Scalar) -> String {
        Schema::of_settings().check(&given(name, value)).expect_err("refused").fix
    }

    #[test]
    fn every_setting_of_every_section_is_known() {
        let schema = Schema::of_settings();
        let known: Vec<_> = schema.names().collect();
        for name in ["data", "admin", "broker.listen", "broker.topics.partitions", "telemetry.format"] {
            assert!(known.contains(&name), "{name} in {known:?}");
        }
    }

    #[test]
    fn a_misspelt_name_gets_the_nearest_one() {
        assert_eq!(fix("broker.lissten", Scalar::Flag(true)), "did you mean broker.listen?");
        assert_eq!(fix("brokr.listen", Scalar::Flag(true)), "did you mean broker.listen?");
        assert_eq!(
            fix("broker.topics.retention", Scalar::Whole(1)),
            "did you mean broker.topics.retention_ms?"
        );
    }

    #[test]
    fn a_setting_outside_its_section_is_found() {
        assert_eq!(fix("partitions", Scalar::Whole(3)), "did you mean broker.topics.partitions?");
    }

    #[test]
    fn a_name_like_none_gets_no_wild_guess() {
        assert_eq!(
            fix("zzz", Scalar::Whole(3)),
            "`isthmus config show` lists every setting; remove this one"
        );
    }

    #[test]
    fn a_section_is_not_a_setting() {
        assert_eq!(
            fix("broker.topics", Scalar::Whole(3)),
            "set one of its settings, such as broker.topics.auto_create"
        );
    }

    #[test]
    fn the_wrong_form_is_refused() {
        assert_eq!(
            fix("broker.listen", Scalar::Whole(9092)),
            "write text in quotes, such as \"127.0.0.1:9092\""
        );
        assert_eq!(
            fix("broker.topics.partitions", Scalar::Text("six".into())),
            "write a whole number, such as 1"
        );
        assert_eq!(
            fix("broker.topics.auto_create", Scalar::Text("yes".into())),
            "write true or false, such as true"
        );
    }

    #[test]
    fn text_is_read_in_the_form_of_the_setting() {
        let schema = Schema::of_settings();
        assert_eq!(schema.read("broker.topics.partitions", "12"), Scalar::Whole(12));
        assert_eq!(schema.read("broker.topics.auto_create", "false"), Scalar::Flag(false));
        assert_eq!(schema.read("broker.rack", "12"), Scalar::Text("12".into()));
        assert_eq!(schema.read("broker.topics.partitions", "many"), Scalar::Text("many".into()));
    }
}
