//! How much one caller may ask for: a rate per token, and a back-off after failed sign-ins. A request that exceeds it
//! is refused before anything is executed.

use super::App;
use super::frame::Peer;
use crate::server::domain::Refusal;
use crate::wire::ProblemType;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Most callers that are remembered; beyond it those that are not limited now are forgotten.
const REMEMBERED: usize = 10_000;
/// Failed sign-ins before the back-off begins.
const FREE_FAILURES: u32 = 5;
/// The longest back-off.
const LONGEST_BACK_OFF: Duration = Duration::from_mins(5);
/// How long failures are remembered after the last one.
const FORGET_AFTER: Duration = Duration::from_mins(15);

/// Attempts that are looked at at the same time, at most.
const TURNS: usize = 32;

type CallerHash = [u8; 32];

/// A rate per caller with bursts of one second's worth, kept as the time at which the caller is unlimited again.
pub struct Limiter {
    rate: u32,
    free_at: Mutex<HashMap<CallerHash, Instant>>,
}

/// What the limiter says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Verdict {
    allowed: bool,
    /// Requests that may follow at once.
    remaining: u32,
}

impl Limiter {
    /// So many requests a second; 0: any number.
    pub fn new(rate: u32) -> Self {
        Self { rate, free_at: Mutex::default() }
    }

    fn take(&self, caller: CallerHash, now: Instant) -> Option<Verdict> {
        let interval = Duration::from_secs(1).checked_div(self.rate)?;
        let mut all = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED {
            all.retain(|_, free_at| *free_at > now);
        }
        let free_at = all.entry(caller).or_insert(now);
        let busy = free_at.saturating_duration_since(now);
        let allowed = busy + interval <= interval * self.rate;
        if allowed {
            *free_at = now + busy + interval;
        }
        let used = (free_at.saturating_duration_since(now)).as_nanos().div_ceil(interval.as_nanos().max(1));
        let remaining = self.rate.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX));
        Some(Verdict { allowed, remaining })
    }
}

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");

/// The middleware: a caller is a bearer token or a cookie, or an address where there is neither.
pub async fn limit(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let Some(verdict) = app.limiter.take(caller(&request), Instant::now()) else {
        return next.run(request).await;
    };
    let mut response = if verdict.allowed {
        next.run(request).await
    } else {
        Refusal::new(ProblemType::TooManyRequests, "too many requests; this one was not executed")
            .into_response()
    };
    let rate = app.limiter.rate;
    let headers = [
        (POLICY, format!("\"caller\";q={rate};w=1")),
        (STATE, format!("\"caller\";r={};t=1", verdict.remaining)),
    ];
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn caller(request: &Request) -> CallerHash {
    if let Some(value) = request.headers().get(header::AUTHORIZATION) {
        return Sha256::digest(value.as_bytes()).into();
    }
    if let Some(value) = request.headers().get(header::COOKIE) {
        return Sha256::digest(value.as_bytes()).into();
    }
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.to_string());
    Sha256::digest(peer.unwrap_or_default()).into()
}

/// Attempts to sign in per login, whether or not there is such a login.
///
/// Attempts for one login are looked at one after the other, and each counts as failed from its beginning: many at once
/// get no more than as many in a row, and hanging up in the middle helps nobody. Logins share [`TURNS`] turns.
#[derive(Default)]
pub struct Lockout {
    failures: Mutex<HashMap<CallerHash, Failures>>,
    turns: [tokio::sync::Mutex<()>; TURNS],
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

impl Failures {
    fn wait(self) -> Duration {
        let exponent = self.count.saturating_sub(FREE_FAILURES);
        match self.count {
            count if count < FREE_FAILURES => Duration::ZERO,
            _ => Duration::from_secs(1_u64.checked_shl(exponent).unwrap_or(u64::MAX)).min(LONGEST_BACK_OFF),
        }
    }
}

/// An attempt that is being looked at: it has failed unless it is told otherwise.
pub struct Attempt<'a> {
    lockout: &'a Lockout,
    login: CallerHash,
    now: fn() -> Instant,
    _turn: tokio::sync::MutexGuard<'a, ()>,
}

