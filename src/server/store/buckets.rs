//! Buckets: rows, and what is in them.

use super::columns::{Doc, Millis, Word, count, maybe};
use super::lists::{Page, Where};
use super::{StoreError, labels};
use crate::server::domain::buckets::Room;
use crate::wire::{BucketContents, BucketItem, Labels, Quota, Retention, Usage, UserItem, Versioning};
use jiff::Timestamp;
use rusqlite::{Connection, Row};

/// The columns of [`item`]; the first parameter is the time that locks are compared with.
const COLUMNS: &str = "b.user, b.name, b.versioning, b.object_lock, b.retention, b.quota, b.labels, b.created, \
    b.used_bytes, b.used_objects, \
    (SELECT count(*) FROM object o WHERE o.bucket = b.id AND o.marker = 1), \
    (SELECT count(*) FROM upload p WHERE p.bucket = b.id), \
    (SELECT count(*) FROM object o WHERE o.bucket = b.id AND (o.legal_hold = 1 OR o.retained_until > ?1)), \
    (SELECT max(o.retained_until) FROM object o WHERE o.bucket = b.id AND o.retained_until > ?1)";

/// The key that a list of buckets is ordered by, and that labels of a bucket are found by.
const KEY: &str = "b.user || '/' || b.name";

fn item(row: &Row<'_>) -> rusqlite::Result<BucketItem> {
    let (size, objects) = (count(row.get(8)?), count(row.get(9)?));
    Ok(BucketItem {
        user_id: row.get(0)?,
        name: row.get(1)?,
        versioning: row.get::<_, Word<Versioning>>(2)?.0,
        object_lock: row.get(3)?,
        default_retention: row.get::<_, Option<Doc<Retention>>>(4)?.map(|r| r.0),
        quota: row.get::<_, Doc<Quota>>(5)?.0,
        labels: row.get::<_, Doc<Labels>>(6)?.0,
        created_at: row.get::<_, Millis>(7)?.0,
        usage: Usage { buckets: 1, size, objects, ..Usage::default() },
        contents: BucketContents {
            versions: objects,
            delete_markers: count(row.get(10)?),
            uploads: count(row.get(11)?),
            locked: count(row.get(12)?),
            locked_until: row.get::<_, Option<Millis>>(13)?.map(|t| t.0),
        },
    })
}

/// The id that labels of a bucket are found by.
fn label_id(user: &str, name: &str) -> String {
    format!("{user}/{name}")
}

/// One bucket of a user, with what is in it at this time.
pub fn get(
    connection: &Connection,
    user: &str,
    name: &str,
    now: Timestamp,
) -> Result<Option<BucketItem>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM bucket b WHERE b.user = ?2 AND b.name = ?3");
    maybe(connection.prepare_cached(&sql)?.query_row((Millis(now), user, name), item))
}

/// Whether the user has a bucket of that name.
pub fn exists(connection: &Connection, user: &str, name: &str) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM bucket WHERE user = ?1 AND name = ?2")?;
    Ok(statement.exists([user, name])?)
}

/// Buckets in the order of `<user id>/<name>`.
pub fn list(
    connection: &Connection,
    page: &Page,
    filter: Where,
    now: Timestamp,
) -> Result<Vec<BucketItem>, StoreError> {
    // The time is our own number, so it may stand in the text; positional parameters follow it.
    let columns = COLUMNS.replace("?1", &now.as_millisecond().to_string());
    let sql = format!(
        "SELECT {columns} FROM bucket b JOIN user u ON u.id = b.user JOIN tenant t ON t.id = u.tenant"
    );
    filter.after(KEY, page).rows(connection, &sql, KEY, page, item)
}

/// What the quotas of a new bucket of this user are compared with.
pub fn room(connection: &Connection, owner: &UserItem) -> Result<Room, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT (SELECT count(*) FROM bucket WHERE user = ?1), \
         (SELECT count(*) FROM bucket b JOIN user u ON u.id = b.user WHERE u.tenant = ?2), \
         (SELECT quota FROM tenant WHERE id = ?2)",
    )?;
    let room = statement.query_row([&owner.id, &owner.tenant_id], |row| {
        Ok(Room {
            user_buckets: count(row.get(0)?),
            tenant_buckets: count(row.get(1)?),
            tenant_quota: row.get::<_, Doc<Quota>>(2)?.0,
        })
    })?;
    Ok(room)
}

/// Adds a bucket.
pub fn insert(connection: &Connection, bucket: &BucketItem) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO bucket (user, name, versioning, object_lock, retention, quota, labels, created) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute((
            &bucket.user_id,
            &bucket.name,
            Word(bucket.versioning),
            bucket.object_lock,
            bucket.default_retention.map(Doc),
            Doc(bucket.quota),
            Doc(&bucket.labels),
            Millis(bucket.created_at),
        ))?;
    let id = label_id(&bucket.user_id, &bucket.name);
    labels::replace(connection, labels::Kind::Bucket, &id, &bucket.labels)
}

/// Writes what of a bucket may change.
pub fn update(connection: &Connection, bucket: &BucketItem) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE bucket SET versioning = ?3, retention = ?4, quota = ?5, labels = ?6 \
             WHERE user = ?1 AND name = ?2",
        )?
        .execute((
            &bucket.user_id,
            &bucket.name,
            Word(bucket.versioning),
            bucket.default_retention.map(Doc),
            Doc(bucket.quota),
            Doc(&bucket.labels),
        ))?;
    let id = label_id(&bucket.user_id, &bucket.name);
    labels::replace(connection, labels::Kind::Bucket, &id, &bucket.labels)
}

/// Removes an empty bucket; the database refuses one that is not.
pub fn delete(connection: &Connection, user: &str, name: &str) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM bucket WHERE user = ?1 AND name = ?2")?.execute([user, name])?;
    labels::remove(connection, labels::Kind::Bucket, &label_id(user, name))
}
