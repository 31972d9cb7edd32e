//! The real binary, as an operator meets it: commands that answer and end, and the daemon as a process.

mod certs;
mod command;
mod daemon;
mod demo;
mod lifecycle;
mod operations;
mod placement;
mod settings;
mod topology;
