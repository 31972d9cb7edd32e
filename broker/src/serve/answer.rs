//! What becomes of a request.

use std::{future::Future, pin::Pin};

use protocol::codec::Chunks;

/// What the connection does when a request is done.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Sends these bytes.
    Reply(Chunks),
    /// Sends nothing: a Produce with `acks=0` that went well.
    Silence,
    /// Closes the connection, for this reason: there is no other way to tell this client.
    Close(CloseReason),
}

/// Why the broker closed a connection; also a metric's label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum CloseReason {
    /// The frame's length is negative or above the limit.
    FrameLength,
    /// The connection ended, or stalled, in the middle of a frame.
    FrameIncomplete,
    /// No request for a long time.
    Idle,
    /// An API key or version that is not served.
    UnsupportedRequest,
    /// A body that is not what its key and version say.
    MalformedRequest,
    /// An error for a Produce with `acks=0`.
    SilentProduceFailed,
    /// The client does not read its answers.
    AnswerNotRead,
    /// The socket failed.
    Socket,
    /// A fault of ours: the answer could not be encoded.
    Internal,
}

impl CloseReason {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FrameLength => "frame_length",
            Self::FrameIncomplete => "frame_incomplete",
            Self::Idle => "idle",
            Self::UnsupportedRequest => "unsupported_request",
            Self::MalformedRequest => "malformed_request",
            Self::SilentProduceFailed => "silent_produce_failed",
            Self::AnswerNotRead => "answer_not_read",
            Self::Socket => "socket",
            Self::Internal => "internal",
        }
    }
}

/// An answer that is there, or one that later requests of the connection need not wait for.
pub(crate) enum Answer {
    Now(Outcome),
    Later(Pin<Box<dyn Future<Output = Outcome> + Send>>),
}
