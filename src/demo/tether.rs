//! Ties a daemon to the process that started it: its standard input is a pipe whose other end only the demo holds, so
//! its end is the demo's end, however that came about. The daemon then drains as on a signal.

use std::{
    io::{self, Read},
    thread,
};

use rustix::process::{Signal, getpid, kill_process};

/// Reads standard input to its end on a thread of its own, then asks this process to stop.
pub(crate) fn end_with_parent() -> io::Result<()> {
    let watch = || {
        let mut given = [0; 64];
        loop {
            match io::stdin().lock().read(&mut given) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        // Nobody has to give permission to signal oneself.
        let _ = kill_process(getpid(), Signal::TERM);
    };
    thread::Builder::new().name("parent".to_owned()).spawn(watch).map(drop)
}
