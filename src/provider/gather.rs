//! Many who ask for the same at the same time are given one answer.
//!
//! What an answer shows must be no older than the question. So whoever asks while an answer is under way does not join it,
//! but the next one, which begins later.

use super::Error;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::Mutex as Turn;

/// Questions that wait, and the turns of those that are asked. One is under way at a time.
pub struct Gather<Q, A> {
    /// Those who ask now, for the next answer.
    gathering: Mutex<Arc<Batch<Q, A>>>,
    turn: Turn<()>,
}

struct Batch<Q, A> {
    questions: Mutex<Vec<Q>>,
    answer: OnceLock<Result<Arc<A>, Error>>,
}

impl<Q, A> Default for Batch<Q, A> {
    fn default() -> Self {
        Self { questions: Mutex::default(), answer: OnceLock::new() }
    }
}

impl<Q, A> Default for Gather<Q, A> {
    fn default() -> Self {
        Self { gathering: Mutex::default(), turn: Turn::default() }
    }
}

impl<Q: Clone, A> Gather<Q, A> {
    /// An answer to this question and to all that were asked meanwhile. `fetch` is called after this was, or not at all.
    pub async fn ask<F>(&self, question: Q, fetch: impl FnOnce(Vec<Q>) -> F) -> Result<Arc<A>, Error>
    where
        F: Future<Output = Result<A, Error>>,
    {
        let mut batch = self.join(question.clone());
        let _turn = self.turn.lock().await;
        if let Some(answer) = batch.answer.get() {
            return answer.clone();
        }
        if !self.close(&batch) {
            // Whoever closed it was dropped before the answer came.
            batch = self.join(question);
            self.close(&batch);
        }
        let questions = std::mem::take(&mut *lock(&batch.questions));
        let answer = fetch(questions).await.map(Arc::new);
        let _ = batch.answer.set(answer.clone());
        answer
    }

    fn join(&self, question: Q) -> Arc<Batch<Q, A>> {
        let gathering = lock(&self.gathering);
        lock(&gathering.questions).push(question);
        Arc::clone(&gathering)
    }

    /// Lets nobody else into the batch. False: somebody did so before.
    fn close(&self, batch: &Arc<Batch<Q, A>>) -> bool {
        let mut gathering = lock(&self.gathering);
        let open = Arc::ptr_eq(&gathering, batch);
        if open {
            *gathering = Arc::default();
        }
        open
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
