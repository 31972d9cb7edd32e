//! Sends answers in order, as few system calls as they allow.

use std::{collections::VecDeque, io::IoSlice, time::Duration};

use bytes::{Buf, Bytes};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    sync::mpsc,
    time::timeout,
};

use super::answer::{Answer, CloseReason, Outcome};

/// Pieces handed to one vectored write.
const SLICES_MAX: usize = 64;
/// Answers are gathered up to this much before they are sent.
const GATHER_BYTES: usize = 256 << 10;

pub(crate) struct AnswerWriter<W> {
    socket: W,
    unsent: VecDeque<Bytes>,
    unsent_bytes: usize,
    within: Duration,
}

impl<W: AsyncWrite + Unpin> AnswerWriter<W> {
    pub(crate) fn new(socket: W, within: Duration) -> Self {
        Self { socket, unsent: VecDeque::new(), unsent_bytes: 0, within }
    }

    /// Sends every answer of the queue, in order, until the queue ends or something ends the connection.
    pub(crate) async fn run(&mut self, queue: &mut mpsc::Receiver<Answer>) -> Result<(), CloseReason> {
        while let Some(answer) = self.next_answer(queue).await? {
            match self.outcome(answer).await? {
                Outcome::Reply(chunks) => self.gather(chunks),
                Outcome::Silence => {}
                Outcome::Close(reason) => {
                    self.flush().await?;
                    return Err(reason);
                }
            }
            if self.unsent_bytes >= GATHER_BYTES {
                self.flush().await?;
            }
        }
        Ok(())
    }

    /// The next answer; what was gathered leaves before this waits.
    async fn next_answer(
        &mut self,
        queue: &mut mpsc::Receiver<Answer>,
    ) -> Result<Option<Answer>, CloseReason> {
        if let Ok(answer) = queue.try_recv() {
            return Ok(Some(answer));
        }
        self.flush().await?;
        Ok(queue.recv().await)
    }

    /// Like [`Self::next_answer`]: flushes only when the outcome is not there yet.
    async fn outcome(&mut self, answer: Answer) -> Result<Outcome, CloseReason> {
        let mut later = match answer {
            Answer::Now(outcome) => return Ok(outcome),
            Answer::Later(later) => later,
        };
        if self.unsent.is_empty() {
            return Ok(later.await);
        }
        tokio::select! {
            biased;
            outcome = &mut later => Ok(outcome),
            () = std::future::ready(()) => {
                self.flush().await?;
                Ok(later.await)
            }
        }
    }

    fn gather(&mut self, chunks: Vec<Bytes>) {
        for chunk in chunks.into_iter().filter(|chunk| !chunk.is_empty()) {
            self.unsent_bytes += chunk.len();
            self.unsent.push_back(chunk);
        }
    }

    async fn flush(&mut self) -> Result<(), CloseReason> {
        while !self.unsent.is_empty() {
            let slices: Vec<IoSlice<'_>> =
                self.unsent.iter().take(SLICES_MAX).map(|chunk| IoSlice::new(chunk)).collect();
            match timeout(self.within, self.socket.write_vectored(&slices)).await {
                Err(_) => return Err(CloseReason::AnswerNotRead),
                Ok(Ok(0)) => return Err(CloseReason::Socket),
                Ok(Ok(written)) => self.sent(written),
                Ok(Err(error)) => {
                    tracing::debug!(%error, "writing to a client failed");
                    return Err(CloseReason::Socket);
                }
            }
        }
        Ok(())
    }

    fn sent(&mut self, mut written: usize) {
        self.unsent_bytes = self.unsent_bytes.saturating_sub(written);
        while let Some(first) = self.unsent.front_mut() {
            if written < first.len() {
                return first.advance(written);
            }
            written -= first.len();
            self.unsent.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, duplex};

    use super::*;

    fn reply(bytes: &'static [u8]) -> Outcome {
        Outcome::Reply(vec![Bytes::from_static(bytes)])
    }

    #[tokio::test]
    async fn answers_leave_in_the_order_of_their_requests() {
        let (mut client, server) = duplex(1 << 10);
        let (answers, mut queue) = mpsc::channel(8);
        let (done, waiting) = tokio::sync::oneshot::channel();
        let slow = async move { waiting.await.unwrap() };
        answers.send(Answer::Now(reply(b"a"))).await.unwrap();
        answers.send(Answer::Later(Box::pin(slow))).await.unwrap();
        answers.send(Answer::Now(Outcome::Silence)).await.unwrap();
        answers.send(Answer::Now(reply(b"c"))).await.unwrap();
        drop(answers);
        let writing = tokio::spawn(async move {
            let mut writer = AnswerWriter::new(server, Duration::from_secs(5));
            writer.run(&mut queue).await
        });
        let mut first = [0; 1];
        client.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"a", "what is there does not wait for what is not");
        done.send(reply(b"b")).unwrap();
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"bc");
        assert_eq!(writing.await.unwrap(), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_is_let_go() {
        let (_client, server) = duplex(16);
        let (answers, mut queue) = mpsc::channel(1);
        answers.send(Answer::Now(reply(&[0; 64]))).await.unwrap();
        let mut writer = AnswerWriter::new(server, Duration::from_secs(5));
        assert_eq!(writer.run(&mut queue).await, Err(CloseReason::AnswerNotRead));
    }

    #[tokio::test]
    async fn a_closing_outcome_sends_what_came_before_it() {
        let (mut client, server) = duplex(1 << 10);
        let (answers, mut queue) = mpsc::channel(8);
        answers.send(Answer::Now(reply(b"last"))).await.unwrap();
        answers.send(Answer::Now(Outcome::Close(CloseReason::MalformedRequest))).await.unwrap();
        let mut writer = AnswerWriter::new(server, Duration::from_secs(5));
        assert_eq!(writer.run(&mut queue).await, Err(CloseReason::MalformedRequest));
        drop(writer);
        let mut read = Vec::new();
        client.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, b"last");
    }
}
