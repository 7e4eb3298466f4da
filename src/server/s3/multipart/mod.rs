//! Multipart uploads: beginning and aborting one; parts, completing and listing in the other files.
//!
//! A key with permission Write sees only the uploads that it began itself.

pub mod complete;
pub mod list;
pub mod parts;

use super::attributes::{Attributes, Tags, attributes_of, to_json};
use super::auth::Caller;
use super::checksums::Algorithm;
use super::commit::{bucket, settle};
use super::errors::Fault;
use super::lock::{self, Protection};
use super::operations::Call;
use super::put::check_key;
use crate::server::store::objects::buckets::BucketRow;
use crate::server::store::objects::uploads::{self, UploadRow};
use crate::wire::Permission;
use rusqlite::Connection;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumAlgorithm, ChecksumType,
    CreateMultipartUploadInput, CreateMultipartUploadOutput,
};
use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};

/// What is kept with an upload until it is complete.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Plan {
    /// Headers and metadata of the object.
    pub attributes: Attributes,
    /// Tags of the object.
    pub tags: Tags,
    /// Retention and legal hold of the object.
    pub protection: Protection,
    /// The checksum that parts and object have.
    pub algorithm: Option<Algorithm>,
    /// Whether the object's checksum is of its data, not made of those of its parts.
    pub full_object: bool,
}

/// `CreateMultipartUpload`
pub async fn create(
    call: &Call,
    mut input: CreateMultipartUploadInput,
) -> Result<CreateMultipartUploadOutput, Fault> {
    check_key(&input.key)?;
    let protection = Protection::new(
        input.object_lock_mode.as_ref(),
        input.object_lock_retain_until_date.as_ref(),
        input.object_lock_legal_hold_status.as_ref(),
    )?;
    let algorithm = input.checksum_algorithm.as_ref().map(|a| Algorithm::parse(a.as_str())).transpose()?;
    let full_object = is_full_object(algorithm, input.checksum_type.as_ref())?;
    let plan = Plan {
        attributes: attributes_of!(input)?,
        tags: Tags::from_header(input.tagging.as_deref())?,
        protection,
        algorithm,
        full_object,
    };
    let upload = UploadRow {
        id: format!("{:032x}", rand::random::<u128>()),
        key: input.key.clone(),
        access_key: call.caller.key.to_string(),
        created: call.now,
        attributes: to_json(&plan)?,
    };
    let (caller, now, name) = (call.caller.clone(), call.now, input.bucket.clone());
    let id = upload.id.clone();
    let write = move |c: &Connection| {
        let found = bucket(c, &caller, &name)?;
        lock::for_new_version(&found, &plan.protection, now)?;
        uploads::insert(c, found.id, &upload)?;
        Ok(((), Vec::new()))
    };
    settle(&call.store, None, write).await?;
    Ok(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(id),
        checksum_algorithm: algorithm.map(|a| ChecksumAlgorithm::from_static(a.as_str())),
        checksum_type: algorithm.map(|_| checksum_type(full_object)),
        ..Default::default()
    })
}

/// Which kind of checksum the object will have: as asked for, where the algorithm can do that.
fn is_full_object(algorithm: Option<Algorithm>, asked: Option<&ChecksumType>) -> S3Result<bool> {
    let possible: &[&str] = match algorithm {
        None => &[],
        Some(Algorithm::Crc64Nvme) => &[ChecksumType::FULL_OBJECT],
        Some(Algorithm::Crc32 | Algorithm::Crc32c) => &[ChecksumType::COMPOSITE, ChecksumType::FULL_OBJECT],
        Some(Algorithm::Sha1 | Algorithm::Sha256) => &[ChecksumType::COMPOSITE],
    };
    let asked = asked.map(ChecksumType::as_str).or(possible.first().copied());
    if asked.is_some_and(|asked| !possible.contains(&asked)) {
        return Err(s3_error!(InvalidRequest, "this checksum type cannot be had with this algorithm"));
    }
    Ok(asked == Some(ChecksumType::FULL_OBJECT))
}

fn checksum_type(full_object: bool) -> ChecksumType {
    ChecksumType::from_static(if full_object { ChecksumType::FULL_OBJECT } else { ChecksumType::COMPOSITE })
}

/// `AbortMultipartUpload`
pub async fn abort(
    call: &Call,
    input: AbortMultipartUploadInput,
) -> Result<AbortMultipartUploadOutput, Fault> {
    let caller = call.caller.clone();
    let write = move |c: &Connection| {
        let (_, upload) = find(c, &caller, &input.bucket, &input.key, &input.upload_id)?;
        let blobs = uploads::delete(c, &upload.id)?;
        Ok(((), blobs))
    };
    settle(&call.store, None, write).await?;
    Ok(AbortMultipartUploadOutput::default())
}

/// An upload, with its bucket, as far as the caller may see it.
fn find(
    connection: &Connection,
    caller: &Caller,
    name: &str,
    key: &str,
    id: &str,
) -> Result<(BucketRow, UploadRow), Fault> {
    let found = bucket(connection, caller, name)?;
    let upload = uploads::find(connection, found.id, key, id)?.filter(|upload| sees(caller, upload));
    Ok((found, upload.ok_or_else(|| s3_error!(NoSuchUpload))?))
}

fn sees(caller: &Caller, upload: &UploadRow) -> bool {
    match caller.permission {
        Permission::Write => upload.access_key == *caller.key,
        Permission::Full | Permission::ReadWrite | Permission::Read => true,
    }
}
