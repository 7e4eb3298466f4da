//! Listing uploads and parts.

use super::super::attributes::from_json;
use super::super::buckets::owner;
use super::super::checksums::{Sums, put_sums};
use super::super::commit::bucket;
use super::super::convert::{Names, count, etag, timestamp};
use super::super::errors::Fault;
use super::super::list::{Listing, common_prefixes, delimiter, most};
use super::super::operations::Call;
use super::{Plan, checksum_type, find};
use crate::server::store::objects::uploads::{self, PartRow, UploadRow};
use rusqlite::Connection;
use s3s::dto::{
    ChecksumAlgorithm, ListMultipartUploadsInput, ListMultipartUploadsOutput, ListPartsInput,
    ListPartsOutput, MultipartUpload, Part, StorageClass,
};

/// `ListParts`
pub async fn parts(call: &Call, input: ListPartsInput) -> Result<ListPartsOutput, Fault> {
    let most = most(input.max_parts)?;
    let after = input.part_number_marker.unwrap_or(0);
    let caller = call.caller.clone();
    let (name, key, id) = (input.bucket.clone(), input.key.clone(), input.upload_id.clone());
    let read = move |c: &Connection| {
        let (_, upload) = find(c, &caller, &name, &key, &id)?;
        let plan: Plan = from_json(&upload.attributes)?;
        Ok::<_, Fault>((plan, uploads::parts(c, &upload.id, after)?))
    };
    let (plan, mut rows) = call.store.read(read).await?;
    let more = rows.len() > most;
    rows.truncate(most);
    let next = rows.last().filter(|_| more).map(|row| row.number);
    let parts = rows.iter().map(part).collect::<Result<Vec<_>, Fault>>()?;
    Ok(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        is_truncated: Some(more),
        max_parts: Some(count(most)),
        part_number_marker: Some(after),
        next_part_number_marker: next,
        parts: Some(parts),
        owner: Some(owner(call)),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        checksum_algorithm: plan.algorithm.map(|a| ChecksumAlgorithm::from_static(a.as_str())),
        checksum_type: plan.algorithm.map(|_| checksum_type(plan.full_object)),
        ..Default::default()
    })
}

fn part(row: &PartRow) -> Result<Part, Fault> {
    let sums: Sums = from_json(&row.checksums)?;
    let mut part = Part {
        part_number: Some(row.number),
        size: Some(row.size),
        e_tag: Some(etag(&row.etag)),
        last_modified: Some(timestamp(row.modified)),
        ..Default::default()
    };
    put_sums!(part, sums);
    Ok(part)
}

/// A page of uploads.
#[derive(Debug, Default)]
struct Listed {
    uploads: Vec<UploadRow>,
    prefixes: Vec<String>,
    /// Key (or common prefix) and upload of the last entry, where there are more.
    next: Option<(String, String)>,
}

/// Groups and cuts what the bucket has, in the order of keys and ids.
fn cut(rows: Vec<UploadRow>, listing: &Listing) -> Listed {
    let mut listed = Listed::default();
    let mut last = (String::new(), String::new());
    let passed = listing.common_prefix(&listing.after).map(str::to_owned);
    for row in rows {
        let prefix = listing.common_prefix(&row.key).map(str::to_owned);
        if prefix.is_some() && (prefix == passed || prefix.as_ref() == listed.prefixes.last()) {
            continue;
        }
        if listed.uploads.len() + listed.prefixes.len() == listing.most {
            listed.next = (listing.most > 0).then_some(last);
            return listed;
        }
        if let Some(prefix) = prefix {
            last = (prefix.clone(), String::new());
            listed.prefixes.push(prefix);
        } else {
            last = (row.key.clone(), row.id.clone());
            listed.uploads.push(row);
        }
    }
    listed
}

/// `ListMultipartUploads`
pub async fn uploads(
    call: &Call,
    input: ListMultipartUploadsInput,
) -> Result<ListMultipartUploadsOutput, Fault> {
    let names = Names::new(input.encoding_type.as_ref());
    let most = most(input.max_uploads)?;
    let listing = Listing {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: delimiter(input.delimiter.as_deref()),
        after: input.key_marker.clone().unwrap_or_default(),
        most,
    };
    // Without the marker of an upload, all uploads of the key are passed over.
    let after_id = input.upload_id_marker.clone().filter(|id| !id.is_empty());
    let after_id = after_id.unwrap_or_else(|| "~".to_owned());
    let (caller, name) = (call.caller.clone(), input.bucket.clone());
    let read = move |c: &Connection| {
        let found = bucket(c, &caller, &name)?;
        let after = (listing.after.as_str(), after_id.as_str());
        let rows = uploads::list(c, found.id, &listing.prefix, after)?;
        Ok::<_, Fault>(cut(rows, &listing))
    };
    let listed = call.store.read(read).await?;
    let show = |text: String| names.show(&text);
    let is_truncated = listed.next.is_some();
    let (next_key, next_id) = listed.next.unzip();
    Ok(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        is_truncated: Some(is_truncated),
        next_key_marker: next_key.map(show),
        next_upload_id_marker: next_id,
        uploads: Some(listed.uploads.into_iter().map(|row| entry(call, row, names)).collect()),
        common_prefixes: Some(common_prefixes(listed.prefixes, names)),
        max_uploads: Some(count(most)),
        prefix: Some(show(input.prefix.unwrap_or_default())),
        delimiter: input.delimiter.map(show),
        key_marker: input.key_marker.map(show),
        upload_id_marker: input.upload_id_marker,
        encoding_type: input.encoding_type,
        ..Default::default()
    })
}

fn entry(call: &Call, row: UploadRow, names: Names) -> MultipartUpload {
    MultipartUpload {
        key: Some(names.show(&row.key)),
        upload_id: Some(row.id),
        initiated: Some(timestamp(row.created)),
        owner: Some(owner(call)),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        ..Default::default()
    }
}
