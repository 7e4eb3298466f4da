//! Listing the objects of a bucket.
//!
//! Entries are keys, and common prefixes: what of a key after `prefix` ends with the first `delimiter`. A page is the
//! first `most` entries, in byte order, that come after the marker. A common prefix costs one seek, however many keys
//! are behind it.

use super::buckets::owner;
use super::commit::bucket;
use super::convert::{Names, count, etag, timestamp};
use super::errors::Fault;
use super::operations::Call;
use crate::server::store::StoreError;
use crate::server::store::objects::versions::{VersionRow, Walk, walk_current};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::Connection;
use s3s::dto::{
    CommonPrefix, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, Object,
    ObjectStorageClass,
};
use s3s::{S3Result, s3_error};

/// Most entries of a page.
const PAGE: i32 = 1000;

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// What keys begin with.
    pub prefix: String,
    /// Where common prefixes end.
    pub delimiter: Option<String>,
    /// The last entry of the page before.
    pub after: String,
    /// Most entries.
    pub most: usize,
}

/// A page.
#[derive(Debug, Default)]
pub struct Listed {
    /// Objects.
    pub objects: Vec<VersionRow>,
    /// Common prefixes.
    pub prefixes: Vec<String>,
    /// The last entry, where there are more.
    pub next: Option<String>,
}

impl Listing {
    /// The common prefix that a key falls under.
    pub fn common_prefix<'a>(&self, key: &'a str) -> Option<&'a str> {
        let rest = key.strip_prefix(self.prefix.as_str())?;
        let delimiter = self.delimiter.as_deref()?;
        let end = self.prefix.len() + rest.find(delimiter)? + delimiter.len();
        Some(&key[..end])
    }

    /// The first key that can be on the page; `None`: there is none.
    pub fn first_key(&self) -> Option<String> {
        if self.after.is_empty() {
            return Some(self.prefix.clone());
        }
        let after = match self.common_prefix(&self.after) {
            Some(prefix) => successor(prefix)?,
            // The least string that is greater.
            None => format!("{}\0", self.after),
        };
        Some(after.max(self.prefix.clone()))
    }
}

/// The least string that is greater than all that begin with `prefix`; `None`: there is none.
pub fn successor(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        let mut following = (last..=char::MAX).skip(1);
        if let Some(next) = following.next() {
            text.push(next);
            return Some(text);
        }
    }
    None
}

/// One page of a bucket's objects.
pub fn page(connection: &Connection, bucket: i64, listing: &Listing) -> Result<Listed, StoreError> {
    let mut listed = Listed::default();
    let Some(first) = listing.first_key().filter(|_| listing.most > 0) else { return Ok(listed) };
    let mut last = String::new();
    walk_current(connection, bucket, first, |row| {
        if !row.key.starts_with(&listing.prefix) {
            return Walk::End;
        }
        if listed.objects.len() + listed.prefixes.len() == listing.most {
            listed.next = Some(std::mem::take(&mut last));
            return Walk::End;
        }
        let Some(prefix) = listing.common_prefix(&row.key) else {
            last.clone_from(&row.key);
            listed.objects.push(row);
            return Walk::On;
        };
        prefix.clone_into(&mut last);
        listed.prefixes.push(prefix.to_owned());
        successor(prefix).map_or(Walk::End, Walk::SkipTo)
    })?;
    Ok(listed)
}

/// How many entries a page may have, by what the client asks for.
pub fn most(asked: Option<i32>) -> S3Result<usize> {
    let asked = asked.unwrap_or(PAGE).min(PAGE);
    usize::try_from(asked)
        .map_err(|_| s3_error!(InvalidArgument, "the number of entries must not be negative"))
}

/// A delimiter; an empty one is none.
pub fn delimiter(asked: Option<&str>) -> Option<String> {
    asked.filter(|delimiter| !delimiter.is_empty()).map(str::to_owned)
}

/// Common prefixes for an answer.
pub fn common_prefixes(prefixes: Vec<String>, names: Names) -> Vec<CommonPrefix> {
    prefixes.into_iter().map(|prefix| CommonPrefix { prefix: Some(names.show(&prefix)) }).collect()
}

async fn run(call: &Call, name: &str, listing: Listing) -> Result<Listed, Fault> {
    let (caller, name) = (call.caller.clone(), name.to_owned());
    let read = move |c: &Connection| {
        let found = bucket(c, &caller, &name)?;
        Ok::<_, Fault>(page(c, found.id, &listing)?)
    };
    call.store.read(read).await
}

/// `ListObjects`
pub async fn v1(call: &Call, input: ListObjectsInput) -> Result<ListObjectsOutput, Fault> {
    let names = Names::new(input.encoding_type.as_ref());
    let most = most(input.max_keys)?;
    let listing = Listing {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: delimiter(input.delimiter.as_deref()),
        after: input.marker.clone().unwrap_or_default(),
        most,
    };
    let listed = run(call, &input.bucket, listing).await?;
    let show = |text: String| names.show(&text);
    Ok(ListObjectsOutput {
        is_truncated: Some(listed.next.is_some()),
        next_marker: listed.next.map(show),
        contents: Some(listed.objects.iter().map(|row| object(call, row, names, true)).collect()),
        common_prefixes: Some(common_prefixes(listed.prefixes, names)),
        max_keys: Some(count(most)),
        name: Some(input.bucket),
        prefix: Some(show(input.prefix.unwrap_or_default())),
        marker: Some(show(input.marker.unwrap_or_default())),
        delimiter: input.delimiter.map(show),
        encoding_type: input.encoding_type,
        ..Default::default()
    })
}

/// `ListObjectsV2`
pub async fn v2(call: &Call, input: ListObjectsV2Input) -> Result<ListObjectsV2Output, Fault> {
    let names = Names::new(input.encoding_type.as_ref());
    let most = most(input.max_keys)?;
    let after = match input.continuation_token.as_deref() {
        Some(token) => from_token(token)?,
        None => input.start_after.clone().unwrap_or_default(),
    };
    let listing = Listing {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: delimiter(input.delimiter.as_deref()),
        after,
        most,
    };
    let listed = run(call, &input.bucket, listing).await?;
    let show = |text: String| names.show(&text);
    let with_owner = input.fetch_owner == Some(true);
    Ok(ListObjectsV2Output {
        key_count: Some(count(listed.objects.len() + listed.prefixes.len())),
        is_truncated: Some(listed.next.is_some()),
        next_continuation_token: listed.next.map(|next| URL_SAFE_NO_PAD.encode(next)),
        contents: Some(listed.objects.iter().map(|row| object(call, row, names, with_owner)).collect()),
        common_prefixes: Some(common_prefixes(listed.prefixes, names)),
        max_keys: Some(count(most)),
        name: Some(input.bucket),
        prefix: Some(show(input.prefix.unwrap_or_default())),
        delimiter: input.delimiter.map(show),
        start_after: input.start_after.map(show),
        continuation_token: input.continuation_token,
        encoding_type: input.encoding_type,
        ..Default::default()
    })
}

/// The last entry of the page before, by its continuation token.
pub fn from_token(token: &str) -> S3Result<String> {
    let key = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    key.ok_or_else(|| s3_error!(InvalidArgument, "the continuation token is not one of this server"))
}

fn object(call: &Call, row: &VersionRow, names: Names, with_owner: bool) -> Object {
    Object {
        key: Some(names.show(&row.key)),
        size: Some(row.size),
        e_tag: Some(etag(&row.etag)),
        last_modified: Some(timestamp(row.modified)),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        owner: with_owner.then(|| owner(call)),
        ..Default::default()
    }
}
