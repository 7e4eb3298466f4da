//! Multipart uploads and their parts.

use super::all;
use crate::server::store::columns::maybe;
use crate::server::store::{BlobName, StoreError};
use rusqlite::{Connection, Row, params};

/// An upload that is neither complete nor aborted. Times are milliseconds since 1970.
#[derive(Clone, Debug)]
pub struct UploadRow {
    /// The upload id.
    pub id: String,
    /// The key that it will become.
    pub key: String,
    /// The access key that began it.
    pub access_key: String,
    /// When it was begun.
    pub created: i64,
    /// What its object will have, JSON.
    pub attributes: String,
}

/// A part.
#[derive(Clone, Debug)]
pub struct PartRow {
    /// 1 to 10 000.
    pub number: i32,
    /// Bytes.
    pub size: i64,
    /// The MD5, hexadecimal.
    pub etag: String,
    /// The data.
    pub blob: BlobName,
    /// Checksums, JSON.
    pub checksums: String,
    /// When it was written.
    pub modified: i64,
}

const COLUMNS: &str = "id, key, access_key, created, attributes";

fn row(row: &Row<'_>) -> rusqlite::Result<UploadRow> {
    Ok(UploadRow {
        id: row.get(0)?,
        key: row.get(1)?,
        access_key: row.get(2)?,
        created: row.get(3)?,
        attributes: row.get(4)?,
    })
}

fn part(row: &Row<'_>) -> rusqlite::Result<PartRow> {
    Ok(PartRow {
        number: row.get(0)?,
        size: row.get(1)?,
        etag: row.get(2)?,
        blob: row.get(3)?,
        checksums: row.get(4)?,
        modified: row.get(5)?,
    })
}

/// Adds an upload.
pub fn insert(connection: &Connection, bucket: i64, upload: &UploadRow) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO upload (id, bucket, key, access_key, created, attributes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            upload.id,
            bucket,
            upload.key,
            upload.access_key,
            upload.created,
            upload.attributes
        ])?;
    Ok(())
}

/// The upload of that id to that key.
pub fn find(
    connection: &Connection,
    bucket: i64,
    key: &str,
    id: &str,
) -> Result<Option<UploadRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM upload WHERE id = ?1 AND bucket = ?2 AND key = ?3");
    maybe(connection.prepare_cached(&sql)?.query_row((id, bucket, key), row))
}

/// Uploads whose key begins with `prefix`, after (key, id), by key and id.
pub fn list(
    connection: &Connection,
    bucket: i64,
    prefix: &str,
    after: (&str, &str),
) -> Result<Vec<UploadRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM upload WHERE bucket = ?1 AND substr(key, 1, length(?2)) = ?2 \
         AND (key, id) > (?3, ?4) ORDER BY key, id"
    );
    all(connection.prepare_cached(&sql)?.query_map((bucket, prefix, after.0, after.1), row)?)
}

/// Removes an upload and its parts; their blobs are for the caller to unlink after the commit.
pub fn delete(connection: &Connection, id: &str) -> Result<Vec<BlobName>, StoreError> {
    let blobs = all(connection
        .prepare_cached("SELECT blob FROM part WHERE upload = ?1")?
        .query_map([id], |row| row.get(0))?)?;
    connection.prepare_cached("DELETE FROM upload WHERE id = ?1")?.execute([id])?;
    Ok(blobs)
}

/// Adds or replaces a part; the blob that it had is for the caller to unlink after the commit.
pub fn put_part(
    connection: &Connection,
    upload: &str,
    part: &PartRow,
) -> Result<Option<BlobName>, StoreError> {
    let replaced = maybe(
        connection
            .prepare_cached("SELECT blob FROM part WHERE upload = ?1 AND number = ?2")?
            .query_row((upload, part.number), |row| row.get(0)),
    )?;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO part (upload, number, size, etag, blob, checksums, modified) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            upload,
            part.number,
            part.size,
            part.etag,
            part.blob,
            part.checksums,
            part.modified
        ])?;
    Ok(replaced)
}

/// Parts after a number, by number.
pub fn parts(connection: &Connection, upload: &str, after: i32) -> Result<Vec<PartRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT number, size, etag, blob, checksums, modified FROM part WHERE upload = ?1 AND number > ?2 \
         ORDER BY number",
    )?;
    all(statement.query_map((upload, after), part)?)
}

/// The bytes of a part, where it is there.
pub fn part_size(connection: &Connection, upload: &str, number: i32) -> Result<Option<i64>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT size FROM part WHERE upload = ?1 AND number = ?2")?;
    maybe(statement.query_row((upload, number), |row| row.get(0)))
}

/// Uploads that nothing was done to since then, at most `most`.
pub fn abandoned(connection: &Connection, before: i64, most: u32) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM upload u WHERE created < ?1 \
         AND NOT EXISTS (SELECT 1 FROM part p WHERE p.upload = u.id AND p.modified >= ?1) LIMIT ?2",
    )?;
    all(statement.query_map((before, most), |row| row.get(0))?)
}
