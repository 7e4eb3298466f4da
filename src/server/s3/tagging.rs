//! Tags of objects.

use super::attributes::{Tags, from_json, to_json};
use super::commit::{bucket, settle, shown_version};
use super::errors::Fault;
use super::get::find_version;
use super::operations::Call;
use crate::server::store::objects::versions;
use rusqlite::Connection;
use s3s::dto::{
    DeleteObjectTaggingInput, DeleteObjectTaggingOutput, GetObjectTaggingInput, GetObjectTaggingOutput,
    PutObjectTaggingInput, PutObjectTaggingOutput, Tag,
};

/// `GetObjectTagging`
pub async fn get(call: &Call, input: GetObjectTaggingInput) -> Result<GetObjectTaggingOutput, Fault> {
    let caller = call.caller.clone();
    let read = move |c: &Connection| {
        let found = bucket(c, &caller, &input.bucket)?;
        let row = find_version(c, &found, &input.key, input.version_id.as_deref())?;
        let tags: Tags = from_json(&row.tags)?;
        Ok::<_, Fault>((tags, shown_version(&found, row.version)))
    };
    let (tags, version_id) = call.store.read(read).await?;
    let tag = |(key, value)| Tag { key: Some(key), value: Some(value) };
    Ok(GetObjectTaggingOutput { tag_set: tags.0.into_iter().map(tag).collect(), version_id })
}

/// `PutObjectTagging`
pub async fn put(call: &Call, input: PutObjectTaggingInput) -> Result<PutObjectTaggingOutput, Fault> {
    let tags = input.tagging.tag_set.into_iter();
    let tags = tags.map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default()));
    let tags = Tags::new(tags.collect())?;
    let version_id = write(call, input.bucket, input.key, input.version_id, tags).await?;
    Ok(PutObjectTaggingOutput { version_id })
}

/// `DeleteObjectTagging`
pub async fn delete(
    call: &Call,
    input: DeleteObjectTaggingInput,
) -> Result<DeleteObjectTaggingOutput, Fault> {
    let version_id = write(call, input.bucket, input.key, input.version_id, Tags::default()).await?;
    Ok(DeleteObjectTaggingOutput { version_id })
}

async fn write(
    call: &Call,
    name: String,
    key: String,
    version: Option<String>,
    tags: Tags,
) -> Result<Option<String>, Fault> {
    let caller = call.caller.clone();
    let write = move |c: &Connection| {
        let found = bucket(c, &caller, &name)?;
        let row = find_version(c, &found, &key, version.as_deref())?;
        versions::set_tags(c, row.sequence, &to_json(&tags)?)?;
        Ok((shown_version(&found, row.version), Vec::new()))
    };
    settle(&call.store, None, write).await
}
