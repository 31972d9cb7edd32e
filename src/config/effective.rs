//! The layers brought together: checked, merged, and each value with where it came from.

use std::{collections::BTreeMap, ffi::OsString, fs, path::PathBuf};

use ::config::{Config, Map, Value, ValueKind};

use super::{
    Given, Placement, Refusal, Refused, Settings, Unloadable, environment, file,
    given::{Layer, Scalar, Spelling},
    placement, rules,
    schema::Schema,
    together,
};

/// Where settings may come from, highest layer last.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    pub(crate) file: Option<FileNamed>,
    pub(crate) variables: Vec<(OsString, OsString)>,
    pub(crate) flags: Vec<FlagGiven>,
}

/// A settings file, and the flag or variable that named it.
#[derive(Debug)]
pub(crate) struct FileNamed {
    pub(crate) path: PathBuf,
    pub(crate) by: &'static str,
}

#[derive(Debug)]
pub(crate) struct FlagGiven {
    pub(crate) setting: &'static str,
    pub(crate) flag: &'static str,
    pub(crate) value: String,
}

/// What is in force.
#[derive(Debug)]
pub(crate) struct Effective {
    pub(crate) settings: Settings,
    /// This node's part of the topology; without one the daemon is a broker that stands alone.
    pub(crate) placement: Option<Placement>,
    /// By name: the value and its origin.
    pub(crate) shown: BTreeMap<String, (Scalar, String)>,
}

impl Inputs {
    pub(crate) fn load(self) -> Result<Effective, Unloadable> {
        let schema = Schema::of_settings();
        let (from_file, mut refusals) = self.file.map(read_file).unwrap_or_default();
        let (from_variables, refused) = environment::read(&schema, self.variables);
        refusals.extend(refused);
        let from_flags: Vec<_> = self.flags.into_iter().map(|flag| flag.given(&schema)).collect();
        for given in from_file.iter().chain(&from_variables).chain(&from_flags) {
            refusals.extend(schema.check(given).and_then(|()| rules::check(given)).err());
        }
        if !refusals.is_empty() {
            return Err(Refused(refusals).into());
        }
        effective(&schema, [from_file, from_variables, from_flags])
    }
}

impl FlagGiven {
    fn given(self, schema: &Schema) -> Given {
        Given {
            name: self.setting.to_owned(),
            value: schema.read(self.setting, &self.value),
            origin: self.flag.to_owned(),
            spelling: Spelling::Dotted,
        }
    }
}

fn read_file(named: FileNamed) -> (Vec<Given>, Vec<Refusal>) {
    match fs::read_to_string(&named.path) {
        Ok(text) => file::read(&named.path, &text),
        Err(error) => {
            let refusal = Refusal {
                setting: named.by.to_owned(),
                origin: named.by.to_owned(),
                problem: format!("cannot read {}: {error}", named.path.display()),
                fix: "name a TOML file that this user can read".to_owned(),
            };
            (Vec::new(), vec![refusal])
        }
    }
}

/// The layers that were given, merged once to learn of which topology this is a node, and again with what follows from that.
fn effective(schema: &Schema, given: [Vec<Given>; 3]) -> Result<Effective, Unloadable> {
    let layers = |placed: Vec<Given>| [schema.defaults(), placed].into_iter().chain(given.clone());
    let mut merged = Merged::of(layers(Vec::new()))?;
    let placement = placement::find(&merged.settings, |name| merged.origin(name))?;
    if let Some(placement) = &placement {
        merged = Merged::of(layers(placement.layer()))?;
    }
    let origin = |name: &str| merged.origin(name);
    let mut clashes = together::check(&merged.settings, origin);
    if let Some(placement) = &placement {
        clashes.extend(placement.contradicted(&merged.settings, origin));
    }
    if !clashes.is_empty() {
        return Err(Refused(clashes).into());
    }
    let values = Schema::of(&merged.settings);
    let shown = schema.names().filter_map(|name| {
        let value = values.default_of(name)?.clone();
        Some((name.to_owned(), (value, origin(name))))
    });
    Ok(Effective { shown: shown.collect(), placement, settings: merged.settings })
}

struct Merged {
    settings: Settings,
    origins: BTreeMap<String, String>,
}

impl Merged {
    fn of(layers: impl Iterator<Item = Vec<Given>>) -> Result<Self, Refused> {
        let builder = layers.fold(Config::builder(), |builder, layer| builder.add_source(Layer(layer)));
        let merged = builder.build().map_err(|error| unexpected(&error))?;
        let settings: Settings = merged.clone().try_deserialize().map_err(|error| unexpected(&error))?;
        let table = merged.cache.into_table().map_err(|error| unexpected(&error))?;
        let mut origins = BTreeMap::new();
        collect_origins("", &table, &mut origins);
        Ok(Self { settings, origins })
    }

    fn origin(&self, name: &str) -> String {
        self.origins.get(name).cloned().unwrap_or_else(|| "default".to_owned())
    }
}

fn collect_origins(prefix: &str, table: &Map<String, Value>, origins: &mut BTreeMap<String, String>) {
    for (field, value) in table {
        let separator = if prefix.is_empty() { "" } else { "." };
        let name = format!("{prefix}{separator}{field}");
        match (&value.kind, value.origin()) {
            (ValueKind::Table(inner), _) => collect_origins(&name, inner, origins),
            (_, Some(origin)) => drop(origins.insert(name, origin.to_owned())),
            (_, None) => {}
        }
    }
}

