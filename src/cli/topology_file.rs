//! The topology file as a command names it: read, checked, or told why not.

use std::{fs, path::Path};

use topology::{Loaded, Report};

use super::Answer;
use crate::exit;

/// A valid topology; the answer otherwise.
pub(super) fn load(file: &Path) -> Result<Loaded, Answer> {
    check(file)?.map_err(|report| Answer { out: String::new(), err: report.to_string(), code: exit::FAILED })
}

/// What the checks say of a file that can be read.
pub(super) fn check(file: &Path) -> Result<Result<Loaded, Report>, Answer> {
    let name = file.display().to_string();
    match fs::read_to_string(file) {
        Ok(text) => Ok(topology::load(&name, &text)),
        Err(error) => Err(Answer::refused(format!(
            "cannot read {name}: {error}; give the path of a topology file that this user can read"
        ))),
    }
}
