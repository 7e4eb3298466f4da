//! The only place that starts tasks, so that none runs unseen: every task has a name, and somebody waits for it.

use std::future::Future;
use tokio::task::JoinSet;

/// Tasks of one owner. Dropping it aborts what still runs.
pub struct Group<T> {
    tasks: JoinSet<T>,
}

/// A task that did not end by itself. What it panicked with is not kept: it may quote anything.
#[derive(Debug, thiserror::Error)]
#[error("a task panicked or was aborted")]
pub struct Crashed;

impl<T: Send + 'static> Default for Group<T> {
    fn default() -> Self {
        Self { tasks: JoinSet::new() }
    }
}

impl<T: Send + 'static> Group<T> {
    /// Starts a task.
    pub fn spawn(&mut self, task: impl Future<Output = T> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// How many tasks run, or have ended and were not asked for.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Waits for the next task to end; for ever where there is none.
    pub async fn next(&mut self) -> Result<T, Crashed> {
        match self.tasks.join_next().await {
            Some(result) => result.map_err(|_| Crashed),
            None => std::future::pending().await,
        }
    }
}

/// Starts a task that nobody waits for and whose loss does no harm, such as the telling of an event.
#[allow(clippy::disallowed_methods, reason = "this is the supervisor")]
pub fn detach(task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(task);
}
