//! Parts: uploaded, or copied from an object.

use super::super::attributes::{from_json, to_json};
use super::super::body::{Announced, receive};
use super::super::checksums::{self, Algorithm, Sums, put_sums, sums_of};
use super::super::commit::{settle, shown_version};
use super::super::conditions::Conditions;
use super::super::convert::{etag, timestamp};
use super::super::copy::source;
use super::super::errors::Fault;
use super::super::get::find_with_blob;
use super::super::operations::Call;
use super::super::quota::{self, Reservation};
use super::{Plan, find};
use crate::hex::hex;
use crate::server::store::objects::buckets::BucketRow;
use crate::server::store::objects::uploads::{self, PartRow};
use crate::server::store::objects::versions::VersionRow;
use crate::server::store::{BlobName, Draft};
use rusqlite::Connection;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{
    CopyPartResult, Range, UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Result, s3_error};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};

const CHUNK: usize = 512 * 1024;

/// `UploadPart`
pub async fn upload(call: &Call, mut input: UploadPartInput) -> Result<UploadPartOutput, Fault> {
    check_number(input.part_number)?;
    let to = Target { bucket: input.bucket, key: input.key, upload: input.upload_id };
    let (plan, reservation) = precheck(call, &to, input.part_number).await?;
    let named = input.checksum_algorithm.as_ref().map(|a| Algorithm::parse(a.as_str())).transpose()?;
    let announced = Announced {
        md5: input.content_md5.take(),
        sums: sums_of!(input),
        algorithm: named.or(plan.algorithm),
        length: input.content_length,
    };
    let received = receive(call, input.body.take(), announced, reservation).await?;
    let part = PartRow {
        number: input.part_number,
        size: received.size,
        etag: hex(&received.md5),
        blob: received.draft.name().clone(),
        checksums: to_json(&received.sums)?,
        modified: call.now,
    };
    let mut output = UploadPartOutput { e_tag: Some(etag(&part.etag)), ..Default::default() };
    put_sums!(output, received.sums);
    write(call, to, part, received.draft, received.reservation).await?;
    Ok(output)
}

/// `UploadPartCopy`
pub async fn copy(call: &Call, mut input: UploadPartCopyInput) -> Result<UploadPartCopyOutput, Fault> {
    check_number(input.part_number)?;
    let to = Target { bucket: input.bucket, key: input.key, upload: input.upload_id };
    let (plan, mut reservation) = precheck(call, &to, input.part_number).await?;
    let from = source(call, &input.copy_source)?;
    let range = input.copy_source_range.as_deref().map(parse_range).transpose()?;
    let conditions = Conditions {
        if_match: input.copy_source_if_match.take(),
        if_none_match: input.copy_source_if_none_match.take(),
        ..Conditions::default()
    }
    .since(input.copy_source_if_modified_since.as_ref(), input.copy_source_if_unmodified_since.as_ref());
    let blobs = call.store.blobs().clone();
    let open = move |_: &Connection, _: &BucketRow, row: &VersionRow, blob: &BlobName| {
        conditions.check_source(row)?;
        Ok(blobs.read(blob)?)
    };
    let (found, row, file) = find_with_blob(call, from.bucket, from.key, from.version, open).await?;
    let size = u64::try_from(row.size).unwrap_or(0);
    let range = range.map_or(Ok(0..size), |range| range.check(size)).map_err(s3s::S3Error::from)?;
    reservation.grow_to(i64::try_from(range.end - range.start).unwrap_or(i64::MAX))?;
    let (part, sums, draft) = copy_range(call, file, range, input.part_number, plan.algorithm).await?;
    let mut result = CopyPartResult {
        e_tag: Some(etag(&part.etag)),
        last_modified: Some(timestamp(part.modified)),
        ..Default::default()
    };
    put_sums!(result, sums);
    write(call, to, part, draft, reservation).await?;
    Ok(UploadPartCopyOutput {
        copy_part_result: Some(result),
        copy_source_version_id: shown_version(&found, row.version),
        ..Default::default()
    })
}

/// Where a part goes.
#[derive(Clone)]
struct Target {
    bucket: String,
    key: String,
    upload: String,
}

async fn write(
    call: &Call,
    to: Target,
    part: PartRow,
    draft: Draft,
    reservation: Reservation,
) -> Result<(), Fault> {
    let caller = call.caller.clone();
    let write = move |c: &Connection| {
        drop(reservation);
        let (found, upload) = find(c, &caller, &to.bucket, &to.key, &to.upload)?;
        let replaced = uploads::put_part(c, &upload.id, &part)?;
        quota::check(c, &caller.user, &found)?;
        Ok(((), replaced.into_iter().collect()))
    };
    settle(&call.store, Some(draft), write).await
}

/// What is known of the upload before the part arrives: its plan. Begins to reserve.
async fn precheck(call: &Call, to: &Target, number: i32) -> Result<(Plan, Reservation), Fault> {
    let (caller, ledger, to) = (call.caller.clone(), call.ledger.clone(), to.clone());
    let read = move |c: &Connection| {
        let (found, upload) = find(c, &caller, &to.bucket, &to.key, &to.upload)?;
        let replaced = uploads::part_size(c, &upload.id, number)?;
        Ok::<_, Fault>((from_json(&upload.attributes)?, ledger.begin(c, &caller.user, &found, replaced, 0)?))
    };
    call.store.read(read).await
}

fn check_number(number: i32) -> S3Result<()> {
    if (1..=10_000).contains(&number) {
        return Ok(());
    }
    Err(s3_error!(InvalidArgument, "the part number must be 1 to 10000"))
}

/// A range of the source of a copy: both ends must be named.
pub fn parse_range(text: &str) -> S3Result<Range> {
    match Range::parse(text) {
        Ok(range @ Range::Int { last: Some(_), .. }) => Ok(range),
        Ok(_) | Err(_) => {
            Err(s3_error!(InvalidArgument, "x-amz-copy-source-range must be like 'bytes=first-last'"))
        }
    }
}

async fn copy_range(
    call: &Call,
    mut file: File,
    range: std::ops::Range<u64>,
    number: i32,
    algorithm: Option<Algorithm>,
) -> Result<(PartRow, Sums, Draft), Fault> {
    let mut writer = call.store.blobs().create();
    let failed =
        |source| crate::server::store::StoreError::File { op: "read", path: "a blob".into(), source };
    let mut hasher = checksums::hasher(&Sums::default(), None, algorithm);
    let mut md5 = Md5::new();
    file.seek(SeekFrom::Start(range.start)).map_err(failed)?;
    let mut left = range.end - range.start;
    let size = i64::try_from(left).unwrap_or(i64::MAX);
    let mut piece = vec![0; CHUNK];
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        let (reader, buffer, read) = crate::server::store::blocking(move || {
            let read = file.read(&mut piece[..most]).map_err(failed)?;
            Ok((file, piece, read))
        })
        .await?;
        (file, piece) = (reader, buffer);
        if read == 0 {
            break;
        }
        md5.update(&piece[..read]);
        hasher.update(&piece[..read]);
        writer.write(&piece[..read]).await?;
        left = left.saturating_sub(u64::try_from(read).unwrap_or(left));
    }
    let draft = writer.finish().await?;
    let sums = checksums::finalize(hasher);
    let part = PartRow {
        number,
        size,
        etag: hex(&md5.finalize()),
        blob: draft.name().clone(),
        checksums: to_json(&sums)?,
        modified: call.now,
    };
    Ok((part, sums, draft))
}