/// The schema and the rules have admitted every value, so this tells of a rule that is wider than its setting.
fn unexpected(error: &::config::ConfigError) -> Refused {
    Refused(vec![Refusal {
        setting: "settings".to_owned(),
        origin: "all layers together".to_owned(),
        problem: error.to_string(),
        fix: "change the setting named here".to_owned(),
    }])
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn flag(setting: &'static str, flag: &'static str, value: &str) -> FlagGiven {
        FlagGiven { setting, flag, value: value.to_owned() }
    }

    fn with_flag(flag: FlagGiven) -> Inputs {
        Inputs { flags: vec![flag], ..Inputs::default() }
    }

    fn written(text: &str) -> (tempfile::NamedTempFile, Inputs) {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(text.as_bytes()).expect("written");
        let named = FileNamed { path: file.path().to_owned(), by: "--config" };
        (file, Inputs { file: Some(named), ..Inputs::default() })
    }

    fn refused(inputs: Inputs) -> Refused {
        match inputs.load().expect_err("refused") {
            Unloadable::Settings(refused) => refused,
            Unloadable::Topology(report) => panic!("{report}"),
        }
    }

    fn shown<'a>(effective: &'a Effective, name: &str) -> (String, &'a str) {
        let (value, origin) = effective.shown.get(name).expect("a setting");
        (value.to_string(), origin)
    }

    #[test]
    fn nothing_given_is_the_defaults() {
        let effective = Inputs::default().load().expect("defaults load");
        assert_eq!(effective.settings, Settings::default());
        assert!(effective.shown.values().all(|(_, origin)| origin == "default"));
    }

    #[test]
    fn each_layer_overrides_the_ones_below_it() {
        let text = "admin = \"a:1\"\n[broker]\nlisten = \"file:1\"\nrack = \"file\"\ntopics.partitions = 2\n";
        let (file, mut inputs) = written(text);
        inputs.variables = vec![
            ("ISTHMUS_BROKER__LISTEN".into(), "env:2".into()),
            ("ISTHMUS_BROKER__RACK".into(), "env".into()),
        ];
        inputs.flags = vec![flag("broker.listen", "--listen", "flag:3")];
        let effective = inputs.load().expect("all good");
        let path = file.path().display();
        assert_eq!(shown(&effective, "broker.listen"), ("\"flag:3\"".to_owned(), "--listen"));
        assert_eq!(shown(&effective, "broker.rack"), ("\"env\"".to_owned(), "ISTHMUS_BROKER__RACK"));
        assert_eq!(
            shown(&effective, "broker.topics.partitions"),
            ("2".to_owned(), format!("{path}:5").as_str())
        );
        assert_eq!(shown(&effective, "data"), ("\"./isthmus-data\"".to_owned(), "default"));
        assert_eq!(effective.settings.broker.listen, "flag:3");
        assert_eq!(effective.settings.broker.rack, "env");
        assert_eq!(effective.settings.broker.topics.partitions, 2);
        assert_eq!(effective.settings.admin, "a:1");
    }

    #[test]
    fn what_is_shown_can_be_loaded_again() {
        let inputs = with_flag(flag("broker.rack", "--rack", "a \"quoted\" \\ rack\n"));
        let first = inputs.load().expect("all good");
        let text: String =
            first.shown.iter().map(|(name, (value, _))| format!("{name} = {value}\n")).collect();
        let (_file, inputs) = written(&text);
        assert_eq!(inputs.load().expect("what is shown loads").settings, first.settings);
    }

    #[test]
    fn a_bad_value_is_refused_even_where_it_is_overridden() {
        let (_file, mut inputs) = written("[broker]\nlisten = 9092\n");
        inputs.flags = vec![flag("broker.listen", "--listen", "flag:3")];
        assert_eq!(refused(inputs).0[0].setting, "broker.listen");
    }

    #[test]
    fn everything_wrong_is_reported_at_once() {
        let (file, mut inputs) = written("dta = \"x\"\n[broker.topics]\npartitions = 0\n");
        inputs.variables = vec![("ISTHMUS_ADMIN".into(), "nowhere".into())];
        inputs.flags = vec![flag("telemetry.format", "--log-format", "xml")];
        let refused = refused(inputs);
        let path = file.path().display();
        let expected = format!(
            "broker.topics.partitions (from {path}:3): 0 is not a whole number from 1 to 100000\n  \
             fix: write a whole number from 1 to 100000\n\
             dta (from {path}:1): there is no such setting\n  \
             fix: did you mean data?\n\
             ISTHMUS_ADMIN: \"nowhere\" is not HOST:PORT\n  \
             fix: write a host and a port, such as \"127.0.0.1:9092\"\n\
             telemetry.format (from --log-format): \"xml\" is not one of auto, human, json\n  \
             fix: write one of auto, human, json"
        );
        assert_eq!(refused.to_string(), expected);
    }

    #[test]
    fn a_clash_names_the_layer_of_the_setting() {
        let inputs = with_flag(flag("broker.listen", "--listen", "0.0.0.0:9092"));
        let refused = refused(inputs);
        assert_eq!(refused.0[0].origin, "--listen");
    }

    #[test]
    fn a_file_that_is_not_there_is_refused_by_the_flag_that_named_it() {
        let named = FileNamed { path: "/nowhere/isthmus.toml".into(), by: "--config" };
        let refused = refused(Inputs { file: Some(named), ..Inputs::default() });
        assert_eq!(refused.0[0].setting, "--config");
        assert!(refused.0[0].problem.contains("/nowhere/isthmus.toml"));
    }
}
