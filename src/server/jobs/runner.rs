//! Takes up the jobs that are due, a few at a time, and takes each through its steps.

use super::{Counters, Fault, Step, copying, emptying};
use crate::server::domain::jobs::life::{self, Outcome};
use crate::server::store::columns::to_millis;
use crate::server::store::{Store, StoreError, audit, jobs, users};
use crate::wire::{JobItem, JobKind, JobState};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

/// Most jobs at work at a time.
const AT_A_TIME: usize = 4;
/// The longest time without a look at what is due: a clock that was set is noticed within it.
const LOOK: Duration = Duration::from_mins(1);
/// The pause after a look that failed.
const PAUSE: Duration = Duration::from_secs(1);

/// The runner. Clones share the store, the bell and the counters.
#[derive(Clone)]
pub struct Runner {
    store: Store,
    bell: Arc<Notify>,
    counters: Counters,
}

impl Runner {
    /// A runner over a store. `bell` is rung when there is something new to do.
    pub fn new(store: Store, bell: Arc<Notify>, counters: Counters) -> Self {
        Self { store, bell, counters }
    }

    /// Runs jobs until told to stop; then the steps that are under way are finished. A runner that panics is replaced.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            let running = tokio::spawn(self.clone().take_up(stop.clone())).await;
            match running {
                Ok(()) => return,
                Err(error) => tracing::error!(%error, "the runner of jobs failed; another one begins"),
            }
            if stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_none() {
                return;
            }
        }
    }

    async fn take_up(self, stop: CancellationToken) {
        let mut tasks = JoinSet::new();
        let mut at_work: HashMap<Id, String> = HashMap::new();
        while !stop.is_cancelled() {
            let wait = match self.due().await {
                Ok((due, next)) => {
                    for id in due {
                        if tasks.len() < AT_A_TIME && !at_work.values().any(|other| *other == id) {
                            let task = tasks.spawn(self.clone().work(id.clone(), stop.clone()));
                            at_work.insert(task.id(), id);
                        }
                    }
                    next
                }
                Err(error) => {
                    tracing::warn!(%error, "failed to look for jobs");
                    PAUSE
                }
            };
            self.counters.running.set(i64::try_from(at_work.len()).unwrap_or(i64::MAX));
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.bell.notified() => {}
                () = tokio::time::sleep(wait) => {}
                Some(ended) = tasks.join_next_with_id() => self.ended(&mut at_work, ended).await,
            }
        }
        while let Some(ended) = tasks.join_next_with_id().await {
            self.ended(&mut at_work, ended).await;
        }
        self.counters.running.set(0);
    }

    /// What is due, and how long until the next look.
    async fn due(&self) -> Result<(Vec<String>, Duration), StoreError> {
        let now = now();
        self.store
            .read(move |connection| {
                let due = jobs::due(connection, now)?;
                let next = jobs::next_due(connection, now)?;
                let wait = next.and_then(|next| Duration::try_from(next.duration_since(now)).ok());
                Ok((due, wait.map_or(LOOK, |wait| wait.min(LOOK))))
            })
            .await
    }

    /// A job whose task panicked has failed like any other.
    async fn ended(&self, at_work: &mut HashMap<Id, String>, ended: Result<(Id, ()), JoinError>) {
        match ended {
            Ok((task, ())) => {
                at_work.remove(&task);
            }
            Err(error) => {
                if let Some(job) = at_work.remove(&error.id()) {
                    tracing::error!(job, "a step of a job panicked");
                    self.end(job, Outcome::Failed("the server failed".to_owned())).await;
                }
            }
        }
    }

    /// Takes one job through its steps.
    async fn work(self, id: String, stop: CancellationToken) {
        let kind = match self.begin(id.clone()).await {
            Ok(kind) => kind,
            Err(fault) => return self.fault(id, fault).await,
        };
        while !stop.is_cancelled() {
            let time = now().as_millisecond();
            let made = match kind {
                JobKind::Backup | JobKind::Restore => copying::step(&self.store, &id, time).await,
                JobKind::EmptyBucket => emptying::step(&self.store, &id, time).await,
            };
            let (next, versions, bytes) = match made {
                Ok(made) => made,
                Err(fault) => return self.fault(id, fault).await,
            };
            self.counters.step(kind, versions, bytes);
            match next {
                Step::More => {}
                Step::Done => return self.end(id, Outcome::Done).await,
                Step::HeldUp(hold_up) => return self.end(id, Outcome::HeldUp(hold_up)).await,
            }
        }
    }

    /// The job at work. Whether its owner has the right to it is asked with every step, the first one included.
    async fn begin(&self, id: String) -> Result<JobKind, Fault> {
        let now = now();
        self.store
            .write(move |connection| {
                let job = jobs::get(connection, &id)?.filter(|job| life::due(job, now)).ok_or(Fault::Gone)?;
                let job = life::begin(job, now);
                jobs::update(connection, &job)?;
                Ok(job.kind)
            })
            .await
    }

    async fn fault(&self, id: String, fault: Fault) {
        match fault {
            Fault::Gone | Fault::Store(StoreError::Closed) => {}
            Fault::Refused(message) => self.end(id, Outcome::Refused(message)).await,
            Fault::Store(error) => {
                tracing::warn!(job = id, %error, "a step of a job failed");
                self.end(id, Outcome::Failed(error.to_string())).await;
                // Where that could not be written down the job is still due: not at once again.
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Writes down how a run or a try ended. Where even that fails the job stays at work and due, and is taken up again.
    async fn end(&self, id: String, outcome: Outcome) {
        let word = match &outcome {
            Outcome::Done => "succeeded",
            Outcome::Refused(_) => "failed",
            Outcome::Failed(_) => "tryFailed",
            Outcome::HeldUp(_) => "heldUp",
        };
        let now = now();
        let ending = id.clone();
        let written = self.store.write(move |connection| end(connection, &ending, outcome, word, now)).await;
        match written {
            Ok(Some(job)) => {
                self.counters.end(job.kind, word);
                tracing::info!(job = id, kind = ?job.kind, outcome = word, versions = job.progress.versions, "job");
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(job = id, %error, "failed to write down how a job ended"),
        }
    }
}

fn end(
    connection: &rusqlite::Connection,
    id: &str,
    outcome: Outcome,
    word: &str,
    now: Timestamp,
) -> Result<Option<JobItem>, StoreError> {
    let Some(job) = jobs::get(connection, id)?.filter(|job| job.state == JobState::Running) else {
        return Ok(None);
    };
    let Some(owner) = users::get(connection, &job.user_id)? else { return Ok(None) };
    let job = life::end(job, outcome, &owner.time_zone, now);
    jobs::update(connection, &job)?;
    if matches!(job.state, JobState::Succeeded | JobState::Failed) {
        let entry = audit::Entry {
            time: now,
            principal: &job.user_id,
            tenant: &owner.tenant_id,
            action: "job.end",
            target: &job.id,
            outcome: word,
            request_id: "",
        };
        audit::append(connection, &entry)?;
    }
    Ok(Some(job))
}

fn now() -> Timestamp {
    to_millis(crate::clock::now())
}
