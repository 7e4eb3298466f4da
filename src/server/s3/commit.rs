//! The one way in which a version comes to be.
//!
//! The data lies fsynced in a blob that no row refers to. One transaction then checks that the bucket is there, the
//! conditions hold, what is replaced is not locked, and the quotas of bucket, user and tenant allow it; it writes the
//! row and counts it. What was replaced is unlinked after the commit.

use super::attributes::{Attributes, Tags, to_json};
use super::auth::Caller;
use super::conditions::Conditions;
use super::errors::Fault;
use super::lock::{self, Protection};
use super::quota;
use crate::server::store::objects::buckets::{self, BucketRow};
use crate::server::store::objects::versions::{self, VersionInsert};
use crate::server::store::{BlobName, Draft, Store, StoreError};
use crate::wire::Versioning;
use rusqlite::Connection;
use s3s::s3_error;

/// What becomes a version.
#[derive(Clone, Debug)]
pub struct NewVersion {
    /// The key.
    pub key: String,
    /// Bytes.
    pub size: i64,
    /// The entity tag, without quotes.
    pub etag: String,
    /// The data.
    pub blob: BlobName,
    /// Headers, metadata and checksums.
    pub attributes: Attributes,
    /// Tags.
    pub tags: Tags,
    /// Retention and legal hold that were asked for.
    pub protection: Protection,
    /// Where its parts lie, where it was uploaded in parts; JSON.
    pub parts: Option<String>,
}

/// What became of it.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The version id, where the bucket has such.
    pub version: Option<String>,
    /// When it was written.
    pub modified: i64,
}

/// The caller's bucket of that name.
pub fn bucket(connection: &Connection, caller: &Caller, name: &str) -> Result<BucketRow, Fault> {
    buckets::find(connection, &caller.user, name)?.ok_or_else(|| s3_error!(NoSuchBucket).into())
}

/// Writes a version, in the transaction that it is called in; also answers what blobs it replaced.
pub fn insert_version(
    connection: &Connection,
    caller: &Caller,
    bucket_name: &str,
    new: &NewVersion,
    conditions: &Conditions,
    now: i64,
) -> Result<(Stored, Vec<BlobName>), Fault> {
    let bucket = bucket(connection, caller, bucket_name)?;
    let current = versions::latest(connection, bucket.id, &new.key)?.filter(|row| !row.marker);
    conditions.check_write(current.as_ref())?;
    let retention = lock::for_new_version(&bucket, &new.protection, now)?;
    let replaced = versions::replaced_by(connection, &bucket, &new.key)?;
    if let Some(old) = &replaced {
        lock::check_removable(old, now, false)?;
        versions::delete(connection, bucket.id, old)?;
    }
    let version = versions::new_id(&bucket);
    let insert = VersionInsert {
        key: &new.key,
        version: &version,
        size: new.size,
        etag: &new.etag,
        blob: Some(&new.blob),
        modified: now,
        attributes: &to_json(&new.attributes)?,
        tags: &to_json(&new.tags)?,
        retention,
        legal_hold: new.protection.legal_hold,
    };
    versions::insert(connection, bucket.id, &insert)?;
    if let Some(parts) = &new.parts {
        versions::set_parts(connection, bucket.id, &new.key, parts)?;
    }
    quota::check(connection, &caller.user, &self::bucket(connection, caller, bucket_name)?)?;
    let version = shown_version(&bucket, version);
    Ok((Stored { version, modified: now }, replaced.and_then(|old| old.blob).into_iter().collect()))
}

/// A version id for an answer: a bucket that never had versions shows none.
pub fn shown_version(bucket: &BucketRow, version: String) -> Option<String> {
    match bucket.versioning {
        Versioning::Disabled => None,
        Versioning::Enabled | Versioning::Suspended => Some(version),
    }
}

/// Runs a write that removes something: on a full disk it may be repeated, as long as there is room kept back for it.
pub async fn settle_removal<T, F>(store: &Store, write: F) -> Result<T, Fault>
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> Result<(T, Vec<BlobName>), Fault> + Send + 'static,
{
    match settle(store, None, write).await {
        Err(Fault::Store(error)) => Err(Fault::Store(store.with_reserve(error).await)),
        outcome => outcome,
    }
}

/// Runs the write that a blob is for, to its end even when the client goes away, and unlinks what it replaced.
///
/// The blob is let go of before the write is queued: from then on only the outcome says whether a row refers to it. On
/// a refusal none does, and it is unlinked; when the store fails nobody knows, unless it says that it did nothing, and
/// the next sweep decides.
pub async fn settle<T, F>(store: &Store, draft: Option<Draft>, write: F) -> Result<T, Fault>
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> Result<(T, Vec<BlobName>), Fault> + Send + 'static,
{
    let store = store.clone();
    let blob = draft.map(Draft::release);
    let settling = tokio::spawn(async move {
        match store.write(write).await {
            Ok((value, replaced)) => {
                store.blobs().remove(replaced).await;
                Ok(value)
            }
            Err(Fault::Refused(error)) => {
                store.blobs().remove(blob.into_iter().collect()).await;
                Err(Fault::Refused(error))
            }
            Err(Fault::Store(error)) => {
                if error.did_nothing() {
                    store.blobs().remove(blob.into_iter().collect()).await;
                }
                Err(Fault::Store(error))
            }
        }
    });
    settling.await.unwrap_or(Err(Fault::Store(StoreError::Thread)))
}
