//! The other end: a layout that another process holds.

use std::{
    io::{self, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    super::{
        error::{HostError, LayoutError},
        host::state,
        impairments::{Change, Impairments},
        plan::Name,
        report::Report,
    },
    ANSWER_BYTES_MAX, Answer, Request, read_line, to_line,
};

/// Longer than a server is kept from answering by one who says nothing.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Clone, Debug)]
pub struct Client {
    name: Name,
    socket: PathBuf,
}

impl Client {
    /// Of a layout by its name, whose state is under this root.
    pub fn new(root: &Path, name: &Name) -> Self {
        Self { name: name.clone(), socket: state::control_socket(root, name) }
    }

    /// Changes what happens to what `from` sends to `to`; the settings after it.
    ///
    /// # Errors
    ///
    /// If the layout is not up, has no such link, or takes no such value.
    pub fn set(&self, from: &str, to: &str, change: &Change) -> Result<Impairments, LayoutError> {
        let change = Box::new(change.clone());
        let request = Request::Set { from: from.to_owned(), to: to.to_owned(), change };
        match self.ask(&request)? {
            Answer::Set(impairments) => Ok(impairments),
            answer => Err(unexpected(answer)),
        }
    }

    /// # Errors
    ///
    /// If the layout is not up.
    pub fn report(&self) -> Result<Report, LayoutError> {
        match self.ask(&Request::Show)? {
            Answer::Report(report) => Ok(report),
            answer => Err(unexpected(answer)),
        }
    }

    /// Asks the emulator to end.
    pub(crate) fn stop(&self) -> Result<(), LayoutError> {
        match self.ask(&Request::Stop)? {
            Answer::Stopping => Ok(()),
            answer => Err(unexpected(answer)),
        }
    }

    fn ask(&self, request: &Request) -> Result<Answer, LayoutError> {
        let failed = |error: io::Error| HostError::new(self.socket.display().to_string(), error);
        let mut stream = UnixStream::connect(&self.socket).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                LayoutError::NotUp { name: self.name.clone(), path: self.socket.clone() }
            }
            _ => failed(error).into(),
        })?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
        stream.write_all(to_line(request).as_bytes()).map_err(failed)?;
        let line = read_line(&stream, ANSWER_BYTES_MAX).map_err(failed)?;
        Ok(serde_json::from_str(&line).map_err(|error| failed(error.into()))?)
    }
}

fn unexpected(answer: Answer) -> LayoutError {
    match answer {
        Answer::Refused(why) => LayoutError::Refused(why),
        answer => LayoutError::Refused(format!("something else: {answer:?}")),
    }
}
