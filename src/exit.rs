//! Exit codes; `docs/operations.md` lists them for whoever writes unit files.

/// What was asked for is done; for a daemon: drained.
pub(crate) const DONE: u8 = 0;
/// A failure while starting, running or draining.
pub(crate) const FAILED: u8 = 1;
/// The command line or the settings were refused. clap uses the same.
pub(crate) const REFUSED: u8 = 2;
/// Another daemon holds the data directory.
pub(crate) const IN_USE: u8 = 3;
/// A second signal ended the process before it was drained: this and the signal's number, as shells have it.
pub(crate) const BY_SIGNAL: u8 = 128;
