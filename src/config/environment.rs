//! The environment layer: `ISTHMUS_` and the setting's name in capitals, with `__` for each dot.

use std::ffi::OsString;

use super::{
    Refusal,
    given::{Given, Spelling},
    schema::Schema,
};

const PREFIX: &str = "ISTHMUS_";
/// Names the settings file; read before the layers are, so it is no setting itself.
pub(crate) const CONFIG_FILE: &str = "ISTHMUS_CONFIG";

/// The variable that sets `name`.
pub(crate) fn variable(name: &str) -> String {
    format!("{PREFIX}{}", name.replace('.', "__").to_uppercase())
}

/// Every setting that the environment gives.
pub(crate) fn read(
    schema: &Schema,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> (Vec<Given>, Vec<Refusal>) {
    let mut given = Vec::new();
    let mut refusals = Vec::new();
    for (variable, value) in variables {
        let variable = variable.to_string_lossy().into_owned();
        let Some(rest) = variable.strip_prefix(PREFIX) else { continue };
        if variable == CONFIG_FILE || is_service_link(rest) {
            continue;
        }
        match value.into_string() {
            Ok(value) => given.push(one(schema, variable, &value)),
            Err(_) => refusals.push(Refusal {
                setting: variable.clone(),
                origin: variable,
                problem: "the value is not UTF-8".to_owned(),
                fix: "write it in UTF-8".to_owned(),
            }),
        }
    }
    given.sort_by(|left, right| left.name.cmp(&right.name));
    (given, refusals)
}

fn one(schema: &Schema, variable: String, value: &str) -> Given {
    let exact = schema.names().find(|name| self::variable(name) == variable);
    // An unknown one keeps its own name in dotted form, for the schema to refuse and to find the nearest to.
    let name = exact.map_or_else(|| dotted(&variable), str::to_owned);
    let value = schema.read(&name, value);
    Given { name, value, origin: variable, spelling: Spelling::Variable }
}

fn dotted(variable: &str) -> String {
    variable.trim_start_matches(PREFIX).replace("__", ".").to_lowercase()
}

/// Kubernetes gives every container the addresses of the services beside it. Those of a service that is called
/// `isthmus` have our prefix and are nobody's mistake.
fn is_service_link(rest: &str) -> bool {
    rest == "SERVICE_HOST" || rest == "PORT" || rest.starts_with("SERVICE_PORT") || rest.starts_with("PORT_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::given::Scalar;

    fn read_all(variables: &[(&str, &str)]) -> Vec<Given> {
        let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        read(&Schema::of_settings(), variables).0
    }

    #[test]
    fn every_setting_has_a_variable_of_its_own() {
        let schema = Schema::of_settings();
        for name in schema.names() {
            let all = read_all(&[(&variable(name), "1")]);
            assert_eq!(all.first().map(|given| given.name.as_str()), Some(name));
        }
    }

    #[test]
    fn nesting_is_two_underscores() {
        let all = read_all(&[("ISTHMUS_BROKER__TOPICS__RETENTION_MS", "-1"), ("HOME", "/root")]);
        let expected = Given {
            name: "broker.topics.retention_ms".to_owned(),
            value: Scalar::Whole(-1),
            origin: "ISTHMUS_BROKER__TOPICS__RETENTION_MS".to_owned(),
            spelling: Spelling::Variable,
        };
        assert_eq!(all, [expected]);
    }

    #[test]
    fn an_unknown_variable_is_refused_with_the_nearest_variable() {
        let all = read_all(&[("ISTHMUS_BROKER__LISTN", "x")]);
        let refusal = Schema::of_settings().check(&all[0]).expect_err("no such setting");
        assert_eq!(refusal.setting, "ISTHMUS_BROKER__LISTN");
        assert_eq!(refusal.fix, "did you mean ISTHMUS_BROKER__LISTEN?");
    }

    #[test]
    fn one_underscore_instead_of_two_is_refused_with_the_right_name() {
        let all = read_all(&[("ISTHMUS_BROKER_LISTEN", "x")]);
        let refusal = Schema::of_settings().check(&all[0]).expect_err("no such setting");
        assert_eq!(refusal.fix, "did you mean ISTHMUS_BROKER__LISTEN?");
    }

    #[test]
    fn service_links_are_not_settings() {
        let links = [
            ("ISTHMUS_SERVICE_HOST", "10.0.0.1"),
            ("ISTHMUS_SERVICE_PORT_KAFKA", "9092"),
            ("ISTHMUS_PORT", "tcp://10.0.0.1:9092"),
            ("ISTHMUS_PORT_9092_TCP_ADDR", "10.0.0.1"),
        ];
        assert_eq!(read_all(&links), []);
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_not_utf8_is_refused() {
        use std::os::unix::ffi::OsStringExt;
        let variables = [(OsString::from("ISTHMUS_DATA"), OsString::from_vec(vec![0xff]))];
        let (_, refusals) = read(&Schema::of_settings(), variables);
        assert_eq!(refusals[0].setting, "ISTHMUS_DATA");
    }
}
