//! Operations on buckets themselves.

use super::commit::{bucket, settle};
use super::convert::timestamp;
use super::errors::Fault;
use super::operations::Call;
use crate::server::domain;
use crate::server::store::audit::{Entry, append};
use crate::server::store::objects::buckets::{self, BucketRow};
use crate::server::store::{self, users};
use crate::wire::{BucketCreate, Labels, Quota, UserItem, Versioning};
use jiff::Timestamp;
use rusqlite::Connection;
use s3s::dto::{
    Bucket, BucketLocationConstraint, BucketVersioningStatus, CreateBucketInput, CreateBucketOutput,
    DeleteBucketInput, DeleteBucketOutput, GetBucketLocationInput, GetBucketLocationOutput,
    GetBucketVersioningInput, GetBucketVersioningOutput, HeadBucketInput, HeadBucketOutput, ListBucketsInput,
    ListBucketsOutput, Owner, PutBucketVersioningInput, PutBucketVersioningOutput,
};
use s3s::s3_error;

/// Most buckets of one page.
const PAGE: i32 = 10_000;

/// `ListBuckets`: the caller's own, and of these the ones that the key reaches.
pub async fn list(call: &Call, input: ListBucketsInput) -> Result<ListBucketsOutput, Fault> {
    let most = input.max_buckets.unwrap_or(PAGE);
    if !(1..=PAGE).contains(&most) {
        return Err(s3_error!(InvalidArgument, "max-buckets must be 1 to 10000").into());
    }
    let caller = call.caller.clone();
    let prefix = input.prefix.clone().unwrap_or_default();
    let after = input.continuation_token.unwrap_or_default();
    let rows = move |c: &Connection| {
        let mut rows = buckets::list(c, &caller.user, &prefix, &after)?;
        rows.retain(|row| caller.reaches(&row.name));
        Ok::<_, Fault>(rows)
    };
    let mut rows = call.store.read(rows).await?;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let more = rows.len() > most;
    rows.truncate(most);
    let next = rows.last().filter(|_| more).map(|row| row.name.clone());
    let show = |row: BucketRow| Bucket {
        name: Some(row.name),
        creation_date: Some(timestamp(row.created)),
        bucket_region: Some(call.region.to_string()),
    };
    Ok(ListBucketsOutput {
        buckets: Some(rows.into_iter().map(show).collect()),
        continuation_token: next,
        owner: Some(owner(call)),
        prefix: input.prefix,
    })
}

/// The owner of all that the caller sees: the user.
pub fn owner(call: &Call) -> Owner {
    Owner { id: Some(call.caller.user.to_string()), display_name: None }
}

/// `CreateBucket`: for the caller, with defaults; object lock only now.
pub async fn create(call: &Call, input: CreateBucketInput) -> Result<CreateBucketOutput, Fault> {
    let location = input.create_bucket_configuration.and_then(|c| c.location_constraint);
    if location.is_some_and(|l| !l.as_str().is_empty() && l.as_str() != &*call.region) {
        return Err(s3_error!(InvalidLocationConstraint, "the location must be '{}'", call.region).into());
    }
    let path = format!("/{}", input.bucket);
    let wish = BucketCreate {
        user_id: call.caller.user.to_string(),
        name: input.bucket,
        versioning: Versioning::Disabled,
        object_lock: input.object_lock_enabled_for_bucket.unwrap_or(false),
        default_retention: None,
        quota: Quota::default(),
        labels: Labels::new(),
    };
    let time = call.time;
    let write = move |c: &Connection| {
        // A user that is gone has no keys any more.
        let owner = users::get(c, &wish.user_id)?.ok_or_else(|| s3_error!(InvalidAccessKeyId))?;
        if store::buckets::exists(c, &wish.user_id, &wish.name)? {
            return Err(s3_error!(BucketAlreadyOwnedByYou).into());
        }
        let room = store::buckets::room(c, &owner)?;
        let made = domain::buckets::create(&owner, wish, room, time)
            .map_err(|refusal| s3_error!(TooManyBuckets, "{}", refusal.detail))?;
        store::buckets::insert(c, &made)?;
        note(c, &owner, "bucket.create", &made.name, time)?;
        Ok(((), Vec::new()))
    };
    settle(&call.store, None, write).await?;
    Ok(CreateBucketOutput { location: Some(path) })
}