impl Attempt<'_> {
    /// Forgets the failures of a login after a good sign-in.
    pub fn succeeded(self) {
        self.lockout.lock().remove(&self.login);
    }
}

impl Drop for Attempt<'_> {
    /// The wait begins when the attempt is over.
    fn drop(&mut self) {
        if let Some(failures) = self.lockout.lock().get_mut(&self.login) {
            failures.last = (self.now)();
        }
    }
}

impl Lockout {
    /// Waits for the login's turn. Refuses a login that has to wait for longer.
    pub async fn attempt(&self, login: &str, now: fn() -> Instant) -> Result<Attempt<'_>, Refusal> {
        let login: CallerHash = Sha256::digest(login.as_bytes()).into();
        let turn = self.turns[usize::from(login[0]) % TURNS].lock().await;
        self.count(login, now())?;
        Ok(Attempt { lockout: self, login, now, _turn: turn })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<CallerHash, Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more failure, unless the login has to wait.
    fn count(&self, login: CallerHash, now: Instant) -> Result<(), Refusal> {
        let mut all = self.lock();
        if all.get(&login).is_some_and(|f| now < f.last + f.wait()) {
            let detail = "too many failed sign-ins; wait before the next one. It was not executed";
            return Err(Refusal::new(ProblemType::TooManyRequests, detail));
        }
        if all.len() >= REMEMBERED {
            all.retain(|_, f| now < f.last + FORGET_AFTER);
        }
        let failures = all.entry(login).or_insert(Failures { count: 0, last: now });
        let forgotten = now >= failures.last + FORGET_AFTER;
        *failures = Failures { count: if forgotten { 1 } else { failures.count + 1 }, last: now };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Limiter, Lockout};
    use std::time::{Duration, Instant};

    #[test]
    fn a_caller_has_one_seconds_worth_at_once_and_then_the_rate() {
        let limiter = Limiter::new(10);
        let start = Instant::now();
        let allowed = |caller: u8, at: Duration| limiter.take([caller; 32], start + at).unwrap().allowed;
        assert!((0..10).all(|_| allowed(1, Duration::ZERO)));
        assert!(!allowed(1, Duration::ZERO));
        assert!(allowed(2, Duration::ZERO), "another caller is not limited by this one");
        assert!(!allowed(1, Duration::from_millis(99)));
        assert!(allowed(1, Duration::from_millis(100)));
        assert!(!allowed(1, Duration::from_millis(100)));
        assert!((0..10).all(|_| allowed(1, Duration::from_secs(5))));
        assert!(!allowed(1, Duration::from_secs(5)));
    }

    #[test]
    fn without_a_rate_nothing_is_limited() {
        assert_eq!(Limiter::new(0).take([0; 32], Instant::now()), None);
    }

    #[test]
    fn after_five_failed_sign_ins_each_further_one_doubles_the_wait() {
        let lockout = Lockout::default();
        let start = Instant::now();
        let (a, b) = ([1; 32], [2; 32]);
        let allowed = |login, seconds| lockout.count(login, start + Duration::from_secs(seconds)).is_ok();
        assert!((0..5).all(|_| allowed(a, 0)));
        assert!(!allowed(a, 0));
        assert!(allowed(b, 0), "another login does not wait");
        let mut now = 0;
        for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            assert!(!allowed(a, now + wait - 1), "{wait}");
            now += wait;
            assert!(allowed(a, now), "{wait}");
        }
        assert!(!allowed(a, now + 299));
        now += 15 * 60;
        assert!((0..5).all(|_| allowed(a, now)), "a quarter of an hour later all is forgotten");
        assert!(!allowed(a, now));
    }

    #[tokio::test]
    async fn an_attempt_has_failed_unless_it_succeeds() {
        let lockout = Lockout::default();
        for _ in 0..4 {
            drop(lockout.attempt("a", Instant::now).await.ok().unwrap());
        }
        lockout.attempt("a", Instant::now).await.ok().unwrap().succeeded();
        for _ in 0..5 {
            drop(lockout.attempt("a", Instant::now).await.ok().unwrap());
        }
        assert!(lockout.attempt("a", Instant::now).await.is_err());
    }
}
