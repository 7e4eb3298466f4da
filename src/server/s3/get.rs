//! Reading objects: `GetObject`, `HeadObject`, `GetObjectAttributes`.

use super::attributes::{Attributes, Tags, from_json};
use super::checksums::{Sums, put_sums};
use super::commit::{bucket, shown_version};
use super::conditions::Conditions;
use super::convert::{count, etag, timestamp};
use super::errors::Fault;
use super::lock::{hold_name, mode_name};
use super::operations::Call;
use super::parts::{self, Parts};
use crate::server::store::objects::buckets::BucketRow;
use crate::server::store::objects::versions::{self, VersionRow};
use crate::server::store::{BlobName, StoreError};
use http::{HeaderMap, HeaderValue};
use rusqlite::Connection;
use s3s::dto::{
    Checksum, ChecksumMode, ChecksumType, GetObjectAttributesInput, GetObjectAttributesOutput,
    GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, ObjectAttributes,
    ObjectLockLegalHoldStatus, ObjectLockMode, Range, StorageClass, StreamingBlob,
};
use s3s::{S3Error, S3Result, s3_error};
use std::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

/// What is read from the disk at once.
const CHUNK: usize = 256 * 1024;

/// A version to read from; a delete marker is none.
pub fn find_version(
    connection: &Connection,
    bucket: &BucketRow,
    key: &str,
    version: Option<&str>,
) -> Result<VersionRow, Fault> {
    let found = match version {
        Some(version) => versions::find(connection, bucket.id, key, version)?,
        None => versions::latest(connection, bucket.id, key)?,
    };
    match (found, version) {
        (Some(row), None) if row.marker => Err(marker(s3_error!(NoSuchKey), &row).into()),
        (Some(row), Some(_)) if row.marker => Err(marker(s3_error!(MethodNotAllowed), &row).into()),
        (Some(row), _) => Ok(row),
        (None, None) => Err(s3_error!(NoSuchKey).into()),
        (None, Some(_)) => Err(s3_error!(NoSuchVersion).into()),
    }
}

/// An error that says that a delete marker is why.
fn marker(mut error: S3Error, row: &VersionRow) -> S3Error {
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-delete-marker", HeaderValue::from_static("true"));
    if let Ok(version) = HeaderValue::from_str(&row.version) {
        headers.insert("x-amz-version-id", version);
    }
    error.set_headers(headers);
    error
}

/// A version, and what `with` makes of its blob.
///
/// Between the row and the blob the version may be replaced and its blob unlinked: then the row is read again. A row
/// that is still there without its blob is damage.
pub async fn find_with_blob<T, F>(
    call: &Call,
    name: &str,
    key: &str,
    version: Option<&str>,
    with: F,
) -> Result<(BucketRow, VersionRow, T), Fault>
where
    T: Send + 'static,
    F: Fn(&Connection, &BucketRow, &VersionRow, &BlobName) -> Result<Option<T>, Fault>
        + Clone
        + Send
        + 'static,
{
    let mut missing: Option<BlobName> = None;
    loop {
        let (caller, with) = (call.caller.clone(), with.clone());
        let (name, key, version) = (name.to_owned(), key.to_owned(), version.map(str::to_owned));
        let read = move |c: &Connection| {
            let found = bucket(c, &caller, &name)?;
            let row = find_version(c, &found, &key, version.as_deref())?;
            let blob = row.blob.clone().ok_or_else(|| damaged("a version has no blob"))?;
            let value = with(c, &found, &row, &blob)?;
            Ok::<_, Fault>((found, row, blob, value))
        };
        let (found, row, blob, value) = call.store.read(read).await?;
        match value {
            Some(value) => return Ok((found, row, value)),
            None if missing.as_ref() == Some(&blob) => return Err(damaged("a blob is missing").into()),
            None => missing = Some(blob),
        }
    }
}

fn damaged(what: &str) -> StoreError {
    StoreError::Corrupt(what.to_owned())
}

