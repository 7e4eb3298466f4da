//! Buckets as the data plane sees them.

use super::all;
use crate::server::store::StoreError;
use crate::server::store::columns::{Doc, Word, maybe};
use crate::wire::{Quota, Retention, Versioning};
use rusqlite::{Connection, Row};

/// A bucket; sizes in bytes, times in milliseconds since 1970.
#[derive(Clone, Debug)]
pub struct BucketRow {
    /// The row's number.
    pub id: i64,
    /// The name, unique within the user.
    pub name: String,
    /// Whether older versions are kept.
    pub versioning: Versioning,
    /// Whether it was made with object lock.
    pub object_lock: bool,
    /// How long new versions are kept.
    pub retention: Option<Retention>,
    /// Limits.
    pub quota: Quota,
    /// When it was made.
    pub created: i64,
    /// Bytes of all versions.
    pub used_bytes: i64,
    /// Versions with data.
    pub used_objects: i64,
}

const COLUMNS: &str =
    "id, name, versioning, object_lock, retention, quota, created, used_bytes, used_objects";

fn row(row: &Row<'_>) -> rusqlite::Result<BucketRow> {
    let retention: Option<Doc<Retention>> = row.get(4)?;
    Ok(BucketRow {
        id: row.get(0)?,
        name: row.get(1)?,
        versioning: row.get::<_, Word<Versioning>>(2)?.0,
        object_lock: row.get(3)?,
        retention: retention.map(|r| r.0),
        quota: row.get::<_, Doc<Quota>>(5)?.0,
        created: row.get(6)?,
        used_bytes: row.get(7)?,
        used_objects: row.get(8)?,
    })
}

/// A user's bucket of that name.
pub fn find(connection: &Connection, user: &str, name: &str) -> Result<Option<BucketRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM bucket WHERE user = ?1 AND name = ?2");
    maybe(connection.prepare_cached(&sql)?.query_row([user, name], row))
}

/// A user's buckets after a name, in the order of their names.
pub fn list(
    connection: &Connection,
    user: &str,
    prefix: &str,
    after: &str,
) -> Result<Vec<BucketRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM bucket WHERE user = ?1 AND name > ?2 AND substr(name, 1, length(?3)) = ?3 \
         ORDER BY name"
    );
    all(connection.prepare_cached(&sql)?.query_map([user, after, prefix], row)?)
}

/// Sets whether older versions are kept.
pub fn set_versioning(
    connection: &Connection,
    bucket: i64,
    versioning: Versioning,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE bucket SET versioning = ?2 WHERE id = ?1")?
        .execute((bucket, Word(versioning)))?;
    Ok(())
}

/// Sets how long new versions are kept.
pub fn set_retention(
    connection: &Connection,
    bucket: i64,
    retention: Option<Retention>,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE bucket SET retention = ?2 WHERE id = ?1")?
        .execute((bucket, retention.map(Doc)))?;
    Ok(())
}

/// Adds to what is used; both may be negative.
pub fn add_usage(connection: &Connection, bucket: i64, bytes: i64, objects: i64) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE bucket SET used_bytes = used_bytes + ?2, used_objects = used_objects + ?3 WHERE id = ?1",
        )?
        .execute((bucket, bytes, objects))?;
    Ok(())
}
