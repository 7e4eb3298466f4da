//! Completing an upload: its parts become one blob, and that a version.

use super::super::attributes::from_json;
use super::super::checksums::{self, Algorithm, Sums, put_sums, sums_of};
use super::super::commit::{NewVersion, insert_version, settle};
use super::super::conditions::Conditions;
use super::super::convert::etag;
use super::super::errors::Fault;
use super::super::operations::Call;
use super::super::parts::Parts;
use super::{Plan, checksum_type, find};
use crate::hex::{hex, unhex};
use crate::server::store::objects::uploads::{self, PartRow};
use crate::server::store::{BlobName, Draft, StoreError, blocking};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rusqlite::Connection;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart, ETag};
use s3s::{S3Result, s3_error};

/// Fewest bytes of every part but the last: 5 MiB (AWS's limit).
const FEWEST_BYTES: i64 = 5 << 20;

/// `CompleteMultipartUpload`
pub async fn complete(
    call: &Call,
    mut input: CompleteMultipartUploadInput,
) -> Result<CompleteMultipartUploadOutput, Fault> {
    let wanted = input.multipart_upload.take().and_then(|upload| upload.parts).unwrap_or_default();
    if wanted.is_empty() {
        return Err(s3_error!(MalformedXML, "at least one part must be named").into());
    }
    let (plan, stored) = read(call, &input).await?;
    let parts = choose(wanted, &stored)?;
    let size = parts.iter().map(|part| part.size).sum();
    if input.mpu_object_size.is_some_and(|announced| announced != size) {
        return Err(s3_error!(InvalidRequest, "the parts do not add up to x-amz-mp-object-size").into());
    }
    let tag = tag_of(&parts)?;
    let (draft, whole) = join(call, &parts, plan.algorithm.filter(|_| plan.full_object)).await?;
    let sums = match plan.algorithm {
        Some(algorithm) if !plan.full_object => composite(algorithm, &parts)?,
        Some(_) | None => whole,
    };
    check_announced(&sums_of!(input), &sums)?;
    let mut attributes = plan.attributes;
    attributes.sums = sums.clone();
    let new = NewVersion {
        key: input.key.clone(),
        size,
        etag: tag.clone(),
        blob: draft.name().clone(),
        attributes,
        tags: plan.tags,
        protection: plan.protection,
        parts: Some(Parts::json_of(&parts)?),
    };
    let conditions = Conditions {
        if_match: input.if_match.take(),
        if_none_match: input.if_none_match.take(),
        ..Conditions::default()
    };
    let (caller, now) = (call.caller.clone(), call.now);
    let (name, key, id) = (input.bucket.clone(), input.key.clone(), input.upload_id);
    let write = move |c: &Connection| {
        let (_, upload) = find(c, &caller, &name, &key, &id)?;
        check_unchanged(&parts, &uploads::parts(c, &upload.id, 0)?)?;
        let mut blobs = uploads::delete(c, &upload.id)?;
        let (stored, replaced) = insert_version(c, &caller, &name, &new, &conditions, now)?;
        blobs.extend(replaced);
        Ok((stored, blobs))
    };
    let stored = settle(&call.store, Some(draft), write).await?;
    let mut output = CompleteMultipartUploadOutput {
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: Some(etag(&tag)),
        version_id: stored.version,
        checksum_type: plan.algorithm.map(|_| checksum_type(plan.full_object)),
        ..Default::default()
    };
    put_sums!(output, sums);
    Ok(output)
}

async fn read(call: &Call, input: &CompleteMultipartUploadInput) -> Result<(Plan, Vec<PartRow>), Fault> {
    let caller = call.caller.clone();
    let (name, key, id) = (input.bucket.clone(), input.key.clone(), input.upload_id.clone());
    let read = move |c: &Connection| {
        let (_, upload) = find(c, &caller, &name, &key, &id)?;
        Ok::<_, Fault>((from_json(&upload.attributes)?, uploads::parts(c, &upload.id, 0)?))
    };
    call.store.read(read).await
}

