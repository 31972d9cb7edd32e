//! One client's connection: requests in, answers out, in order.
//!
//! Both directions run in one task. Requests are handled one after the other; only the waiting part of a Produce
//! (for the disk) overlaps with what follows, and any other request waits until those are done, so that it sees their
//! effect.

use std::{net::SocketAddr, pin::pin, sync::Arc};

use tokio::{
    net::{TcpStream, tcp::OwnedReadHalf},
    sync::{Semaphore, mpsc},
};

use super::{
    admission::Admitted,
    answer::{Answer, CloseReason, Outcome},
    drain::Drain,
    frame_reader::{FrameEnd, FrameReader},
    writer::AnswerWriter,
};
use crate::{
    node::Node,
    router::{self, Request},
};

/// Requests of one connection that may wait for the disk, or for their answer to leave, at once.
const PIPELINE_MAX: u32 = 128;

pub(crate) async fn serve(
    socket: TcpStream,
    peer: SocketAddr,
    node: Arc<Node>,
    admitted: Admitted,
    drain: Drain,
) {
    let settings = &node.settings.connections;
    let (read, write) = socket.into_split();
    let mut writer = AnswerWriter::new(write, std::time::Duration::from_millis(settings.response_write_ms));
    let (answers, mut queue) = mpsc::channel(PIPELINE_MAX as usize);
    let requests = Requests {
        frames: FrameReader::new(read, settings.into(), admitted.budget.clone()),
        node: node.clone(),
        peer,
        answers,
        waiting: Arc::new(Semaphore::new(PIPELINE_MAX as usize)),
        drain,
    };

    let mut reading = pin!(requests.run());
    let mut writing = pin!(writer.run(&mut queue));
    let end = tokio::select! {
        read_end = &mut reading => writing.await.and(read_end),
        write_end = &mut writing => write_end,
    };
    if let Err(reason) = end {
        tracing::debug!(%peer, reason = reason.name(), "connection closed");
        node.metrics.closed(reason);
    }
}

/// The reading side.
struct Requests {
    frames: FrameReader<OwnedReadHalf>,
    node: Arc<Node>,
    peer: SocketAddr,
    answers: mpsc::Sender<Answer>,
    /// One permit for each request whose outcome is still to come.
    waiting: Arc<Semaphore>,
    drain: Drain,
}

impl Requests {
    /// Reads until the peer closes, the broker drains, or nothing sensible can follow. Ends the queue of answers.
    async fn run(mut self) -> Result<(), CloseReason> {
        let mut drain = self.drain.clone();
        loop {
            let frame = tokio::select! {
                biased;
                () = drain.started() => return Ok(()),
                frame = self.frames.next() => frame,
            };
            let frame = match frame {
                Ok(frame) => frame,
                Err(FrameEnd::Closed) => return Ok(()),
                Err(FrameEnd::Failed(reason)) => return Err(reason),
            };
            let answer = match Request::read(frame, self.peer) {
                Ok(request) => self.handle(request).await,
                Err(outcome) => Answer::Now(outcome),
            };
            // Nothing that follows a request we close for may take effect.
            let closes = matches!(answer, Answer::Now(Outcome::Close(_)));
            if self.answers.send(answer).await.is_err() || closes {
                return Ok(());
            }
        }
    }

    async fn handle(&mut self, request: Request) -> Answer {
        let permits = if request.may_overlap() { 1 } else { PIPELINE_MAX };
        let permit = self.waiting.clone().acquire_many_owned(permits).await;
        match router::handle(&self.node, request, &self.drain).await {
            Answer::Now(outcome) => Answer::Now(outcome),
            Answer::Later(later) => Answer::Later(Box::pin(async move {
                let outcome = later.await;
                drop(permit);
                outcome
            })),
        }
    }
}
