//! What is wrong with a file, where, and what to do about it.
//!
//! 1. All problems of a file are reported, not only the first, in the order of the file.
//! 2. Every problem has a position, a stable rule name (`docs/topology.md` lists them) and a fix.
//! 3. An error means that no daemon starts from the file. A warning means that it would run, but that something the file asks for
//!    cannot work when it is needed.

use std::fmt;

use serde::Serialize;

use crate::limits::PROBLEMS_MAX;
use crate::located::Position;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub severity: Severity,
    /// Stable name of the rule that was broken.
    pub rule: &'static str,
    #[serde(flatten)]
    pub position: Position,
    pub message: String,
    pub fix: String,
}

/// Everything that was found in one file, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    pub file: String,
    pub problems: Vec<Problem>,
    /// Problems beyond the first hundred: counted, not kept.
    pub more: usize,
}

/// The problems found so far.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    found: Vec<Problem>,
    more: usize,
    more_errors: bool,
}

impl Problems {
    pub(crate) fn error(
        &mut self,
        rule: &'static str,
        position: Position,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.push(Severity::Error, rule, position, message.into(), fix.into());
    }

    pub(crate) fn warning(
        &mut self,
        rule: &'static str,
        position: Position,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.push(Severity::Warning, rule, position, message.into(), fix.into());
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.more_errors || self.found.iter().any(|problem| problem.severity == Severity::Error)
    }

    pub(crate) fn into_report(mut self, file: &str) -> Report {
        self.found.sort_by_key(|problem| problem.position);
        Report { file: file.to_owned(), problems: self.found, more: self.more }
    }

    fn push(
        &mut self,
        severity: Severity,
        rule: &'static str,
        position: Position,
        message: String,
        fix: String,
    ) {
        if self.found.len() < PROBLEMS_MAX {
            self.found.push(Problem { severity, rule, position, message, fix });
        } else {
            self.more += 1;
            self.more_errors |= severity == Severity::Error;
        }
    }
}

impl Report {
    pub fn errors(&self) -> usize {
        self.count(Severity::Error)
    }

    pub fn warnings(&self) -> usize {
        self.count(Severity::Warning)
    }

    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "file": self.file,
            "errors": self.errors(),
            "warnings": self.warnings(),
            "more": self.more,
            "problems": self.problems,
        })
    }

    fn count(&self, severity: Severity) -> usize {
        self.problems.iter().filter(|problem| problem.severity == severity).count()
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// One problem in two lines, in the form that editors and terminals make a link of: `FILE:LINE:COLUMN: error[rule]: ...`.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            let Problem { severity, rule, position, message, fix } = problem;
            writeln!(f, "{}:{position}: {severity}[{rule}]: {message}", self.file)?;
            writeln!(f, "    fix: {fix}")?;
        }
        if self.more > 0 {
            writeln!(f, "{}: and {} more problems", self.file, self.more)?;
        }
        Ok(())
    }
}

impl std::error::Error for Report {}
