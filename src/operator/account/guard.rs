//! Limit, circuit breaker and counting around a provider, as a provider: callers do not see them.

use super::breaker::{Breaker, Heard};
use crate::operator::runtime::metrics::Metrics;
use crate::provider::{
    BucketState, BucketWish, ClusterId, Description, Error, ErrorKind, Inventory, KeyPair, KeyState, KeyWish,
    OwnerMark, Provider, RANDOM_BYTES, TenantState, TenantWish, UserState, UserWish,
};
use async_trait::async_trait;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// How long a call waits for its turn; then it fails as throttled, by definition not executed. Whoever counts how long a
/// request can be in flight adds this to the account's request timeout.
pub const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// When a call that found no turn is worth trying again.
const CROWDED: Duration = Duration::from_secs(1);

/// Called when something about the account itself seems to have changed: its credentials or whether it answers.
pub type Alarm = Arc<dyn Fn() + Send + Sync>;

/// A provider with limit, breaker and counting.
pub struct Guard {
    account: String,
    inner: Box<dyn Provider>,
    turns: Semaphore,
    breaker: Mutex<Breaker>,
    /// Whether the provider refuses the connection: that is told once, until it takes it again.
    refused: AtomicBool,
    /// How long a call waits for its turn.
    wait: Duration,
    timeout: Duration,
    began: Instant,
    metrics: Metrics,
    alarm: Alarm,
    inventory: Inventory,
}

impl Guard {
    /// Guards a provider. `turns` calls are made at one time; none takes longer than `timeout`.
    pub fn new(
        account: &str,
        inner: Box<dyn Provider>,
        turns: usize,
        timeout: Duration,
        metrics: Metrics,
        alarm: Alarm,
    ) -> Self {
        Self {
            account: account.to_owned(),
            inner,
            turns: Semaphore::new(turns),
            breaker: Mutex::default(),
            refused: AtomicBool::new(false),
            wait: LONGEST_WAIT,
            timeout,
            began: Instant::now(),
            metrics,
            alarm,
            inventory: Inventory::default(),
        }
    }

    /// What this connection showed a moment ago.
    pub fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    async fn call<T>(
        &self,
        op: &'static str,
        object: &str,
        call: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        let result = match self.admit().await {
            Ok(turn) => {
                let result = call.await;
                self.note(&result);
                drop(turn);
                result
            }
            Err(kind) => Err(Error { op, object: object.to_owned(), kind }),
        };
        let outcome = result.as_ref().map_or_else(|error| outcome(&error.kind), |_| "ok");
        self.metrics.provider_call(&self.account, op, outcome);
        result
    }

    async fn admit(&self) -> Result<SemaphorePermit<'_>, ErrorKind> {
        let Ok(Ok(turn)) = tokio::time::timeout(self.wait, self.turns.acquire()).await else {
            return Err(ErrorKind::Throttled { after: Some(CROWDED) });
        };
        let admitted = self.with_breaker(|breaker, now| breaker.admit(now, self.timeout));
        if admitted {
            Ok(turn)
        } else {
            Err(ErrorKind::Unreachable("it has not answered lately; it is tried again soon".to_owned()))
        }
    }

    fn note<T>(&self, result: &Result<T, Error>) {
        let heard = match result {
            Err(Error { kind: ErrorKind::Unreachable(_) | ErrorKind::NoAnswer(_), .. }) => Heard::Silence,
            Ok(_) | Err(_) => Heard::Answer,
        };
        let (before, after) = self.with_breaker(|breaker, now| {
            let before = breaker.is_open();
            breaker.note(now, heard);
            (before, breaker.is_open())
        });
        // Who is alarmed asks again: were every refusal an alarm, that would go on and on.
        let newly_refused = match result {
            Err(Error { kind: ErrorKind::Unauthenticated | ErrorKind::Untrusted(_), .. }) => {
                !self.refused.swap(true, Ordering::Relaxed)
            }
            Ok(_) => {
                self.refused.store(false, Ordering::Relaxed);
                false
            }
            Err(_) => false,
        };
        if before != after {
            self.metrics.circuit(&self.account, after);
        }
        if before != after || newly_refused {
            (self.alarm)();
        }
    }

    fn with_breaker<T>(&self, use_it: impl FnOnce(&mut Breaker, Duration) -> T) -> T {
        let mut breaker = self.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        use_it(&mut breaker, self.began.elapsed())
    }
}

