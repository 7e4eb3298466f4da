//! Remembered answers of requests with an `Idempotency-Key`, sealed, written in the transaction of the change.

use super::columns::{Millis, maybe};
use super::{Sealed, StoreError};
use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;

/// Hours for which an answer is remembered.
pub const HOURS: u32 = 24;

/// What was answered to the first request with a key.
pub struct Remembered {
    /// SHA-256 of method, path and body.
    pub request_hash: [u8; 32],
    /// The answer.
    pub answer: Sealed,
}

fn oldest(now: Timestamp) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(i64::from(HOURS))).unwrap_or(Timestamp::MIN)
}

/// What is remembered of this principal's key.
pub fn find(
    connection: &Connection,
    principal: &str,
    key: &str,
    now: Timestamp,
) -> Result<Option<Remembered>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT request_hash, sealed_answer FROM idempotency WHERE principal = ?1 AND key = ?2 AND created > ?3",
    )?;
    maybe(statement.query_row((principal, key, Millis(oldest(now))), |row| {
        Ok(Remembered { request_hash: row.get(0)?, answer: Sealed(row.get(1)?) })
    }))
}

/// Remembers an answer, and forgets those that are too old.
pub fn remember(
    connection: &Connection,
    principal: &str,
    key: &str,
    remembered: &Remembered,
    now: Timestamp,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM idempotency WHERE created <= ?1")?
        .execute([Millis(oldest(now))])?;
    connection
        .prepare_cached(
            "INSERT INTO idempotency (principal, key, request_hash, sealed_answer, created) \
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((principal, key, &remembered.request_hash, &remembered.answer.0, Millis(now)))?;
    Ok(())
}
