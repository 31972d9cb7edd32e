//! What a command that does one thing says, and the exit code it ends with.

use std::io::{self, ErrorKind, Write};

use crate::exit;

/// Results go to standard output; problems, with what to do about them, to standard error.
#[must_use]
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) code: u8,
}

impl Answer {
    pub(crate) fn done(out: impl Into<String>) -> Self {
        Self { out: out.into(), err: String::new(), code: exit::DONE }
    }

    /// What was asked for did not come about, or what was looked at is not in order.
    pub(crate) fn failed(problem: impl std::fmt::Display) -> Self {
        Self { out: String::new(), err: line(&problem.to_string()), code: exit::FAILED }
    }

    /// The command line names something that is not there.
    pub(crate) fn refused(problem: impl std::fmt::Display) -> Self {
        Self { code: exit::REFUSED, ..Self::failed(problem) }
    }

    pub(crate) fn json(value: &serde_json::Value) -> Self {
        Self::done(format!("{value:#}\n"))
    }

    pub(crate) fn with_code(self, code: u8) -> Self {
        Self { code, ..self }
    }

    pub(crate) fn with_err(self, err: impl Into<String>) -> Self {
        Self { err: err.into(), ..self }
    }

    /// Says it, and answers with the exit code.
    pub(crate) fn print(self) -> u8 {
        match self.write() {
            Ok(()) => self.code,
            // Whoever closed the pipe has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => self.code,
            Err(error) => {
                eprintln!("isthmus: cannot write the answer: {error}");
                exit::FAILED
            }
        }
    }

    fn write(&self) -> io::Result<()> {
        io::stderr().lock().write_all(self.err.as_bytes())?;
        let mut out = io::stdout().lock();
        out.write_all(self.out.as_bytes())?;
        out.flush()
    }
}

fn line(problem: &str) -> String {
    format!("isthmus: {}\n", problem.trim_end())
}
