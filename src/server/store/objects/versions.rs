//! Versions of objects and delete markers. The newest one of a key has `latest = 1`; an unversioned one is `null`.

use super::buckets::{self, BucketRow};
use crate::server::store::columns::{Word, maybe};
use crate::server::store::{BlobName, StoreError};
use crate::wire::{LockMode, Versioning};
use rusqlite::{Connection, Row, params};

/// The version id of what was written without versioning.
pub const NULL_VERSION: &str = "null";

/// A version, or a delete marker: then without blob and without size. Times are milliseconds since 1970.
#[derive(Clone, Debug)]
pub struct VersionRow {
    /// Grows with every write: the newest version of a key has the highest.
    pub sequence: i64,
    /// The key.
    pub key: String,
    /// The version id.
    pub version: String,
    /// Whether it is what the key stands for now.
    pub latest: bool,
    /// Whether it is a delete marker.
    pub marker: bool,
    /// Bytes.
    pub size: i64,
    /// The entity tag, without quotes.
    pub etag: String,
    /// The data.
    pub blob: Option<BlobName>,
    /// When it was written.
    pub modified: i64,
    /// Headers, metadata and checksums, JSON.
    pub attributes: String,
    /// Tags, JSON.
    pub tags: String,
    /// Whether its retention can be lifted early.
    pub retention_mode: Option<LockMode>,
    /// When its retention ends.
    pub retained_until: Option<i64>,
    /// Whether it is under legal hold.
    pub legal_hold: bool,
}

impl VersionRow {
    /// Whether its retention has not ended at that time.
    pub fn is_retained(&self, now: i64) -> bool {
        self.retained_until.is_some_and(|until| until > now)
    }

    /// Whether anything keeps it from being removed at that time.
    pub fn is_locked(&self, now: i64) -> bool {
        self.legal_hold || self.is_retained(now)
    }
}

/// What a new version is made of.
#[derive(Clone, Debug)]
pub struct VersionInsert<'a> {
    /// The key.
    pub key: &'a str,
    /// The version id.
    pub version: &'a str,
    /// Bytes.
    pub size: i64,
    /// The entity tag, without quotes.
    pub etag: &'a str,
    /// The data; `None` makes a delete marker.
    pub blob: Option<&'a BlobName>,
    /// When it is written.
    pub modified: i64,
    /// Headers, metadata and checksums, JSON.
    pub attributes: &'a str,
    /// Tags, JSON.
    pub tags: &'a str,
    /// Mode and end of its retention.
    pub retention: Option<(LockMode, i64)>,
    /// Whether it is under legal hold.
    pub legal_hold: bool,
}

const COLUMNS: &str = "sequence, key, version, latest, marker, size, etag, blob, modified, attributes, tags, \
                       retention_mode, retained_until, legal_hold";

fn row(row: &Row<'_>) -> rusqlite::Result<VersionRow> {
    let mode: Option<Word<LockMode>> = row.get(11)?;
    Ok(VersionRow {
        sequence: row.get(0)?,
        key: row.get(1)?,
        version: row.get(2)?,
        latest: row.get(3)?,
        marker: row.get(4)?,
        size: row.get(5)?,
        etag: row.get(6)?,
        blob: row.get(7)?,
        modified: row.get(8)?,
        attributes: row.get(9)?,
        tags: row.get(10)?,
        retention_mode: mode.map(|m| m.0),
        retained_until: row.get(12)?,
        legal_hold: row.get(13)?,
    })
}

/// What a key stands for now: a version or a marker.
pub fn latest(connection: &Connection, bucket: i64, key: &str) -> Result<Option<VersionRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM object WHERE bucket = ?1 AND key = ?2 AND latest = 1");
    maybe(connection.prepare_cached(&sql)?.query_row((bucket, key), row))
}

/// One version of a key.
pub fn find(
    connection: &Connection,
    bucket: i64,
    key: &str,
    version: &str,
) -> Result<Option<VersionRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM object WHERE bucket = ?1 AND key = ?2 AND version = ?3");
    maybe(connection.prepare_cached(&sql)?.query_row((bucket, key, version), row))
}

/// What a write without versioning takes the place of.
pub fn replaced_by(
    connection: &Connection,
    bucket: &BucketRow,
    key: &str,
) -> Result<Option<VersionRow>, StoreError> {
    match bucket.versioning {
        Versioning::Enabled => Ok(None),
        Versioning::Disabled | Versioning::Suspended => find(connection, bucket.id, key, NULL_VERSION),
    }
}

/// The id of the next version in that bucket.
pub fn new_id(bucket: &BucketRow) -> String {
    match bucket.versioning {
        Versioning::Enabled => format!("{:032x}", rand::random::<u128>()),
        Versioning::Disabled | Versioning::Suspended => NULL_VERSION.to_owned(),
    }
}

