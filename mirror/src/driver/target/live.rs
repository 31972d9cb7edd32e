//! One connection of a link, at its target.

use std::{sync::Arc, time::Duration};

use quinn::{Connection, ConnectionError};
use tokio::{sync::mpsc, task::JoinSet};

use super::streams::{Credit, read_blocks};
use crate::{
    driver::{
        closing::Ended,
        control::{ControlError, ControlReader, ControlWriter},
        dial::Dialled,
        limits::{CONTROL_END, CONTROL_PRIORITY},
        line::Line,
        metrics::LinkMetrics,
        pool::BufferPool,
    },
    link::{
        block::Block,
        wire::{OwnershipMessage, ToSource, ToTarget},
    },
};

/// Control messages that wait for the core.
const MESSAGES_MAX: usize = 64;
/// Blocks that wait for the core; the credit bounds their bytes.
const BLOCKS_MAX: usize = 64;

pub(super) struct Live {
    pub(super) connection: Connection,
    control: ControlWriter,
    messages: mpsc::Receiver<Result<ToTarget, ControlError>>,
    blocks: mpsc::Receiver<Result<Block, Ended>>,
    credit: Arc<Credit>,
    /// Everything that reads and writes for this connection; ends with it.
    _tasks: JoinSet<()>,
    /// Once the source has said hello.
    pub(super) line: Option<Line>,
    /// When the source must have said something.
    pub(super) hello_due: Option<Duration>,
    /// More is to be said than the stream could take.
    pub(super) more_to_say: bool,
}

/// What a connection brings.
pub(super) enum Inbound {
    Message(ToTarget),
    Block(Block),
    Ended(Ended),
    /// To be said to the source.
    Ownership(OwnershipMessage),
    /// The control stream can take more.
    Room,
}

impl Live {
    pub(super) fn new(
        dialled: Dialled,
        window: u64,
        pool: Arc<BufferPool>,
        metrics: Arc<LinkMetrics>,
        hello_due: Duration,
    ) -> Self {
        let Dialled { connection, writer, reader } = dialled;
        let mut tasks = JoinSet::new();
        let control = ControlWriter::spawn(writer, CONTROL_PRIORITY, &mut tasks);
        let (message, messages) = mpsc::channel(MESSAGES_MAX);
        let mut reader = ControlReader::new(reader);
        tasks.spawn(async move {
            loop {
                let next = reader.next().await;
                let ended = next.is_err();
                if message.send(next).await.is_err() || ended {
                    return;
                }
            }
        });
        let credit = Credit::new(window, metrics);
        let (block, blocks) = mpsc::channel(BLOCKS_MAX);
        tasks.spawn(read_blocks(connection.clone(), Arc::clone(&credit), pool, block));
        Self {
            connection,
            control,
            messages,
            blocks,
            credit,
            _tasks: tasks,
            line: None,
            hello_due: Some(hello_due),
            more_to_say: false,
        }
    }

    /// What comes next. Losing this future loses nothing.
    pub(super) async fn next(&mut self) -> Inbound {
        tokio::select! {
            error = self.connection.closed() => Inbound::Ended(error.into()),
            message = self.messages.recv() => match message {
                Some(Ok(message)) => Inbound::Message(message),
                Some(Err(ControlError::Wire(error))) => Inbound::Ended(error.into()),
                Some(Err(ControlError::Ended)) | None => Inbound::Ended(self.control_ended().await),
            },
            Some(block) = self.blocks.recv() => match block {
                Ok(block) => Inbound::Block(block),
                Err(ended) => Inbound::Ended(ended),
            },
            message = next_on(self.line.as_mut()) => Inbound::Ownership(message),
            () = self.control.room(), if self.more_to_say => Inbound::Room,
        }
    }

    /// What has come already.
    pub(super) fn try_next(&mut self) -> Option<Inbound> {
        if let Ok(block) = self.blocks.try_recv() {
            return Some(match block {
                Ok(block) => Inbound::Block(block),
                Err(ended) => Inbound::Ended(ended),
            });
        }
        match self.messages.try_recv() {
            Ok(Ok(message)) => Some(Inbound::Message(message)),
            Ok(Err(ControlError::Wire(error))) => Some(Inbound::Ended(error.into())),
            Ok(Err(ControlError::Ended)) => Some(Inbound::Ended(Ended::Control)),
            Err(_) => None,
        }
    }

    /// Says what the core has to say. Credit counts from the moment it is said.
    pub(super) fn say(&mut self, mut next: impl FnMut() -> Option<ToSource>) -> Result<(), Ended> {
        let credit = &self.credit;
        let all_said = self.control.fill(|| {
            let message = next();
            if let Some(ToSource::Credit { total_bytes }) = &message {
                credit.grant(*total_bytes);
            }
            message
        })?;
        self.more_to_say = !all_said;
        Ok(())
    }

    /// A peer that goes down closes the connection right after: that reason is the better one.
    async fn control_ended(&self) -> Ended {
        let closed: Result<ConnectionError, _> =
            tokio::time::timeout(CONTROL_END, self.connection.closed()).await;
        closed.map_or(Ended::Control, Ended::Connection)
    }
}

/// What a connection brings next; never anything while there is none.
pub(super) async fn next_of(live: Option<&mut Live>) -> Inbound {
    match live {
        Some(live) => live.next().await,
        None => std::future::pending().await,
    }
}

async fn next_on(line: Option<&mut Line>) -> OwnershipMessage {
    match line {
        Some(line) => line.next().await,
        None => std::future::pending().await,
    }
}
