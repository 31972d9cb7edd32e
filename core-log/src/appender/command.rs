//! What the appender is asked for.

use std::{io, sync::Arc};

use tokio::sync::oneshot;

use protocol::{Offset, ProducerId};

use crate::{Ack, Append, ChangeError, CleanReport, Intake, LogEnds, append::Outcome, log::Log};

type Answer<T> = oneshot::Sender<Result<T, ChangeError>>;

pub(crate) enum Command {
    Append {
        appends: Vec<Append>,
        ack: Ack,
        answer: oneshot::Sender<Vec<Outcome>>,
    },
    Truncate {
        log: Arc<Log>,
        offset: Offset,
        answer: Answer<Offset>,
    },
    AdvanceStart {
        log: Arc<Log>,
        offset: Offset,
        answer: Answer<Offset>,
    },
    SetIntake {
        log: Arc<Log>,
        intake: Intake,
        answer: Answer<LogEnds>,
    },
    ForgetProducers {
        log: Arc<Log>,
        answer: Answer<Option<ProducerId>>,
    },
    StartAt {
        log: Arc<Log>,
        offset: Offset,
        answer: Answer<LogEnds>,
    },
    Clean {
        log: Arc<Log>,
        answer: Answer<CleanReport>,
    },
    Remove {
        log: Arc<Log>,
        answer: oneshot::Sender<io::Result<()>>,
    },
    Checkpoint {
        answer: Option<Answer<()>>,
    },
    /// A job of the flusher is done.
    Flushed,
    Close {
        logs: Vec<Arc<Log>>,
        answer: Answer<()>,
    },
}