/// `GetObject`
pub async fn object(call: &Call, input: GetObjectInput) -> Result<GetObjectOutput, Fault> {
    let conditions =
        Conditions { if_match: input.if_match, if_none_match: input.if_none_match, ..Conditions::default() }
            .since(input.if_modified_since.as_ref(), input.if_unmodified_since.as_ref());
    let blobs = call.store.blobs().clone();
    let by_part = input.part_number.is_some();
    let open = move |c: &Connection, _: &BucketRow, row: &VersionRow, blob: &BlobName| {
        conditions.check_read(row)?;
        let parts = parts::if_asked(c, row.sequence, by_part)?;
        Ok(blobs.read(blob)?.map(|file| (file, parts)))
    };
    let version = input.version_id.as_deref();
    let (found, row, (file, parts)) = find_with_blob(call, &input.bucket, &input.key, version, open).await?;
    let about = About::new(found, row, parts, input.checksum_mode.as_ref())?;
    let (range, content_range) = about.range(input.range, input.part_number)?;
    let length = range.end - range.start;
    let whole = content_range.is_none();
    let mut output = GetObjectOutput {
        body: Some(stream(file, range.start, length).await?),
        accept_ranges: Some("bytes".to_owned()),
        cache_control: about.attributes.cache_control.clone(),
        content_disposition: about.attributes.content_disposition.clone(),
        content_encoding: about.attributes.content_encoding.clone(),
        content_language: about.attributes.content_language.clone(),
        content_length: i64::try_from(length).ok(),
        content_range,
        content_type: Some(about.attributes.content_type()),
        e_tag: Some(etag(&about.row.etag)),
        expires: about.attributes.expires(),
        last_modified: Some(timestamp(about.row.modified)),
        metadata: about.attributes.metadata(),
        object_lock_legal_hold_status: about.legal_hold(),
        object_lock_mode: about.lock_mode(),
        object_lock_retain_until_date: about.row.retained_until.map(timestamp),
        parts_count: about.parts_count(),
        tag_count: about.tag_count()?,
        ..Default::default()
    };
    if whole {
        output.checksum_type = about.checksum_type();
        put_sums!(output, about.sums.clone());
    }
    output.version_id = shown_version(&about.bucket, about.row.version);
    Ok(output)
}

/// `HeadObject`
pub async fn head(call: &Call, input: HeadObjectInput) -> Result<HeadObjectOutput, Fault> {
    let conditions =
        Conditions { if_match: input.if_match, if_none_match: input.if_none_match, ..Conditions::default() }
            .since(input.if_modified_since.as_ref(), input.if_unmodified_since.as_ref());
    let by_part = input.part_number.is_some();
    let (found, row, parts) = find(call, input.bucket, input.key, input.version_id, by_part).await?;
    conditions.check_read(&row)?;
    let about = About::new(found, row, parts, input.checksum_mode.as_ref())?;
    let (range, content_range) = about.range(input.range, input.part_number)?;
    let mut output = HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        cache_control: about.attributes.cache_control.clone(),
        content_disposition: about.attributes.content_disposition.clone(),
        content_encoding: about.attributes.content_encoding.clone(),
        content_language: about.attributes.content_language.clone(),
        content_length: i64::try_from(range.end - range.start).ok(),
        content_range,
        content_type: Some(about.attributes.content_type()),
        e_tag: Some(etag(&about.row.etag)),
        expires: about.attributes.expires(),
        last_modified: Some(timestamp(about.row.modified)),
        metadata: about.attributes.metadata(),
        object_lock_legal_hold_status: about.legal_hold(),
        object_lock_mode: about.lock_mode(),
        object_lock_retain_until_date: about.row.retained_until.map(timestamp),
        checksum_type: about.checksum_type(),
        parts_count: about.parts_count(),
        ..Default::default()
    };
    put_sums!(output, about.sums.clone());
    output.version_id = shown_version(&about.bucket, about.row.version);
    Ok(output)
}

/// `GetObjectAttributes`
pub async fn attributes(
    call: &Call,
    input: GetObjectAttributesInput,
) -> Result<GetObjectAttributesOutput, Fault> {
    let (bucket, key, version) = (input.bucket.clone(), input.key.clone(), input.version_id.clone());
    let (found, row, parts) = find(call, bucket, key, version, true).await?;
    let mode = ChecksumMode::from_static(ChecksumMode::ENABLED);
    let about = About::new(found, row, parts, Some(&mode))?;
    let asked = || input.object_attributes.iter().flat_map(|list| list.as_str().split(',')).map(str::trim);
    let wanted = |name: &str| asked().any(|attribute| attribute == name);
    let mut checksum = Checksum { checksum_type: about.checksum_type(), ..Default::default() };
    put_sums!(checksum, about.sums.clone());
    let standard = StorageClass::from_static(StorageClass::STANDARD);
    Ok(GetObjectAttributesOutput {
        checksum: (wanted(ObjectAttributes::CHECKSUM) && !about.sums.is_empty()).then_some(checksum),
        e_tag: wanted(ObjectAttributes::ETAG).then(|| etag(&about.row.etag)),
        last_modified: Some(timestamp(about.row.modified)),
        object_parts: about
            .parts
            .as_ref()
            .filter(|_| wanted(ObjectAttributes::OBJECT_PARTS))
            .map(|parts| parts.page(&input)),
        object_size: wanted(ObjectAttributes::OBJECT_SIZE).then_some(about.row.size),
        storage_class: wanted(ObjectAttributes::STORAGE_CLASS).then_some(standard),
        version_id: shown_version(&about.bucket, about.row.version),
        ..Default::default()
    })
}

