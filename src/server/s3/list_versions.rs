//! Listing all versions and delete markers of a bucket: by key, the newest first.

use super::buckets::owner;
use super::commit::bucket;
use super::convert::{Names, count, etag, timestamp};
use super::errors::Fault;
use super::list::{Listing, common_prefixes, delimiter, most, successor};
use super::operations::Call;
use crate::server::store::StoreError;
use crate::server::store::objects::versions::{self, VersionRow, Walk, walk_all};
use rusqlite::Connection;
use s3s::dto::{
    DeleteMarkerEntry, ListObjectVersionsInput, ListObjectVersionsOutput, ObjectVersion,
    ObjectVersionStorageClass,
};
use s3s::s3_error;

/// A page.
#[derive(Debug, Default)]
pub struct ListedVersions {
    /// Versions and markers.
    pub rows: Vec<VersionRow>,
    /// Common prefixes.
    pub prefixes: Vec<String>,
    /// Key (or common prefix) and version of the last entry, where there are more.
    pub next: Option<(String, Option<String>)>,
}

/// One page of a bucket's versions, after `listing.after` and, of that very key, after `version`.
///
/// Where that version is gone, because a client removes what it lists, the key is listed from its newest version on:
/// an entry may come twice then, but none is left out.
pub fn page(
    connection: &Connection,
    bucket: i64,
    listing: &Listing,
    version: Option<&str>,
) -> Result<ListedVersions, StoreError> {
    let mut listed = ListedVersions::default();
    let marker = match version {
        Some(version) => versions::find(connection, bucket, &listing.after, version)?.map(|row| row.sequence),
        None => None,
    };
    let first = match version {
        Some(_) => Some(listing.after.clone()),
        None => listing.first_key(),
    };
    let Some(first) = first.filter(|_| listing.most > 0) else { return Ok(listed) };
    let mut last = (String::new(), None);
    walk_all(connection, bucket, first, |row| {
        if !row.key.starts_with(&listing.prefix) {
            return Walk::End;
        }
        if version.is_some() && row.key == listing.after && marker.is_some_and(|at| row.sequence >= at) {
            return Walk::On;
        }
        if listed.rows.len() + listed.prefixes.len() == listing.most {
            listed.next = Some(std::mem::take(&mut last));
            return Walk::End;
        }
        let Some(prefix) = listing.common_prefix(&row.key) else {
            last = (row.key.clone(), Some(row.version.clone()));
            listed.rows.push(row);
            return Walk::On;
        };
        last = (prefix.to_owned(), None);
        listed.prefixes.push(prefix.to_owned());
        successor(prefix).map_or(Walk::End, Walk::SkipTo)
    })?;
    Ok(listed)
}

/// `ListObjectVersions`
pub async fn versions(
    call: &Call,
    input: ListObjectVersionsInput,
) -> Result<ListObjectVersionsOutput, Fault> {
    let names = Names::new(input.encoding_type.as_ref());
    let most = most(input.max_keys)?;
    let version = input.version_id_marker.clone().filter(|version| !version.is_empty());
    let listing = Listing {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: delimiter(input.delimiter.as_deref()),
        after: input.key_marker.clone().unwrap_or_default(),
        most,
    };
    if version.is_some() && listing.after.is_empty() {
        return Err(s3_error!(InvalidArgument, "a version-id marker must come with a key marker").into());
    }
    let (caller, name) = (call.caller.clone(), input.bucket.clone());
    let read = move |c: &Connection| {
        let found = bucket(c, &caller, &name)?;
        Ok::<_, Fault>(page(c, found.id, &listing, version.as_deref())?)
    };
    let listed = call.store.read(read).await?;
    let show = |text: String| names.show(&text);
    let (markers, rows): (Vec<_>, Vec<_>) = listed.rows.into_iter().partition(|row| row.marker);
    let is_truncated = listed.next.is_some();
    let (next_key, next_version) = listed.next.unzip();
    Ok(ListObjectVersionsOutput {
        is_truncated: Some(is_truncated),
        next_key_marker: next_key.map(show),
        next_version_id_marker: next_version.flatten(),
        versions: Some(rows.into_iter().map(|row| version_entry(call, row, names)).collect()),
        delete_markers: Some(markers.into_iter().map(|row| marker_entry(call, row, names)).collect()),
        common_prefixes: Some(common_prefixes(listed.prefixes, names)),
        max_keys: Some(count(most)),
        name: Some(input.bucket),
        prefix: Some(show(input.prefix.unwrap_or_default())),
        delimiter: input.delimiter.map(show),
        key_marker: Some(show(input.key_marker.unwrap_or_default())),
        version_id_marker: input.version_id_marker,
        encoding_type: input.encoding_type,
        ..Default::default()
    })
}

fn version_entry(call: &Call, row: VersionRow, names: Names) -> ObjectVersion {
    ObjectVersion {
        key: Some(names.show(&row.key)),
        version_id: Some(row.version),
        is_latest: Some(row.latest),
        last_modified: Some(timestamp(row.modified)),
        e_tag: Some(etag(&row.etag)),
        size: Some(row.size),
        storage_class: Some(ObjectVersionStorageClass::from_static(ObjectVersionStorageClass::STANDARD)),
        owner: Some(owner(call)),
        ..Default::default()
    }
}

fn marker_entry(call: &Call, row: VersionRow, names: Names) -> DeleteMarkerEntry {
    DeleteMarkerEntry {
        key: Some(names.show(&row.key)),
        version_id: Some(row.version),
        is_latest: Some(row.latest),
        last_modified: Some(timestamp(row.modified)),
        owner: Some(owner(call)),
    }
}
