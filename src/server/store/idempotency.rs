//! Remembered answers of requests with an `Idempotency-Key`, sealed, written in the transaction of the change.

use super::columns::{Millis, maybe};
use super::{Sealed, StoreError};
use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;

/// Hours for which an answer is remembered.
pub const HOURS: u32 = 24;

fn oldest(now: Timestamp) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(i64::from(HOURS))).unwrap_or(Timestamp::MIN)
}

/// What is remembered of this principal's key.
pub fn find(
    connection: &Connection,
    principal: &str,
    key: &str,
    now: Timestamp,
) -> Result<Option<Sealed>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT sealed FROM idempotency WHERE principal = ?1 AND key = ?2 AND created > ?3",
    )?;
    maybe(statement.query_row((principal, key, Millis(oldest(now))), |row| Ok(Sealed(row.get(0)?))))
}

/// Remembers an answer, and forgets those that are too old.
pub fn remember(
    connection: &Connection,
    principal: &str,
    key: &str,
    sealed: &Sealed,
    now: Timestamp,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM idempotency WHERE created <= ?1")?
        .execute([Millis(oldest(now))])?;
    connection
        .prepare_cached("INSERT INTO idempotency (principal, key, sealed, created) VALUES (?1, ?2, ?3, ?4)")?
        .execute((principal, key, &sealed.0, Millis(now)))?;
    Ok(())
}
