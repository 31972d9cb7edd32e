//! The links at work: sockets, threads and timers around the cores.
//!
//! Nothing is decided here. A driver waits for the next fact (a stream, a wake-up, a finished read, a deadline), gives it to
//! its core, and carries out what the core wants.

mod backoff;
mod closing;
mod control;
mod credentials;
mod deadline;
mod dial;
mod flows;
mod inquiry;
mod kit;
mod limits;
mod line;
mod metrics;
mod node;
mod path;
mod pool;
mod random;
mod reset_key;
mod route;
mod settings;
mod source;
mod target;
mod thread;
mod transport;
mod units;
mod watches;
mod workers;

pub use self::{
    credentials::{Credentials, CredentialsError, Peer},
    flows::{Landing, LinkRules, TopicRule, UnitViews},
    metrics::{Counter, LinkMetrics},
    node::{LinkSpec, NodeError},
    path::PathView,
    pool::BufferPool,
    random::Random,
    reset_key::ResetKey,
    settings::{Congestion, TransportSettings},
    target::Which,
    transport::{EndpointError, client_config, endpoint, server_config, transport_config},
    units::{FailoverError, UnitsError},
};

pub(crate) use self::{
    line::Lines,
    node::{NodeParts, Resumers, Running, Sessions, SourceLinkView, TargetLinks, run},
    target::{Places, Resumed, TargetView},
    thread::LinkThread,
    units::{HeardEnds, Operator, Tails, Units, UnitsParts},
};
