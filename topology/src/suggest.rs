//! "Did you mean": the known name nearest to one that is not known.

/// A sentence that names the nearest known name if one is near, and else lists what there is.
pub(crate) fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let near = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(clip(unknown), clip(name)), *name))
        .min()
        .filter(|(distance, name)| *distance <= 1 + name.chars().count() / 4);
    match near {
        Some((_, name)) => format!("did you mean `{name}`?"),
        None if known.is_empty() => "none is declared".to_owned(),
        None => format!("known: {}", listed(&known)),
    }
}

/// The distance takes quadratic time; no known name is longer than this.
fn clip(name: &str) -> &str {
    name.char_indices().nth(300).and_then(|(end, _)| name.get(..end)).unwrap_or(name)
}

const LISTED_MAX: usize = 12;

fn listed(known: &[&str]) -> String {
    let mut text: Vec<String> = known.iter().take(LISTED_MAX).map(|name| format!("`{name}`")).collect();
    if known.len() > LISTED_MAX {
        text.push("...".to_owned());
    }
    text.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised() {
        assert_eq!(nearest("eu-wset", ["us-east", "eu-west"]), "did you mean `eu-west`?");
        assert_eq!(nearest("form", ["from", "to"]), "did you mean `from`?");
    }

    #[test]
    fn a_far_name_gets_the_list() {
        assert_eq!(nearest("mars", ["us-east", "eu-west"]), "known: `us-east`, `eu-west`");
        assert_eq!(nearest("mars", []), "none is declared");
    }
}
