//! Asking a running session what it looks like, without sharing its state.

use tokio::sync::{mpsc, oneshot};

/// Questions that wait for the session.
const QUESTIONS: usize = 8;

/// The asking end; cheap to clone.
pub(crate) struct Inquirer<T> {
    questions: mpsc::Sender<oneshot::Sender<T>>,
}

impl<T> Clone for Inquirer<T> {
    fn clone(&self) -> Self {
        Self { questions: self.questions.clone() }
    }
}

/// The session's end.
pub(crate) struct Inquiries<T> {
    questions: mpsc::Receiver<oneshot::Sender<T>>,
}

pub(crate) fn inquiry<T>() -> (Inquirer<T>, Inquiries<T>) {
    let (sender, questions) = mpsc::channel(QUESTIONS);
    (Inquirer { questions: sender }, Inquiries { questions })
}

impl<T> Inquirer<T> {
    /// `None`: the session has ended.
    pub(crate) async fn ask(&self) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        self.questions.send(answer).await.ok()?;
        answered.await.ok()
    }
}

impl<T> Inquiries<T> {
    /// The next question; never, once nobody can ask.
    pub(crate) async fn next(&mut self) -> oneshot::Sender<T> {
        match self.questions.recv().await {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }
}
