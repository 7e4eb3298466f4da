//! Removing objects and versions.

use super::commit::{bucket, settle_removal};
use super::conditions::Conditions;
use super::errors::Fault;
use super::lock;
use super::operations::Call;
use crate::server::store::BlobName;
use crate::server::store::objects::buckets::BucketRow;
use crate::server::store::objects::versions::{self, VersionInsert, VersionRow};
use crate::wire::Versioning;
use rusqlite::Connection;
use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject,
    ETagCondition, Error, ObjectIdentifier,
};
use s3s::{S3Error, s3_error};

/// Most keys of one request (AWS's limit).
const MOST_KEYS: usize = 1000;

/// What is to be removed, and on what terms.
struct Removal<'a> {
    key: &'a str,
    version: Option<&'a str>,
    conditions: &'a Conditions,
    bypass: bool,
    now: i64,
}

/// What was removed or made.
#[derive(Clone, Debug, Default)]
struct Removed {
    /// The version that was removed, or the marker that was made.
    version: Option<String>,
    /// Whether that is a delete marker.
    marker: bool,
    /// What is to be unlinked.
    blob: Option<BlobName>,
}

/// `DeleteObject`
pub async fn object(call: &Call, input: DeleteObjectInput) -> Result<DeleteObjectOutput, Fault> {
    if input.if_match_size.is_some() || input.if_match_last_modified_time.is_some() {
        return Err(s3_error!(NotImplemented, "this condition is not implemented").into());
    }
    let bypass = lock::bypass(call, input.bypass_governance_retention);
    let conditions = Conditions { if_match: input.if_match, ..Conditions::default() };
    let (caller, now) = (call.caller.clone(), call.now);
    let write = move |c: &Connection| {
        let found = bucket(c, &caller, &input.bucket)?;
        let version = input.version_id.as_deref();
        let removal = Removal { key: &input.key, version, conditions: &conditions, bypass, now };
        let removed = remove(c, &found, &removal)?;
        let blobs = removed.blob.clone().into_iter().collect();
        Ok((removed, blobs))
    };
    let removed = settle_removal(&call.store, write).await?;
    Ok(DeleteObjectOutput {
        delete_marker: removed.marker.then_some(true),
        version_id: removed.version,
        ..Default::default()
    })
}

/// `DeleteObjects`: each on its own; what is refused is in the answer.
pub async fn objects(call: &Call, input: DeleteObjectsInput) -> Result<DeleteObjectsOutput, Fault> {
    let wanted = input.delete.objects;
    if wanted.is_empty() || wanted.len() > MOST_KEYS {
        return Err(s3_error!(MalformedXML, "1 to 1000 keys must be named").into());
    }
    let bypass = lock::bypass(call, input.bypass_governance_retention);
    let quiet = input.delete.quiet == Some(true);
    let (caller, now) = (call.caller.clone(), call.now);
    let write = move |c: &Connection| {
        let found = bucket(c, &caller, &input.bucket)?;
        let (mut deleted, mut errors, mut blobs) = (Vec::new(), Vec::new(), Vec::new());
        for object in wanted {
            match remove_one(c, &found, &object, bypass, now) {
                Ok(removed) => {
                    blobs.extend(removed.blob.clone());
                    deleted.push(shown(object, removed));
                }
                Err(Fault::Refused(error)) => errors.push(refused(object, &error)),
                Err(Fault::Store(error)) => return Err(Fault::Store(error)),
            }
        }
        Ok(((deleted, errors), blobs))
    };
    let (deleted, errors) = settle_removal(&call.store, write).await?;
    Ok(DeleteObjectsOutput {
        deleted: (!quiet).then_some(deleted),
        errors: (!errors.is_empty()).then_some(errors),
        ..Default::default()
    })
}

fn remove_one(
    connection: &Connection,
    bucket: &BucketRow,
    object: &ObjectIdentifier,
    bypass: bool,
    now: i64,
) -> Result<Removed, Fault> {
    let if_match = object.e_tag.clone().map(ETagCondition::ETag);
    let conditions = Conditions { if_match, ..Conditions::default() };
    let version = object.version_id.as_deref();
    remove(connection, bucket, &Removal { key: &object.key, version, conditions: &conditions, bypass, now })
}

fn shown(object: ObjectIdentifier, removed: Removed) -> DeletedObject {
    DeletedObject {
        key: Some(object.key),
        version_id: object.version_id,
        delete_marker: removed.marker.then_some(true),
        delete_marker_version_id: removed.version.filter(|_| removed.marker),
    }
}

fn refused(object: ObjectIdentifier, error: &S3Error) -> Error {
    Error {
        key: Some(object.key),
        version_id: object.version_id,
        code: Some(error.code().as_str().to_owned()),
        message: error.message().map(str::to_owned),
    }
}

/// Removes one version where one is named. Else: without versioning the object, with versioning nothing: a delete
/// marker is put on top. Everything that can be refused is refused before anything is changed.
fn remove(connection: &Connection, bucket: &BucketRow, removal: &Removal<'_>) -> Result<Removed, Fault> {
    let key = removal.key;
    let check = |row: &VersionRow| lock::check_removable(row, removal.now, removal.bypass);
    if removal.conditions.if_match.is_some() {
        let current = match removal.version {
            Some(version) => versions::find(connection, bucket.id, key, version)?,
            None => versions::latest(connection, bucket.id, key)?,
        };
        removal.conditions.check_write(current.as_ref().filter(|row| !row.marker))?;
    }
    if let Some(version) = removal.version {
        let mut removed = Removed { version: Some(version.to_owned()), ..Removed::default() };
        if let Some(row) = versions::find(connection, bucket.id, key, version)? {
            check(&row)?;
            versions::delete(connection, bucket.id, &row)?;
            versions::promote(connection, bucket.id, key)?;
            removed.marker = row.marker;
            removed.blob = row.blob;
        }
        return Ok(removed);
    }
    let replaced = versions::replaced_by(connection, bucket, key)?;
    if let Some(row) = &replaced {
        check(row)?;
        versions::delete(connection, bucket.id, row)?;
    }
    let blob = replaced.and_then(|row| row.blob);
    match bucket.versioning {
        Versioning::Disabled => Ok(Removed { blob, ..Removed::default() }),
        Versioning::Enabled | Versioning::Suspended => {
            let version = versions::new_id(bucket);
            insert_marker(connection, bucket, key, &version, removal.now)?;
            Ok(Removed { version: Some(version), marker: true, blob })
        }
    }
}

fn insert_marker(
    connection: &Connection,
    bucket: &BucketRow,
    key: &str,
    version: &str,
    now: i64,
) -> Result<(), Fault> {
    let marker = VersionInsert {
        key,
        version,
        size: 0,
        etag: "",
        blob: None,
        modified: now,
        attributes: "{}",
        tags: "[]",
        retention: None,
        legal_hold: false,
    };
    Ok(versions::insert(connection, bucket.id, &marker)?)
}
