//! The only place that reads the wall clock. Everything else takes the time as an argument.

use jiff::Timestamp;

/// The current time, UTC, to the nanosecond.
#[allow(clippy::disallowed_methods)]
pub fn now() -> Timestamp {
    Timestamp::now()
}
