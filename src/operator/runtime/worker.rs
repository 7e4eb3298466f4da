//! The controller of one kind: takes objects from its queue, a limited number at a time, and puts them back.

use super::context::Context;
use super::error::{Error, chain};
use super::invalid;
use super::kind::{ObjectKey, is_deleting};
use super::managed::Managed;
use super::queue::{Moment, Queue, Work};
use super::requeue::{self, Last};
use super::status::{self, Conditioned as _, READY};
use super::store::Store;
use super::supervisor::Group;
use super::verdict::Outcome;
use super::wake::{Wake, When};
use super::{driver, writer};
use futures::FutureExt as _;
use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::Instrument as _;

/// How long passes may go on after SIGTERM.
pub const LAST_PASSES: Duration = Duration::from_secs(25);

/// How the last passes over an object came to their ends.
#[derive(Clone, Copy, Debug)]
struct Streak {
    last: Last,
    length: u32,
}

/// The end of a task.
struct Done {
    key: ObjectKey,
    background: bool,
    end: End,
}

enum End {
    Pass(Streak),
    Check { changed: bool },
}

/// The controller of one kind.
pub struct Worker<K: Managed> {
    ctx: Arc<Context>,
    store: Store<K>,
    wakes: UnboundedReceiver<Wake>,
    queue: Queue<ObjectKey>,
    streaks: HashMap<ObjectKey, Streak>,
    running: Group<Done>,
    background: usize,
    began: Instant,
    /// Objects that were there at the start and have not had a pass yet.
    first_round: HashSet<ObjectKey>,
    first_round_over: watch::Sender<bool>,
}

impl<K: Managed> Worker<K> {
    /// A controller that has not started yet.
    pub fn new(ctx: Arc<Context>, store: Store<K>, wakes: UnboundedReceiver<Wake>) -> Self {
        Self {
            ctx,
            store,
            wakes,
            queue: Queue::default(),
            streaks: HashMap::new(),
            running: Group::default(),
            background: 0,
            began: Instant::now(),
            first_round: HashSet::new(),
            first_round_over: watch::Sender::new(false),
        }
    }

    /// Tells when every object that was there at the start has had a pass.
    pub fn first_round(&self) -> watch::Receiver<bool> {
        self.first_round_over.subscribe()
    }

    /// Works until the operator stops; then lets what is under way come to its end.
    pub async fn run(mut self) {
        self.take_stock();
        loop {
            self.fill();
            self.ctx.metrics.queued(K::KIND, self.queue.waiting());
            let pause = self.pause();
            tokio::select! {
                biased;
                () = self.ctx.stopping.cancelled() => break,
                done = self.running.next() => self.finished(done),
                wake = self.wakes.recv() => match wake {
                    Some(wake) => self.woken(wake),
                    None => break,
                },
                () = tokio::time::sleep(pause) => {}
            }
        }
        let deadline = Instant::now() + LAST_PASSES;
        while !self.running.is_empty() {
            if tokio::time::timeout_at(deadline, self.running.next()).await.is_err() {
                tracing::warn!(kind = K::KIND.as_str(), passes = self.running.len(), "passes are cut off");
                break;
            }
        }
    }

    /// Everything there is needs a pass: what was not settled when it was last seen comes first.
    fn take_stock(&mut self) {
        let now = self.now();
        for key in self.store.keys() {
            if self.store.by_key(&key).is_some_and(|object| is_settled(&*object)) {
                self.queue.schedule(&key, now);
            } else {
                self.queue.push(&key);
            }
            self.first_round.insert(key);
        }
        self.first_round_over.send_replace(self.first_round.is_empty());
    }

    fn now(&self) -> Moment {
        self.began.elapsed()
    }

    /// Until something is due; not worth a wake-up where there is no room for it.
    fn pause(&self) -> Duration {
        const LONG: Duration = Duration::from_hours(1);
        if !self.has_room() || !self.has_background_room() {
            return LONG;
        }
        self.queue
            .next_moment()
            .map_or(LONG, |at| at.saturating_sub(self.now()).max(Duration::from_millis(1)))
    }

    fn has_room(&self) -> bool {
        self.running.len() < self.ctx.settings.concurrency
    }

    /// What nobody has just changed takes half of the room at most.
    fn has_background_room(&self) -> bool {
        self.background < self.ctx.settings.concurrency.div_ceil(2)
    }

    fn fill(&mut self) {
        while self.has_room() {
            let fresh = self.queue.waiting() > 0;
            let Some((key, work)) = self.queue.next(self.now(), self.has_background_room()) else { return };
            let background = !fresh;
            self.background += usize::from(background);
            self.start(key, work, background);
        }
    }

    fn start(&mut self, key: ObjectKey, work: Work, background: bool) {
        let (ctx, store) = (Arc::clone(&self.ctx), self.store.clone());
        let before = self.streaks.get(&key).copied();
        let span = tracing::info_span!("reconcile", kind = K::KIND.as_str(), object = %key);
        let task = async move {
            let end = match work {
                Work::Pass => End::Pass(pass(&ctx, &store, &key, before).await),
                Work::Check => End::Check { changed: check(&ctx, &store, &key).await },
            };
            Done { key, background, end }
        };
        self.running.spawn(task.instrument(span));
    }

    fn woken(&mut self, Wake { key, when }: Wake) {
        match when {
            When::Now => self.queue.push(&key),
            When::Refresh => self.queue.refresh(&key, self.now()),
        }
    }

