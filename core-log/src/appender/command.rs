//! What the appender is asked for.

use std::{io, sync::Arc};

use tokio::sync::oneshot;

use protocol::Offset;

use crate::{Ack, Append, ChangeError, CleanReport, append::Outcome, log::Log};

type Answer<T> = oneshot::Sender<Result<T, ChangeError>>;

pub(crate) enum Command {
    Append { appends: Vec<Append>, ack: Ack, answer: oneshot::Sender<Vec<Outcome>> },
    Truncate { log: Arc<Log>, offset: Offset, answer: Answer<Offset> },
    AdvanceStart { log: Arc<Log>, offset: Offset, answer: Answer<Offset> },
    Clean { log: Arc<Log>, answer: Answer<CleanReport> },
    Remove { log: Arc<Log>, answer: oneshot::Sender<io::Result<()>> },
    Checkpoint { answer: Option<Answer<()>> },
    Close { logs: Vec<Arc<Log>>, answer: Answer<()> },
}
