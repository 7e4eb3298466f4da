//! `CopyObject`: blobs never change, so a copy is a second name for the same data.

use super::attributes::{Attributes, Tags, attributes_of, from_json};
use super::checksums::put_sums;
use super::commit::{NewVersion, bucket, insert_version, settle, shown_version};
use super::conditions::Conditions;
use super::convert::{etag, timestamp};
use super::errors::Fault;
use super::get::find_with_blob;
use super::lock::Protection;
use super::operations::Call;
use super::put::check_key;
use crate::server::store::objects::buckets::BucketRow;
use crate::server::store::objects::versions::{self, VersionRow};
use crate::server::store::{BlobName, Draft};
use rusqlite::Connection;
use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, MetadataDirective, TaggingDirective,
};
use s3s::{S3Result, s3_error};

/// What a copy is made of.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The bucket.
    pub bucket: &'a str,
    /// The key.
    pub key: &'a str,
    /// The version, where one is named.
    pub version: Option<&'a str>,
}

/// The source of a copy, which the key must reach as well.
pub fn source<'a>(call: &Call, source: &'a CopySource) -> S3Result<Source<'a>> {
    let CopySource::Bucket { bucket, key, version_id } = source else {
        return Err(s3_error!(NotImplemented, "only buckets of this server can be copied from"));
    };
    if !call.caller.reaches(bucket) {
        return Err(s3_error!(AccessDenied, "the access key is restricted to other buckets"));
    }
    Ok(Source { bucket, key, version: version_id.as_deref() })
}

/// `CopyObject`
pub async fn object(call: &Call, mut input: CopyObjectInput) -> Result<CopyObjectOutput, Fault> {
    check_key(&input.key)?;
    let from = source(call, &input.copy_source)?;
    let protection = Protection::new(
        input.object_lock_mode.as_ref(),
        input.object_lock_retain_until_date.as_ref(),
        input.object_lock_legal_hold_status.as_ref(),
    )?;
    let replace =
        input.metadata_directive.as_ref().map(MetadataDirective::as_str) == Some(MetadataDirective::REPLACE);
    let replace_tags =
        input.tagging_directive.as_ref().map(TaggingDirective::as_str) == Some(TaggingDirective::REPLACE);
    let itself = from.bucket == input.bucket && from.key == input.key && from.version.is_none();
    if itself && !replace && !replace_tags {
        return Err(s3_error!(InvalidRequest, "a copy onto itself must replace metadata or tags").into());
    }
    bucket_exists(call, &input.bucket).await?;
    let conditions = Conditions {
        if_match: input.copy_source_if_match.take(),
        if_none_match: input.copy_source_if_none_match.take(),
        ..Conditions::default()
    }
    .since(input.copy_source_if_modified_since.as_ref(), input.copy_source_if_unmodified_since.as_ref());
    let (found, row, (draft, parts)) = link(call, from, conditions).await?;
    let stored: Attributes = from_json(&row.attributes)?;
    let sums = stored.sums.clone();
    let attributes =
        if replace { Attributes { sums: sums.clone(), ..attributes_of!(input)? } } else { stored };
    let tags =
        if replace_tags { Tags::from_header(input.tagging.as_deref())? } else { from_json(&row.tags)? };
    let new = NewVersion {
        key: input.key,
        size: row.size,
        etag: row.etag.clone(),
        blob: draft.name().clone(),
        attributes,
        tags,
        protection,
        parts,
    };
    let (caller, now, name) = (call.caller.clone(), call.now, input.bucket);
    let write = move |c: &Connection| insert_version(c, &caller, &name, &new, &Conditions::default(), now);
    let done = settle(&call.store, Some(draft), write).await?;
    let mut result = CopyObjectResult {
        e_tag: Some(etag(&row.etag)),
        last_modified: Some(timestamp(done.modified)),
        ..Default::default()
    };
    put_sums!(result, sums);
    Ok(CopyObjectOutput {
        copy_object_result: Some(result),
        copy_source_version_id: shown_version(&found, row.version),
        version_id: done.version,
        ..Default::default()
    })
}

async fn link(
    call: &Call,
    from: Source<'_>,
    conditions: Conditions,
) -> Result<(BucketRow, VersionRow, (Draft, Option<String>)), Fault> {
    let blobs = call.store.blobs().clone();
    let with = move |c: &Connection, _: &BucketRow, row: &VersionRow, blob: &BlobName| {
        conditions.check_source(row)?;
        let parts = versions::parts(c, row.sequence)?;
        Ok(blobs.link(blob)?.map(|draft| (draft, parts)))
    };
    find_with_blob(call, from.bucket, from.key, from.version, with).await
}

async fn bucket_exists(call: &Call, name: &str) -> Result<(), Fault> {
    let (caller, name) = (call.caller.clone(), name.to_owned());
    call.store.read(move |c| bucket(c, &caller, &name).map(drop)).await
}
