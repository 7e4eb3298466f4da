//! `PutObject`, and with it the form upload.

use super::attributes::{Tags, attributes_of};
use super::body::{Announced, receive};
use super::checksums::{Algorithm, put_sums, sums_of};
use super::commit::{NewVersion, bucket, insert_version, settle};
use super::conditions::Conditions;
use super::convert::etag;
use super::errors::Fault;
use super::lock::{self, Protection};
use super::operations::Call;
use super::quota::Reservation;
use crate::hex::hex;
use crate::server::store::objects::versions;
use rusqlite::Connection;
use s3s::dto::{ChecksumType, PutObjectInput, PutObjectOutput};
use s3s::{S3Result, s3_error};

/// Most bytes of a key (AWS's limit).
const KEY_BYTES: usize = 1024;

/// `PutObject`
pub async fn object(call: &Call, mut input: PutObjectInput) -> Result<PutObjectOutput, Fault> {
    check_key(&input.key)?;
    if input.write_offset_bytes.is_some() {
        return Err(s3_error!(NotImplemented, "appending is not implemented").into());
    }
    let conditions = Conditions {
        if_match: input.if_match.take(),
        if_none_match: input.if_none_match.take(),
        ..Conditions::default()
    };
    let protection = Protection::new(
        input.object_lock_mode.as_ref(),
        input.object_lock_retain_until_date.as_ref(),
        input.object_lock_legal_hold_status.as_ref(),
    )?;
    let mut attributes = attributes_of!(input)?;
    let tags = Tags::from_header(input.tagging.as_deref())?;
    let announced = Announced {
        md5: input.content_md5.take(),
        sums: sums_of!(input),
        algorithm: input.checksum_algorithm.as_ref().map(|a| Algorithm::parse(a.as_str())).transpose()?,
        length: input.content_length,
    };
    let reservation = precheck(call, &input.bucket, &input.key, &conditions, &protection).await?;
    let received = receive(call, input.body.take(), announced, reservation).await?;
    attributes.sums = received.sums.clone();
    let new = NewVersion {
        key: input.key,
        size: received.size,
        etag: hex(&received.md5),
        blob: received.draft.name().clone(),
        attributes,
        tags,
        protection,
        parts: None,
    };
    let mut output = PutObjectOutput { e_tag: Some(etag(&new.etag)), ..Default::default() };
    let (caller, now) = (call.caller.clone(), call.now);
    let reservation = received.reservation;
    let write = move |c: &Connection| {
        drop(reservation);
        insert_version(c, &caller, &input.bucket, &new, &conditions, now)
    };
    let stored = settle(&call.store, Some(received.draft), write).await?;
    output.version_id = stored.version;
    if !received.sums.is_empty() {
        output.checksum_type = Some(ChecksumType::from_static(ChecksumType::FULL_OBJECT));
    }
    put_sums!(output, received.sums);
    Ok(output)
}

/// Refuses keys that are too long, or empty.
pub fn check_key(key: &str) -> S3Result<()> {
    if key.len() > KEY_BYTES {
        return Err(s3_error!(KeyTooLongError));
    }
    if key.is_empty() {
        return Err(s3_error!(InvalidArgument, "the key must not be empty"));
    }
    Ok(())
}

/// Refuses before the body what the commit would refuse after it, as far as is known already, and begins to reserve.
async fn precheck(
    call: &Call,
    name: &str,
    key: &str,
    conditions: &Conditions,
    protection: &Protection,
) -> Result<Reservation, Fault> {
    let (caller, name, key) = (call.caller.clone(), name.to_owned(), key.to_owned());
    let (conditions, protection, now) = (conditions.clone(), protection.clone(), call.now);
    let ledger = call.ledger.clone();
    let read = move |c: &Connection| {
        let found = bucket(c, &caller, &name)?;
        let current = versions::latest(c, found.id, &key)?;
        conditions.check_write(current.as_ref().filter(|row| !row.marker))?;
        lock::for_new_version(&found, &protection, now)?;
        let replaced = versions::replaced_by(c, &found, &key)?;
        if let Some(old) = &replaced {
            lock::check_removable(old, now, false)?;
        }
        let freed = replaced.filter(|old| !old.marker).map(|old| old.size);
        ledger.begin(c, &caller.user, &found, freed, 1)
    };
    call.store.read(read).await
}
