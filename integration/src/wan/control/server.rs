//! The emulator's end: a thread that answers one request after the other.

use std::{
    io::{self, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{
    super::{error::HostError, links::Links, report::Report, stop::Stop},
    Answer, REQUEST_BYTES_MAX, Request, read_line, to_line,
};

/// How long one who has connected and says nothing keeps the others waiting.
const PATIENCE: Duration = Duration::from_secs(2);

/// Ends when it is dropped.
pub(crate) struct Server {
    path: PathBuf,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// `blank` is a report without directions; `stop` is told when someone asks for the end.
    pub(crate) fn start(
        path: &Path,
        links: Arc<Links>,
        blank: Report,
        stop: Stop,
    ) -> Result<Self, HostError> {
        let failed = |error: io::Error| HostError::new(path.display().to_string(), error);
        // Left by one that was killed: the layout's lock says that nobody listens on it.
        if path.exists() {
            std::fs::remove_file(path).map_err(failed)?;
        }
        let listener = UnixListener::bind(path).map_err(failed)?;
        let over = Arc::new(AtomicBool::new(false));
        let work = Work { links, blank, stop, over: Arc::clone(&over) };
        let thread = thread::Builder::new().name("wan-control".to_owned());
        let thread = thread.spawn(move || work.serve(&listener)).map_err(failed)?;
        Ok(Self { path: path.to_owned(), over, thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // Wakes it; that it is over it sees first.
        let connected = UnixStream::connect(&self.path);
        if let Some(thread) = self.thread.take()
            && connected.is_ok()
        {
            let _ = thread.join();
        }
    }
}

struct Work {
    links: Arc<Links>,
    blank: Report,
    stop: Stop,
    over: Arc<AtomicBool>,
}

impl Work {
    fn serve(&self, listener: &UnixListener) {
        for stream in listener.incoming() {
            if self.over.load(Ordering::SeqCst) {
                return;
            }
            // One whose connection fails has no answer to wait for.
            let _ = stream.and_then(|stream| self.converse(&stream));
        }
    }

    fn converse(&self, mut stream: &UnixStream) -> io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let line = read_line(stream, REQUEST_BYTES_MAX)?;
        let answer = match serde_json::from_str(&line) {
            Ok(request) => self.answer(request),
            Err(error) => Answer::Refused(format!("this is no request: {error}")),
        };
        stream.write_all(to_line(&answer).as_bytes())
    }

    fn answer(&self, request: Request) -> Answer {
        match request {
            Request::Set { from, to, change } => match self.links.change(&from, &to, &change) {
                Ok(impairments) => Answer::Set(impairments),
                Err(error) => Answer::Refused(error.to_string()),
            },
            Request::Show => Answer::Report(Report { directions: self.links.report(), ..self.blank.clone() }),
            Request::Stop => {
                self.stop.ask();
                Answer::Stopping
            }
        }
    }
}