/// Writes a change of buckets into the audit log.
fn note(c: &Connection, owner: &UserItem, action: &str, name: &str, time: Timestamp) -> Result<(), Fault> {
    let entry = Entry {
        time,
        principal: &owner.id,
        tenant: &owner.tenant_id,
        action,
        target: &format!("{}/{name}", owner.id),
        outcome: "ok",
        request_id: "",
    };
    Ok(append(c, &entry)?)
}

/// `HeadBucket`
pub async fn head(call: &Call, input: HeadBucketInput) -> Result<HeadBucketOutput, Fault> {
    find(call, input.bucket).await?;
    Ok(HeadBucketOutput { bucket_region: Some(call.region.to_string()), ..Default::default() })
}

/// `GetBucketLocation`
pub async fn location(call: &Call, input: GetBucketLocationInput) -> Result<GetBucketLocationOutput, Fault> {
    find(call, input.bucket).await?;
    let region = BucketLocationConstraint::from(call.region.to_string());
    Ok(GetBucketLocationOutput { location_constraint: Some(region) })
}

/// `DeleteBucket`: an empty one only.
pub async fn delete(call: &Call, input: DeleteBucketInput) -> Result<DeleteBucketOutput, Fault> {
    let (user, time) = (call.caller.user.to_string(), call.time);
    let write = move |c: &Connection| {
        let owner = users::get(c, &user)?.ok_or_else(|| s3_error!(InvalidAccessKeyId))?;
        let found = store::buckets::get(c, &user, &input.bucket, time)?;
        let found = found.ok_or_else(|| s3_error!(NoSuchBucket))?;
        let keys = store::keys::naming_bucket(c, &user, &input.bucket)?;
        let jobs = store::jobs::of_bucket(c, &user, &input.bucket)?;
        domain::buckets::delete(&found, keys, jobs)
            .map_err(|refusal| s3_error!(BucketNotEmpty, "{}", refusal.detail))?;
        store::buckets::delete(c, &user, &input.bucket)?;
        note(c, &owner, "bucket.delete", &found.name, time)?;
        Ok(((), Vec::new()))
    };
    settle(&call.store, None, write).await?;
    Ok(DeleteBucketOutput::default())
}

/// `GetBucketVersioning`
pub async fn versioning(
    call: &Call,
    input: GetBucketVersioningInput,
) -> Result<GetBucketVersioningOutput, Fault> {
    let status = match find(call, input.bucket).await?.versioning {
        Versioning::Disabled => None,
        Versioning::Enabled => Some(BucketVersioningStatus::ENABLED),
        Versioning::Suspended => Some(BucketVersioningStatus::SUSPENDED),
    };
    Ok(GetBucketVersioningOutput {
        status: status.map(BucketVersioningStatus::from_static),
        ..Default::default()
    })
}

/// `PutBucketVersioning`
pub async fn set_versioning(
    call: &Call,
    input: PutBucketVersioningInput,
) -> Result<PutBucketVersioningOutput, Fault> {
    let configuration = input.versioning_configuration;
    if configuration.mfa_delete.is_some_and(|mfa| mfa.as_str() == "Enabled") {
        return Err(s3_error!(NotImplemented, "MFA delete is not implemented").into());
    }
    let wanted = match configuration.status.as_ref().map(BucketVersioningStatus::as_str) {
        Some(BucketVersioningStatus::ENABLED) => Versioning::Enabled,
        Some(BucketVersioningStatus::SUSPENDED) => Versioning::Suspended,
        Some(_) | None => return Err(s3_error!(MalformedXML).into()),
    };
    let caller = call.caller.clone();
    let write = move |c: &Connection| {
        let found = bucket(c, &caller, &input.bucket)?;
        if found.object_lock && wanted != Versioning::Enabled {
            let message = "a bucket with object lock must keep its versions";
            return Err(s3_error!(InvalidBucketState, "{message}").into());
        }
        buckets::set_versioning(c, found.id, wanted)?;
        Ok(((), Vec::new()))
    };
    settle(&call.store, None, write).await?;
    Ok(PutBucketVersioningOutput::default())
}

async fn find(call: &Call, name: String) -> Result<BucketRow, Fault> {
    let caller = call.caller.clone();
    call.store.read(move |c| bucket(c, &caller, &name)).await
}