async fn find(
    call: &Call,
    name: String,
    key: String,
    version: Option<String>,
    with_parts: bool,
) -> Result<(BucketRow, VersionRow, Option<Parts>), Fault> {
    let caller = call.caller.clone();
    let read = move |c: &Connection| {
        let found = bucket(c, &caller, &name)?;
        let row = find_version(c, &found, &key, version.as_deref())?;
        let parts = parts::if_asked(c, row.sequence, with_parts)?;
        Ok((found, row, parts))
    };
    call.store.read(read).await
}

async fn stream(file: File, start: u64, length: u64) -> Result<StreamingBlob, StoreError> {
    let mut file = tokio::fs::File::from_std(file);
    let failed = |source| StoreError::File { op: "read", path: "a blob".into(), source };
    if start > 0 {
        file.seek(std::io::SeekFrom::Start(start)).await.map_err(failed)?;
    }
    let reader = tokio_util::io::ReaderStream::with_capacity(file.take(length), CHUNK);
    Ok(StreamingBlob::wrap(reader))
}

/// What the answers about an object have in common.
struct About {
    bucket: BucketRow,
    row: VersionRow,
    attributes: Attributes,
    /// The checksums, where the client asked for them.
    sums: Sums,
    /// Where its parts lie, where the client asked for that and it has such.
    parts: Option<Parts>,
}

impl About {
    fn new(
        bucket: BucketRow,
        row: VersionRow,
        parts: Option<Parts>,
        mode: Option<&ChecksumMode>,
    ) -> Result<Self, Fault> {
        let attributes: Attributes = from_json(&row.attributes)?;
        let asked = mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED);
        let sums = if asked { attributes.sums.clone() } else { Sums::default() };
        Ok(Self { bucket, row, attributes, sums, parts })
    }

    /// What is to be read, and `Content-Range` where it was asked for.
    fn range(
        &self,
        asked: Option<Range>,
        part: Option<i32>,
    ) -> S3Result<(std::ops::Range<u64>, Option<String>)> {
        let size = u64::try_from(self.row.size).unwrap_or(0);
        let range = match (asked, part) {
            (None, None) => return Ok((0..size, None)),
            (Some(asked), None) => asked.check(size)?,
            (None, Some(number)) => parts::range_of(self.parts.as_ref(), size, number)?,
            (Some(_), Some(_)) => {
                return Err(s3_error!(
                    InvalidRequest,
                    "a range and a part number must not be given together"
                ));
            }
        };
        if range.is_empty() {
            return Ok((range, None));
        }
        let shown = format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1));
        Ok((range, Some(shown)))
    }

    fn parts_count(&self) -> Option<i32> {
        self.parts.as_ref().map(Parts::count)
    }

    fn lock_mode(&self) -> Option<ObjectLockMode> {
        self.row.retention_mode.map(|mode| ObjectLockMode::from_static(mode_name(mode)))
    }

    fn legal_hold(&self) -> Option<ObjectLockLegalHoldStatus> {
        let status = ObjectLockLegalHoldStatus::from_static(hold_name(self.row.legal_hold));
        self.bucket.object_lock.then_some(status)
    }

    fn tag_count(&self) -> Result<Option<i32>, StoreError> {
        let tags: Tags = from_json(&self.row.tags)?;
        Ok((!tags.0.is_empty()).then(|| count(tags.0.len())))
    }

    /// Whether the checksum is of the whole object or made of those of its parts.
    fn checksum_type(&self) -> Option<ChecksumType> {
        let composite = self.sums.is_composite();
        let kind = if composite { ChecksumType::COMPOSITE } else { ChecksumType::FULL_OBJECT };
        (!self.sums.is_empty()).then(|| ChecksumType::from_static(kind))
    }
}