    fn finished(&mut self, done: Result<Done, super::supervisor::Crashed>) {
        let Done { key, background, end } = match done {
            Ok(done) => done,
            // Passes and checks catch panics themselves, so nothing is left that could crash.
            Err(error) => return tracing::error!(error = chain(&error), "a task was lost"),
        };
        self.background -= usize::from(background);
        let now = self.now();
        let varied =
            |ctx: &Context| ctx.settings.secret_check_interval.mul_f64(0.8 + 0.4 * ctx.random.unit());
        let next_check = K::CHECKED.then(|| now + varied(&self.ctx));
        match end {
            End::Check { changed } => {
                if changed {
                    self.queue.push(&key);
                }
                self.queue.done(&key, None, next_check);
            }
            End::Pass(streak) => {
                if self.first_round.remove(&key) && self.first_round.is_empty() {
                    self.first_round_over.send_replace(true);
                }
                let pause = self.pause_after(streak);
                if pause.is_some() {
                    self.streaks.insert(key.clone(), streak);
                } else {
                    self.streaks.remove(&key);
                }
                self.queue.done(&key, pause.map(|pause| now + pause), next_check.filter(|_| pause.is_some()));
            }
        }
    }

    fn pause_after(&self, Streak { last, length }: Streak) -> Option<Duration> {
        let pause = requeue::pause(last, length, self.ctx.settings.resync_interval, self.ctx.random.unit())?;
        Some(match last {
            Last::Ended(_) => pause,
            Last::Failed(_) => pause.min(K::LONGEST_RETRY),
        })
    }
}

/// Whether an object was Ready, as its spec is now, when it was last seen.
fn is_settled<K: Managed>(object: &K) -> bool {
    let status = object.status();
    let current = status.is_some_and(|status| {
        status.conditions().is_true(READY) && Some(status.observed_generation()) == object.meta().generation
    });
    current && !is_deleting(object)
}

/// One pass over one object: whatever happens in it, it comes to an end that the queue understands.
async fn pass<K: Managed>(
    ctx: &Context,
    store: &Store<K>,
    key: &ObjectKey,
    before: Option<Streak>,
) -> Streak {
    let began = Instant::now();
    let work = async {
        match (store.by_key(key), store.undecoded(key)) {
            (Some(object), _) => K::reconcile(ctx, object).await,
            (None, Some(invalid)) => invalid::tell::<K>(ctx, key, &invalid).await,
            (None, None) => K::absent(ctx, key).await.map(|()| Outcome::GONE),
        }
    };
    let result = AssertUnwindSafe(work)
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Err(Error::bug("reconcile", key.to_string(), "the pass panicked")));
    let took = began.elapsed();
    match result {
        Ok(outcome) => {
            ctx.metrics.reconciled(K::KIND, outcome.ended, took);
            tracing::debug!(outcome = ?outcome.ended, milliseconds = took.as_millis(), "reconciled");
            follow(before, Last::Ended(outcome))
        }
        Err(error) => {
            let streak = follow(before, Last::Failed(error.class()));
            ctx.metrics.failed(K::KIND, error.class(), took);
            failed(ctx, store, key, &error, streak).await;
            streak
        }
    }
}

fn follow(before: Option<Streak>, last: Last) -> Streak {
    let length = match before {
        Some(before) if requeue::same_sort(before.last, last) => before.length.saturating_add(1),
        Some(_) | None => 1,
    };
    Streak { last, length }
}

/// Logs a failure, and tells of it in the object's conditions where that is worth it.
async fn failed<K: Managed>(ctx: &Context, store: &Store<K>, key: &ObjectKey, error: &Error, streak: Streak) {
    let class = error.class();
    if !requeue::is_worth_telling(class, streak.length) {
        tracing::debug!(class = class.as_str(), error = chain(error), "a pass failed");
        return;
    }
    tracing::warn!(class = class.as_str(), error = chain(error), "a pass failed");
    let (Some(verdict), Some(cached)) = (error.verdict(), store.by_key(key)) else { return };
    let told = tell_failure(ctx, &*cached, verdict.clone()).await;
    // The pass itself may have written to the object since it was cached.
    if told.as_ref().is_err_and(|error| error.class() == super::error::Class::Conflict)
        && let Ok(Some(newest)) =
            K::api(ctx.reader.clone(), key.namespace.as_deref()).get_opt(&key.name).await
        && let Err(error) = tell_failure(ctx, &newest, verdict).await
    {
        tracing::debug!(error = chain(&error), "failed to tell of a failure");
    }
}

async fn tell_failure<K: Managed>(ctx: &Context, object: &K, verdict: super::Verdict) -> Result<(), Error> {
    let before = driver::previous(object);
    let generation = object.meta().generation.unwrap_or_default();
    let now = (ctx.now)();
    let Some(after) = status::after_failure(&before, verdict, is_deleting(object), generation, now) else {
        return Ok(());
    };
    writer::write_status(ctx, object, &after).await?;
    ctx.metrics.status_written(K::KIND);
    ctx.events.tell(ctx, object, &before, &after);
    Ok(())
}

/// A cheap look at one object: whether it needs a pass.
async fn check<K: Managed>(ctx: &Context, store: &Store<K>, key: &ObjectKey) -> bool {
    let Some(object) = store.by_key(key) else { return false };
    match AssertUnwindSafe(object.check(ctx)).catch_unwind().await {
        Ok(Ok(changed)) => changed,
        Ok(Err(error)) => {
            tracing::debug!(error = chain(&error), "a check failed");
            false
        }
        Err(_) => {
            tracing::error!("a check panicked");
            false
        }
    }
}
