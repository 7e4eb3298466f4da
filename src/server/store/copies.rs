//! What jobs copied, and what is in a bucket of that: rows only; which version is to be copied is decided elsewhere.

use super::columns::{count, maybe};
use super::objects::buckets::BucketRow;
use super::objects::quotas::{self, Level};
use super::objects::versions::{self, VersionInsert, VersionRow};
use super::{BlobName, StoreError};
use crate::server::domain::jobs::copying::{Held, Version};
use crate::wire::LockMode;
use rusqlite::Connection;

/// A row of the source, as the planner sees it; `None` where only copies count and it is none.
pub fn version(
    connection: &Connection,
    row: &VersionRow,
    only_copies: bool,
) -> Result<Option<Version>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT origin FROM copy WHERE object = ?1")?;
    let origin: Option<i64> = maybe(statement.query_row([row.sequence], |row| row.get(0)))?;
    let origin = origin.or((!only_copies).then_some(row.sequence));
    Ok(origin.map(|origin| Version { origin, marker: row.marker }))
}

/// What a bucket has of a key.
pub fn held(connection: &Connection, bucket: i64, key: &str) -> Result<Held, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT coalesce(c.origin, o.sequence), o.latest FROM object o LEFT JOIN copy c ON c.object = o.sequence \
         WHERE o.bucket = ?1 AND o.key = ?2",
    )?;
    let mut held = Held::default();
    let mut rows = statement.query((bucket, key))?;
    while let Some(row) = rows.next()? {
        let origin: i64 = row.get(0)?;
        held.origins.insert(origin);
        if row.get(1)? {
            held.current = Some(origin);
        }
    }
    Ok(held)
}

/// A copy that is to be written.
#[derive(Clone, Debug)]
pub struct Copy {
    /// The version that it is of.
    pub row: VersionRow,
    /// What that was in the beginning.
    pub origin: i64,
    /// The data of the copy; `None` for a delete marker.
    pub blob: Option<BlobName>,
    /// Mode and end of its retention, milliseconds since 1970.
    pub retention: Option<(LockMode, i64)>,
    /// Whether it is under legal hold.
    pub legal_hold: bool,
}

/// Writes a copy in place of `replaced`, keeping the time of the version that it is of.
pub fn write(
    connection: &Connection,
    bucket: &BucketRow,
    copy: &Copy,
    replaced: Option<&VersionRow>,
) -> Result<(), StoreError> {
    if let Some(old) = replaced {
        versions::delete(connection, bucket.id, old)?;
    }
    let version = versions::new_id(bucket);
    let insert = VersionInsert {
        key: &copy.row.key,
        version: &version,
        size: copy.row.size,
        etag: &copy.row.etag,
        blob: copy.blob.as_ref(),
        modified: copy.row.modified,
        attributes: &copy.row.attributes,
        tags: &copy.row.tags,
        retention: copy.retention,
        legal_hold: copy.legal_hold,
    };
    versions::insert(connection, bucket.id, &insert)?;
    if let Some(parts) = versions::parts(connection, copy.row.sequence)? {
        versions::set_parts(connection, bucket.id, &copy.row.key, &parts)?;
    }
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO copy (bucket, origin, object) SELECT ?1, ?2, sequence FROM object \
             WHERE bucket = ?1 AND key = ?3 AND version = ?4",
        )?
        .execute((bucket.id, copy.origin, &copy.row.key, &version))?;
    Ok(())
}

/// Whether there is more than the quotas of a bucket, its user and the user's tenant allow.
pub fn over_quota(connection: &Connection, user: &str, bucket: &BucketRow) -> Result<bool, StoreError> {
    Ok(quotas::levels(connection, user, bucket)?.iter().any(Level::is_exceeded))
}

/// What keeps a bucket from being empty at a time (milliseconds since 1970).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Versions and markers that may be removed.
    pub removable: u64,
    /// Versions whose retention has not ended.
    pub retained: u64,
    /// When the last of those ends.
    pub retained_until: Option<i64>,
    /// Versions under legal hold.
    pub legal_holds: u64,
    /// Open uploads.
    pub uploads: u64,
}

/// What is left in a bucket.
pub fn left(connection: &Connection, bucket: i64, now: i64) -> Result<Left, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT coalesce(sum(legal_hold = 0 AND coalesce(retained_until, 0) <= ?2), 0), \
         coalesce(sum(coalesce(retained_until, 0) > ?2), 0), \
         max(CASE WHEN retained_until > ?2 THEN retained_until END), coalesce(sum(legal_hold), 0), \
         (SELECT count(*) FROM upload WHERE bucket = ?1) FROM object WHERE bucket = ?1",
    )?;
    Ok(statement.query_row((bucket, now), |row| {
        Ok(Left {
            removable: count(row.get(0)?),
            retained: count(row.get(1)?),
            retained_until: row.get(2)?,
            legal_holds: count(row.get(3)?),
            uploads: count(row.get(4)?),
        })
    })?)
}