/// The parts that are named, in ascending order: each there, the one that is meant, and none but the last too small.
fn choose(wanted: Vec<CompletedPart>, stored: &[PartRow]) -> S3Result<Vec<PartRow>> {
    let mut chosen: Vec<PartRow> = Vec::with_capacity(wanted.len());
    for mut part in wanted {
        let number = part.part_number.ok_or_else(|| s3_error!(MalformedXML))?;
        if chosen.last().is_some_and(|last| last.number >= number) {
            return Err(s3_error!(InvalidPartOrder));
        }
        if chosen.last().is_some_and(|last| last.size < FEWEST_BYTES) {
            return Err(s3_error!(EntityTooSmall));
        }
        let found = stored.binary_search_by_key(&number, |row| row.number);
        let row = found.ok().and_then(|at| stored.get(at)).ok_or_else(|| s3_error!(InvalidPart))?;
        if part.e_tag.as_ref().map(ETag::value) != Some(row.etag.as_str()) {
            return Err(s3_error!(InvalidPart, "part {number} is another one"));
        }
        let known: Sums = from_json(&row.checksums).map_err(|_| s3_error!(InvalidPart))?;
        let announced = sums_of!(part);
        announced.check(&known).map_err(|_| s3_error!(InvalidPart, "part {number} has another checksum"))?;
        chosen.push(row.clone());
    }
    Ok(chosen)
}

/// Refuses where a part was replaced while the parts were being joined.
fn check_unchanged(chosen: &[PartRow], stored: &[PartRow]) -> S3Result<()> {
    let there = |part: &PartRow| stored.iter().any(|row| row.number == part.number && row.blob == part.blob);
    if chosen.iter().all(there) {
        return Ok(());
    }
    Err(s3_error!(InvalidPart, "a part was replaced meanwhile"))
}

/// The entity tag of an object made of parts: the MD5 of their MD5s, and how many there are.
fn tag_of(parts: &[PartRow]) -> Result<String, StoreError> {
    let mut md5 = Md5::new();
    for part in parts {
        let digest = unhex(&part.etag).ok_or_else(|| StoreError::Corrupt("a part's tag".to_owned()))?;
        md5.update(&digest);
    }
    Ok(format!("{}-{}", hex(&md5.finalize()), parts.len()))
}

/// The checksum made of those of the parts; none where a part came without.
fn composite(algorithm: Algorithm, parts: &[PartRow]) -> Result<Sums, StoreError> {
    let mut hasher = checksums::hasher(&Sums::default(), None, Some(algorithm));
    for part in parts {
        let known: Sums = from_json(&part.checksums)?;
        let Some(digest) = known.get(algorithm).and_then(|sum| STANDARD.decode(sum).ok()) else {
            return Ok(Sums::default());
        };
        hasher.update(&digest);
    }
    let mut sums = checksums::finalize(hasher);
    if let Some(sum) = sums.get(algorithm).map(|sum| format!("{sum}-{}", parts.len())) {
        sums.set(algorithm, sum);
    }
    Ok(sums)
}

fn check_announced(announced: &Sums, computed: &Sums) -> S3Result<()> {
    if computed.is_empty() {
        return Ok(());
    }
    announced.check(computed)
}

/// One blob of all parts, and its checksum where one of the whole is wanted.
async fn join(call: &Call, parts: &[PartRow], algorithm: Option<Algorithm>) -> Result<(Draft, Sums), Fault> {
    let blobs = call.store.blobs().clone();
    let sources: Vec<BlobName> = parts.iter().map(|part| part.blob.clone()).collect();
    let joining = move || {
        let mut hasher = checksums::hasher(&Sums::default(), None, algorithm);
        let joined = blobs.join(&sources, |piece| hasher.update(piece))?;
        Ok(joined.map(|draft| (draft, checksums::finalize(hasher))))
    };
    let joined = blocking(joining).await?;
    joined.ok_or_else(|| s3_error!(InvalidPart, "a part was replaced meanwhile").into())
}
