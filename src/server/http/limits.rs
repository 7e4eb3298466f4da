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
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Most callers that are remembered; beyond it those that are not limited now are forgotten.
const REMEMBERED: usize = 10_000;
/// Failed sign-ins before the back-off begins.
const FREE_FAILURES: u32 = 5;
/// The longest back-off.
const LONGEST_BACK_OFF: Duration = Duration::from_mins(5);
/// How long failures are remembered after the last one.
const FORGET_AFTER: Duration = Duration::from_mins(15);

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

/// Failed sign-ins per login, whether or not there is such a login.
#[derive(Default)]
pub struct Lockout {
    failures: Mutex<HashMap<CallerHash, Failures>>,
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

impl Lockout {
    fn key(login: &str) -> CallerHash {
        Sha256::digest(login.as_bytes()).into()
    }

    /// Refuses a login that has to wait.
    pub fn check(&self, login: &str, now: Instant) -> Result<(), Refusal> {
        let all = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let locked = all.get(&Self::key(login)).is_some_and(|f| now < f.last + f.wait());
        if locked {
            let detail = "too many failed sign-ins; wait before the next one. It was not executed";
            return Err(Refusal::new(ProblemType::TooManyRequests, detail));
        }
        Ok(())
    }

    /// Counts a failed sign-in.
    pub fn failed(&self, login: &str, now: Instant) {
        let mut all = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED {
            all.retain(|_, f| now < f.last + FORGET_AFTER);
        }
        let failures = all.entry(Self::key(login)).or_insert(Failures { count: 0, last: now });
        let forgotten = now >= failures.last + FORGET_AFTER;
        *failures = Failures { count: if forgotten { 1 } else { failures.count + 1 }, last: now };
    }

    /// Forgets the failures of a login after a good sign-in.
    pub fn succeeded(&self, login: &str) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(&Self::key(login));
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
        let at = |seconds| start + Duration::from_secs(seconds);
        for _ in 0..4 {
            lockout.failed("a", start);
        }
        assert!(lockout.check("a", start).is_ok());
        lockout.failed("a", start);
        assert!(lockout.check("a", start).is_err());
        assert!(lockout.check("b", start).is_ok(), "another login does not wait");
        assert!(lockout.check("a", at(1)).is_ok());
        lockout.failed("a", at(1));
        assert!(lockout.check("a", at(2)).is_err());
        assert!(lockout.check("a", at(3)).is_ok());
        for _ in 0..50 {
            lockout.failed("a", at(3));
        }
        assert!(lockout.check("a", at(302)).is_err());
        assert!(lockout.check("a", at(303)).is_ok(), "the wait grows to five minutes and no further");
        lockout.succeeded("a");
        assert!(lockout.check("a", at(3)).is_ok());
    }
}