/// Makes a version what its key stands for, and counts it.
pub fn insert(connection: &Connection, bucket: i64, new: &VersionInsert<'_>) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE object SET latest = 0 WHERE bucket = ?1 AND key = ?2 AND latest = 1")?
        .execute((bucket, new.key))?;
    let mut statement = connection.prepare_cached(
        "INSERT INTO object (bucket, key, version, latest, marker, size, etag, blob, modified, attributes, tags, \
         retention_mode, retained_until, legal_hold) VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?;
    statement.execute(params![
        bucket,
        new.key,
        new.version,
        new.blob.is_none(),
        new.size,
        new.etag,
        new.blob,
        new.modified,
        new.attributes,
        new.tags,
        new.retention.map(|(mode, _)| Word(mode)),
        new.retention.map(|(_, until)| until),
        new.legal_hold,
    ])?;
    buckets::add_usage(connection, bucket, new.size, i64::from(new.blob.is_some()))
}

/// Removes a version. What its key stands for afterwards is decided by [`promote`], or by what is written next.
pub fn delete(connection: &Connection, bucket: i64, version: &VersionRow) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM object WHERE sequence = ?1")?.execute([version.sequence])?;
    buckets::add_usage(connection, bucket, -version.size, -i64::from(version.blob.is_some()))
}

/// Keeps where the parts of the newest version of a key lie, JSON.
pub fn set_parts(connection: &Connection, bucket: i64, key: &str, parts: &str) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE object SET parts = ?3 WHERE bucket = ?1 AND key = ?2 AND latest = 1")?
        .execute((bucket, key, parts))?;
    Ok(())
}

/// Where the parts of a version lie, JSON; `None` where it was not uploaded in parts.
pub fn parts(connection: &Connection, sequence: i64) -> Result<Option<String>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT parts FROM object WHERE sequence = ?1")?;
    Ok(maybe(statement.query_row([sequence], |row| row.get(0)))?.flatten())
}

/// Makes the newest version that is left what the key stands for.
pub fn promote(connection: &Connection, bucket: i64, key: &str) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE object SET latest = 1 WHERE sequence = \
             (SELECT max(sequence) FROM object WHERE bucket = ?1 AND key = ?2) AND NOT EXISTS \
             (SELECT 1 FROM object WHERE bucket = ?1 AND key = ?2 AND latest = 1)",
        )?
        .execute((bucket, key))?;
    Ok(())
}

/// Sets mode and end of a version's retention.
pub fn set_retention(
    connection: &Connection,
    sequence: i64,
    retention: Option<(LockMode, i64)>,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE object SET retention_mode = ?2, retained_until = ?3 WHERE sequence = ?1")?
        .execute((sequence, retention.map(|(mode, _)| Word(mode)), retention.map(|(_, until)| until)))?;
    Ok(())
}

/// Sets or lifts a version's legal hold.
pub fn set_legal_hold(connection: &Connection, sequence: i64, hold: bool) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE object SET legal_hold = ?2 WHERE sequence = ?1")?
        .execute((sequence, hold))?;
    Ok(())
}

/// Sets a version's tags, JSON.
pub fn set_tags(connection: &Connection, sequence: i64, tags: &str) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE object SET tags = ?2 WHERE sequence = ?1")?
        .execute((sequence, tags))?;
    Ok(())
}

/// What a walk does after a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Walk {
    /// Goes on with the next row.
    On,
    /// Goes on with the first row whose key is not less than this.
    SkipTo(String),
    /// Ends.
    End,
}

/// Shows the current objects (no markers) with a key of at least `from`, in the order of the keys, to `each`.
pub fn walk_current(
    connection: &Connection,
    bucket: i64,
    from: String,
    each: impl FnMut(VersionRow) -> Walk,
) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM object WHERE bucket = ?1 AND latest = 1 AND marker = 0 AND key >= ?2 ORDER BY key"
    );
    walk(connection, &sql, bucket, from, each)
}

/// Shows all versions and markers with a key of at least `from`, by key, the newest first, to `each`.
pub fn walk_all(
    connection: &Connection,
    bucket: i64,
    from: String,
    each: impl FnMut(VersionRow) -> Walk,
) -> Result<(), StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM object WHERE bucket = ?1 AND key >= ?2 ORDER BY key, sequence DESC");
    walk(connection, &sql, bucket, from, each)
}

/// The same of the keys after that one; of all keys where there is none.
pub fn walk_all_after(
    connection: &Connection,
    bucket: i64,
    after: Option<&str>,
    each: impl FnMut(VersionRow) -> Walk,
) -> Result<(), StoreError> {
    // The least key that is greater.
    let from = after.map_or_else(String::new, |key| format!("{key}\0"));
    walk_all(connection, bucket, from, each)
}

fn walk(
    connection: &Connection,
    sql: &str,
    bucket: i64,
    mut from: String,
    mut each: impl FnMut(VersionRow) -> Walk,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    'seek: loop {
        let mut rows = statement.query((bucket, &from))?;
        while let Some(found) = rows.next()? {
            match each(row(found)?) {
                Walk::On => {}
                Walk::SkipTo(key) => {
                    from = key;
                    continue 'seek;
                }
                Walk::End => return Ok(()),
            }
        }
        return Ok(());
    }
}
