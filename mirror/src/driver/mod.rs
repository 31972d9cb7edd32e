//! The links at work: sockets, threads and timers around the cores.
//!
//! Nothing is decided here. A driver waits for the next fact (a stream, a wake-up, a finished read, a deadline), gives it to
//! its core, and carries out what the core wants.

mod backoff;
mod credentials;
mod limits;
mod pool;
mod settings;
mod thread;
mod transport;
mod workers;

pub use self::{
    credentials::{Credentials, CredentialsError, Peer},
    pool::BufferPool,
    settings::{Congestion, TransportSettings},
    transport::{EndpointError, client_config, endpoint, transport_config},
};
