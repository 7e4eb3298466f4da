//! The circuit breaker of an account, pure: time is an argument.
//!
//! ```text
//!            failures in a row = limit                    pause is over
//!   Closed ───────────────────────────> Open(until) ──────────────────────> one probe
//!     ^                                   ^                                   │  │
//!     │                                   └──────────── the probe fails ──────┘  │
//!     └──────────────────────────────────────────────── the probe succeeds ──────┘
//! ```

use std::time::Duration;

/// Transport failures in a row after which calls fail at once.
pub const FAILURE_LIMIT: u32 = 5;
/// How long calls fail at once before one is tried: at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A moment on a monotonic clock, since the breaker was made.
pub type Moment = Duration;

/// Whether calls are let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breaker {
    state: State,
    /// Failures in a row.
    failures: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Open {
        until: Moment,
        pause: Duration,
    },
    /// One call is on its way; the answer decides. Not waited for longer than `until`.
    Probing {
        until: Moment,
        pause: Duration,
    },
}

/// What a call came to, for the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// An answer, be it a refusal: the server is there.
    Answer,
    /// None.
    Silence,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { state: State::Closed, failures: 0 }
    }
}

impl Breaker {
    /// Whether a call may be made now. A probe counts as made; its answer is waited for during `patience`.
    pub fn admit(&mut self, now: Moment, patience: Duration) -> bool {
        match self.state {
            State::Closed => true,
            State::Open { until, pause } | State::Probing { until, pause } if now >= until => {
                self.state = State::Probing { until: now + patience, pause };
                true
            }
            State::Open { .. } | State::Probing { .. } => false,
        }
    }

    /// Notes what a call came to.
    pub fn note(&mut self, now: Moment, heard: Heard) {
        match (heard, &self.state) {
            (Heard::Answer, State::Closed | State::Open { .. } | State::Probing { .. }) => {
                *self = Self::default();
            }
            (Heard::Silence, State::Closed) => {
                self.failures += 1;
                if self.failures >= FAILURE_LIMIT {
                    self.state = State::Open { until: now + FIRST_PAUSE, pause: FIRST_PAUSE };
                }
            }
            (Heard::Silence, State::Probing { pause, .. }) => {
                let pause = (*pause * 2).min(LONGEST_PAUSE);
                self.state = State::Open { until: now + pause, pause };
            }
            // A call that began before the circuit opened.
            (Heard::Silence, State::Open { .. }) => {}
        }
    }

    /// Whether calls fail at once.
    pub fn is_open(&self) -> bool {
        self.state != State::Closed
    }
}

#[cfg(test)]
mod tests {
    use super::{Breaker, FAILURE_LIMIT, Heard};
    use std::time::Duration;

    const PATIENCE: Duration = Duration::from_secs(30);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn opened() -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..FAILURE_LIMIT {
            assert!(breaker.admit(at(0), PATIENCE));
            breaker.note(at(0), Heard::Silence);
        }
        breaker
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_not_before() {
        let mut breaker = Breaker::default();
        for _ in 0..FAILURE_LIMIT - 1 {
            breaker.note(at(0), Heard::Silence);
        }
        breaker.note(at(0), Heard::Answer);
        for _ in 0..FAILURE_LIMIT - 1 {
            breaker.note(at(0), Heard::Silence);
            assert!(breaker.admit(at(0), PATIENCE));
        }
        breaker.note(at(0), Heard::Silence);
        assert!(!breaker.admit(at(1), PATIENCE));
    }

    #[test]
    fn one_probe_is_let_through_after_the_pause() {
        let mut breaker = opened();
        assert!(breaker.admit(at(2), PATIENCE));
        assert!(!breaker.admit(at(2), PATIENCE));
        breaker.note(at(3), Heard::Answer);
        assert!(breaker.admit(at(3), PATIENCE) && !breaker.is_open());
    }

    #[test]
    fn each_failed_probe_doubles_the_pause_up_to_half_a_minute() {
        let mut breaker = opened();
        let mut now = at(2);
        for pause in [4, 8, 16, 30, 30] {
            assert!(breaker.admit(now, PATIENCE));
            breaker.note(now, Heard::Silence);
            assert!(
                !breaker.admit(now + at(pause).saturating_sub(Duration::from_millis(1)), PATIENCE),
                "{pause}"
            );
            now += at(pause);
        }
    }

    #[test]
    fn a_probe_that_never_answers_does_not_block_the_next() {
        let mut breaker = opened();
        assert!(breaker.admit(at(2), PATIENCE));
        assert!(!breaker.admit(at(31), PATIENCE));
        assert!(breaker.admit(at(32), PATIENCE));
    }
}
