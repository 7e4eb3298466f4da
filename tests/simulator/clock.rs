//! The time in a schedule: tokio's paused clock, and the date that goes with it.

use jiff::Timestamp;
use std::cell::Cell;
use tokio::time::Instant;

/// 2026-01-01, in milliseconds.
const BEGIN: i64 = 1_767_225_600_000;

thread_local! {
    static START: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// A schedule begins, on this thread.
pub fn start() {
    START.set(Some(Instant::now()));
}

/// Milliseconds since the schedule began.
pub fn elapsed() -> u64 {
    let since = START.get().map_or(0, |start| start.elapsed().as_millis());
    u64::try_from(since).unwrap()
}

/// The date, as operators and servers read it.
pub fn now() -> Timestamp {
    Timestamp::from_millisecond(BEGIN + i64::try_from(elapsed()).unwrap()).unwrap()
}