/// As metrics have it.
fn outcome(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "not-found",
        ErrorKind::NameTaken(_) => "name-taken",
        ErrorKind::InUse(_) => "in-use",
        ErrorKind::Refused(_) => "refused",
        ErrorKind::QuotaExceeded(_) => "quota-exceeded",
        ErrorKind::Unauthenticated => "unauthenticated",
        ErrorKind::Forbidden(_) => "forbidden",
        ErrorKind::Throttled { .. } => "throttled",
        ErrorKind::Unavailable { .. } => "unavailable",
        ErrorKind::Unreachable(_) => "unreachable",
        ErrorKind::Untrusted(_) => "untrusted",
        ErrorKind::NoAnswer(_) => "no-answer",
        ErrorKind::Failed(_) => "failed",
        ErrorKind::NotSupported(_) => "not-supported",
    }
}

#[async_trait]
impl Provider for Guard {
    async fn describe(&self) -> Result<Description, Error> {
        self.call("describe", &self.account, self.inner.describe()).await
    }

    async fn find_tenant(&self, name: &str) -> Result<Option<TenantState>, Error> {
        self.call("find tenant", name, self.inner.find_tenant(name)).await
    }

    async fn create_tenant(&self, tenant: &TenantWish) -> Result<TenantState, Error> {
        self.call("create tenant", &tenant.name, self.inner.create_tenant(tenant)).await
    }

    async fn update_tenant(&self, id: &str, tenant: &TenantWish) -> Result<TenantState, Error> {
        self.call("update tenant", &tenant.name, self.inner.update_tenant(id, tenant)).await
    }

    async fn delete_tenant(&self, id: &str) -> Result<(), Error> {
        self.call("delete tenant", id, self.inner.delete_tenant(id)).await
    }

    async fn find_user(&self, login: &str) -> Result<Option<UserState>, Error> {
        self.call("find user", login, self.inner.find_user(login)).await
    }

    async fn list_users(&self, cluster: &ClusterId) -> Result<Vec<UserState>, Error> {
        self.call("list users", &self.account, self.inner.list_users(cluster)).await
    }

    async fn create_user(&self, user: &UserWish) -> Result<UserState, Error> {
        self.call("create user", &user.login, self.inner.create_user(user)).await
    }

    async fn update_user(&self, id: &str, user: &UserWish) -> Result<UserState, Error> {
        self.call("update user", &user.login, self.inner.update_user(id, user)).await
    }

    async fn delete_user(&self, id: &str) -> Result<(), Error> {
        self.call("delete user", id, self.inner.delete_user(id)).await
    }

    async fn list_keys(&self, cluster: &ClusterId, of: Option<&OwnerMark>) -> Result<Vec<KeyState>, Error> {
        self.call("list keys", &self.account, self.inner.list_keys(cluster, of)).await
    }

    async fn mint_key(&self, key: &KeyWish, idempotency_key: Option<&str>) -> Result<KeyPair, Error> {
        self.call("create key", &key.nonce, self.inner.mint_key(key, idempotency_key)).await
    }

    fn list_all_from(&self) -> usize {
        self.inner.list_all_from()
    }

    fn choose_pair(&self, key: &KeyWish, random: &[u8; RANDOM_BYTES]) -> Option<KeyPair> {
        self.inner.choose_pair(key, random)
    }

    async fn put_key(&self, key: &KeyWish, pair: &KeyPair) -> Result<(), Error> {
        self.call("put key", &pair.access_key_id, self.inner.put_key(key, pair)).await
    }

    async fn set_key_active(&self, access_key_id: &str, active: bool) -> Result<(), Error> {
        self.call("suspend key", access_key_id, self.inner.set_key_active(access_key_id, active)).await
    }

    async fn revoke_key(&self, access_key_id: &str) -> Result<(), Error> {
        self.call("revoke key", access_key_id, self.inner.revoke_key(access_key_id)).await
    }

    async fn find_bucket(&self, user_id: &str, name: &str) -> Result<Option<BucketState>, Error> {
        self.call("find bucket", name, self.inner.find_bucket(user_id, name)).await
    }

    async fn list_buckets(&self, cluster: &ClusterId) -> Result<Vec<BucketState>, Error> {
        self.call("list buckets", &self.account, self.inner.list_buckets(cluster)).await
    }

    async fn create_bucket(&self, bucket: &BucketWish) -> Result<BucketState, Error> {
        self.call("create bucket", &bucket.name, self.inner.create_bucket(bucket)).await
    }

    async fn update_bucket(&self, bucket: &BucketWish) -> Result<BucketState, Error> {
        self.call("update bucket", &bucket.name, self.inner.update_bucket(bucket)).await
    }

    async fn delete_bucket(&self, user_id: &str, name: &str) -> Result<(), Error> {
        self.call("delete bucket", name, self.inner.delete_bucket(user_id, name)).await
    }
}

#[cfg(test)]
mod tests {
    use super::Guard;
    use crate::operator::account::breaker::FAILURE_LIMIT;
    use crate::operator::runtime::metrics::Metrics;
    use crate::provider::management::{Client, Settings};
    use crate::provider::{Error, ErrorKind};
    use crate::wire::ShownSecret;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;
    use tokio::sync::Notify;

    /// A guard of two turns around a client that is never asked, and the number of alarms.
    fn guard() -> (Guard, Arc<AtomicUsize>) {
        let settings = Settings {
            endpoint: "http://127.0.0.1:1".to_owned(),
            token: ShownSecret::new("t".to_owned()),
            ca_pem: None,
            account_id: None,
            timeout: Duration::from_secs(1),
        };
        let _ = rustls::crypto::ring::default_provider().install_default();
        let Ok(client) = Client::new(settings) else { panic!("the settings are good") };
        let alarms = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&alarms);
        let alarm = Arc::new(move || {
            count.fetch_add(1, Ordering::SeqCst);
        });
        let timeout = Duration::from_secs(30);
        (Guard::new("main", Box::new(client), 2, timeout, Metrics::new(), alarm), alarms)
    }

    async fn fails(guard: &Guard, kind: ErrorKind) -> ErrorKind {
        let call = async { Err::<(), _>(Error { op: "try", object: "x".to_owned(), kind }) };
        guard.call("try", "x", call).await.unwrap_err().kind
    }

    #[tokio::test]
    async fn no_more_calls_are_made_at_a_time_than_the_account_has_turns() {
        let (guard, _) = guard();
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let call = || async {
            let running = now.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(running, Ordering::SeqCst);
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            now.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        };
        let calls = (0..10).map(|_| guard.call("try", "x", call()));
        let results = futures::future::join_all(calls).await;
        assert!(results.iter().all(Result::is_ok));
        assert_eq!(most.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_call_that_finds_no_turn_is_not_made() {
        let (mut guard, _) = guard();
        guard.wait = Duration::from_millis(20);
        let (over, made) = (Notify::new(), AtomicUsize::new(0));
        let long = || {
            let work = async {
                over.notified().await;
                Ok(())
            };
            guard.call("try", "x", work)
        };
        let late = async {
            let late = guard.call("try", "x", async { Ok(made.fetch_add(1, Ordering::SeqCst)) }).await;
            over.notify_waiters();
            late
        };
        let (one, other, late) = tokio::join!(long(), long(), late);
        assert!(one.is_ok() && other.is_ok());
        assert!(
            late.is_err_and(|error| error.is_definite() && matches!(error.kind, ErrorKind::Throttled { .. }))
        );
        assert_eq!(made.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn an_account_that_does_not_answer_is_left_alone_and_raises_one_alarm() {
        let (guard, alarms) = guard();
        for _ in 0..FAILURE_LIMIT {
            assert_eq!(alarms.load(Ordering::SeqCst), 0);
            fails(&guard, ErrorKind::NoAnswer("silence".to_owned())).await;
        }
        let made = AtomicUsize::new(0);
        let refused = guard.call("try", "x", async { Ok(made.fetch_add(1, Ordering::SeqCst)) }).await;
        assert!(refused.is_err_and(|error| error.is_definite()));
        assert_eq!((made.load(Ordering::SeqCst), alarms.load(Ordering::SeqCst)), (0, 1));
    }

    #[tokio::test]
    async fn an_answer_is_an_answer_whatever_it_says_and_refused_credentials_raise_an_alarm() {
        let (guard, alarms) = guard();
        for _ in 0..2 * FAILURE_LIMIT {
            assert!(matches!(fails(&guard, ErrorKind::Failed("500".to_owned())).await, ErrorKind::Failed(_)));
        }
        assert_eq!(alarms.load(Ordering::SeqCst), 0);
        fails(&guard, ErrorKind::Unauthenticated).await;
        assert_eq!(alarms.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn credentials_that_stay_refused_raise_no_further_alarm() {
        let (guard, alarms) = guard();
        for _ in 0..3 {
            fails(&guard, ErrorKind::Unauthenticated).await;
        }
        assert_eq!(alarms.load(Ordering::SeqCst), 1);
        assert!(guard.call("try", "x", async { Ok(()) }).await.is_ok());
        fails(&guard, ErrorKind::Untrusted("x".to_owned())).await;
        assert_eq!(alarms.load(Ordering::SeqCst), 2);
    }
}
