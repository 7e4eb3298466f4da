//! Object lock: retention and legal hold, which keep a version from being removed or replaced; and the operations on
//! them. The rules are the pure functions at the top.

use super::commit::{self, bucket};
use super::convert::{millis, timestamp};
use super::errors::Fault;
use super::get::find_version;
use super::operations::Call;
use super::permissions::may_bypass_governance;
use crate::server::store::objects::buckets::{self, BucketRow};
use crate::server::store::objects::versions::{self, VersionRow};
use crate::wire::{LockMode, Retention, Versioning};
use s3s::dto::{
    DefaultRetention, GetObjectLegalHoldInput, GetObjectLegalHoldOutput, GetObjectLockConfigurationInput,
    GetObjectLockConfigurationOutput, GetObjectRetentionInput, GetObjectRetentionOutput,
    ObjectLockConfiguration, ObjectLockEnabled, ObjectLockLegalHold, ObjectLockLegalHoldStatus,
    ObjectLockMode, ObjectLockRetention, ObjectLockRetentionMode, ObjectLockRule, PutObjectLegalHoldInput,
    PutObjectLegalHoldOutput, PutObjectLockConfigurationInput, PutObjectLockConfigurationOutput,
    PutObjectRetentionInput, PutObjectRetentionOutput, Timestamp,
};
use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};

const DAY: i64 = 24 * 3600 * 1000;
/// The longest default retention: 100 years (AWS's limit).
const MOST_DAYS: u32 = 36_500;

/// The protection that an upload asks for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Protection {
    /// Mode, and end in milliseconds since 1970.
    pub retention: Option<(LockMode, i64)>,
    /// Legal hold.
    pub legal_hold: bool,
}

impl Protection {
    /// From the headers of an upload: mode and date come together.
    pub fn new(
        mode: Option<&ObjectLockMode>,
        until: Option<&Timestamp>,
        hold: Option<&ObjectLockLegalHoldStatus>,
    ) -> S3Result<Self> {
        let retention = match (mode, until) {
            (Some(mode), Some(until)) => Some((parse_mode(mode.as_str())?, millis(until))),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                return Err(s3_error!(
                    InvalidRequest,
                    "x-amz-object-lock-mode and x-amz-object-lock-retain-until-date must be given together"
                ));
            }
        };
        let legal_hold = hold.map(|status| parse_hold(status.as_str())).transpose()?.unwrap_or(false);
        Ok(Self { retention, legal_hold })
    }
}

/// The retention of a new version: what is asked for, else the bucket's default.
pub fn for_new_version(
    bucket: &BucketRow,
    asked: &Protection,
    now: i64,
) -> S3Result<Option<(LockMode, i64)>> {
    if !bucket.object_lock && (asked.retention.is_some() || asked.legal_hold) {
        return Err(s3_error!(InvalidRequest, "the bucket was not made with object lock"));
    }
    if asked.retention.is_some_and(|(_, until)| until <= now) {
        return Err(s3_error!(InvalidArgument, "the retain-until date must be in the future"));
    }
    let default = bucket.retention.filter(|_| bucket.object_lock);
    Ok(asked.retention.or_else(|| default.map(|retention| (retention.mode, now + length(retention)))))
}

/// A default retention in milliseconds; a year has 365 days.
fn length(retention: Retention) -> i64 {
    let days = retention.days.unwrap_or(0) + 365 * retention.years.unwrap_or(0);
    i64::from(days) * DAY
}

/// Refuses to remove or replace a version that is locked. `bypass`: the caller may, and wants to, lift governance.
pub fn check_removable(version: &VersionRow, now: i64, bypass: bool) -> S3Result<()> {
    if version.legal_hold {
        return Err(s3_error!(AccessDenied, "the object is under legal hold"));
    }
    let retained = version.is_retained(now);
    match version.retention_mode {
        Some(LockMode::Governance) if retained && bypass => Ok(()),
        Some(LockMode::Governance | LockMode::Compliance) if retained => {
            Err(s3_error!(AccessDenied, "the object is protected by its retention"))
        }
        Some(LockMode::Governance | LockMode::Compliance) | None => Ok(()),
    }
}

/// Refuses a change that protects a version less than now. Compliance can only be made longer.
fn check_change(
    version: &VersionRow,
    wanted: Option<(LockMode, i64)>,
    now: i64,
    bypass: bool,
) -> S3Result<()> {
    let (Some(mode), Some(until)) = (version.retention_mode, version.retained_until) else {
        return Ok(());
    };
    if until <= now {
        return Ok(());
    }
    let longer = wanted.is_some_and(|(_, wanted)| wanted >= until);
    let as_strict = match mode {
        LockMode::Compliance => wanted.is_some_and(|(mode, _)| mode == LockMode::Compliance),
        LockMode::Governance => true,
    };
    if (longer && as_strict) || (mode == LockMode::Governance && bypass) {
        return Ok(());
    }
    Err(s3_error!(AccessDenied, "the object is protected by its retention"))
}

/// Whether a request that asks for it lifts governance: with a Full key only.
pub fn bypass(call: &Call, asked: Option<bool>) -> bool {
    asked == Some(true) && may_bypass_governance(call.caller.permission)
}

fn parse_mode(text: &str) -> S3Result<LockMode> {
    match text {
        ObjectLockMode::GOVERNANCE => Ok(LockMode::Governance),
        ObjectLockMode::COMPLIANCE => Ok(LockMode::Compliance),
        _ => Err(s3_error!(InvalidArgument, "the object lock mode must be 'GOVERNANCE' or 'COMPLIANCE'")),
    }
}

fn parse_hold(text: &str) -> S3Result<bool> {
    match text {
        ObjectLockLegalHoldStatus::ON => Ok(true),
        ObjectLockLegalHoldStatus::OFF => Ok(false),
        _ => Err(s3_error!(InvalidArgument, "the legal hold must be 'ON' or 'OFF'")),
    }
}

/// A mode as S3 spells it.
pub fn mode_name(mode: LockMode) -> &'static str {
    match mode {
        LockMode::Governance => ObjectLockMode::GOVERNANCE,
        LockMode::Compliance => ObjectLockMode::COMPLIANCE,
    }
}

/// A legal hold as S3 spells it.
pub fn hold_name(hold: bool) -> &'static str {
    if hold { ObjectLockLegalHoldStatus::ON } else { ObjectLockLegalHoldStatus::OFF }
}

/// `GetObjectLockConfiguration`
pub async fn configuration(
    call: &Call,
    input: GetObjectLockConfigurationInput,
) -> Result<GetObjectLockConfigurationOutput, Fault> {
    let caller = call.caller.clone();
    let found = call.store.read(move |c| bucket(c, &caller, &input.bucket)).await?;
    if !found.object_lock {
        return Err(s3_error!(ObjectLockConfigurationNotFoundError).into());
    }
    let days = |n: Option<u32>| n.and_then(|n| i32::try_from(n).ok());
    let rule = found.retention.map(|retention| ObjectLockRule {
        default_retention: Some(DefaultRetention {
            mode: Some(ObjectLockRetentionMode::from_static(mode_name(retention.mode))),
            days: days(retention.days),
            years: days(retention.years),
        }),
    });
    let enabled = Some(ObjectLockEnabled::from_static(ObjectLockEnabled::ENABLED));
    let configuration = ObjectLockConfiguration { object_lock_enabled: enabled, rule };
    Ok(GetObjectLockConfigurationOutput { object_lock_configuration: Some(configuration) })
}

/// `PutObjectLockConfiguration`: sets the default retention of a bucket that was made with object lock.
pub async fn set_configuration(
    call: &Call,
    input: PutObjectLockConfigurationInput,
) -> Result<PutObjectLockConfigurationOutput, Fault> {
    let configuration = input.object_lock_configuration.ok_or_else(|| s3_error!(MalformedXML))?;
    let wanted = configuration.rule.and_then(|rule| rule.default_retention);
    let retention = wanted.as_ref().map(parse_default).transpose()?;
    let caller = call.caller.clone();
    let write = move |c: &rusqlite::Connection| {
        let found = bucket(c, &caller, &input.bucket)?;
        if !found.object_lock || found.versioning != Versioning::Enabled {
            return Err(s3_error!(InvalidBucketState, "the bucket was not made with object lock").into());
        }
        buckets::set_retention(c, found.id, retention)?;
        Ok(((), Vec::new()))
    };
    commit::settle(&call.store, None, write).await?;
    Ok(PutObjectLockConfigurationOutput::default())
}

fn parse_default(wanted: &DefaultRetention) -> S3Result<Retention> {
    let mode = wanted.mode.as_ref().ok_or_else(|| s3_error!(MalformedXML))?;
    let mode = parse_mode(mode.as_str())?;
    let invalid = || s3_error!(InvalidArgument, "the default retention must be of 1 day to 100 years");
    let number =
        |n: i32, most: u32| u32::try_from(n).ok().filter(|n| (1..=most).contains(n)).ok_or_else(invalid);
    match (wanted.days, wanted.years) {
        (Some(days), None) => Ok(Retention { mode, days: Some(number(days, MOST_DAYS)?), years: None }),
        (None, Some(years)) => Ok(Retention { mode, days: None, years: Some(number(years, 100)?) }),
        (Some(_), Some(_)) | (None, None) => Err(s3_error!(MalformedXML)),
    }
}

/// `GetObjectRetention`
pub async fn retention(
    call: &Call,
    input: GetObjectRetentionInput,
) -> Result<GetObjectRetentionOutput, Fault> {
    let (_, row) = read_version(call, input.bucket, input.key, input.version_id).await?;
    let (Some(mode), Some(until)) = (row.retention_mode, row.retained_until) else {
        return Err(s3_error!(NoSuchObjectLockConfiguration).into());
    };
    let retention = ObjectLockRetention {
        mode: Some(ObjectLockRetentionMode::from_static(mode_name(mode))),
        retain_until_date: Some(timestamp(until)),
    };
    Ok(GetObjectRetentionOutput { retention: Some(retention) })
}

/// `PutObjectRetention`
pub async fn set_retention(
    call: &Call,
    input: PutObjectRetentionInput,
) -> Result<PutObjectRetentionOutput, Fault> {
    let now = call.now;
    let bypass = bypass(call, input.bypass_governance_retention);
    let wanted = input.retention.ok_or_else(|| s3_error!(MalformedXML))?;
    let wanted = match (wanted.mode, wanted.retain_until_date) {
        (Some(mode), Some(until)) => Some((parse_mode(mode.as_str())?, millis(&until))),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => return Err(s3_error!(MalformedXML).into()),
    };
    if wanted.is_some_and(|(_, until)| until <= now) {
        return Err(s3_error!(InvalidArgument, "the retain-until date must be in the future").into());
    }
    let caller = call.caller.clone();
    let write = move |c: &rusqlite::Connection| {
        let found = locked_bucket(bucket(c, &caller, &input.bucket)?)?;
        let row = find_version(c, &found, &input.key, input.version_id.as_deref())?;
        check_change(&row, wanted, now, bypass)?;
        versions::set_retention(c, row.sequence, wanted)?;
        Ok(((), Vec::new()))
    };
    commit::settle(&call.store, None, write).await?;
    Ok(PutObjectRetentionOutput::default())
}

/// `GetObjectLegalHold`
pub async fn legal_hold(
    call: &Call,
    input: GetObjectLegalHoldInput,
) -> Result<GetObjectLegalHoldOutput, Fault> {
    let (found, row) = read_version(call, input.bucket, input.key, input.version_id).await?;
    locked_bucket(found)?;
    let status = ObjectLockLegalHoldStatus::from_static(hold_name(row.legal_hold));
    Ok(GetObjectLegalHoldOutput { legal_hold: Some(ObjectLockLegalHold { status: Some(status) }) })
}

/// `PutObjectLegalHold`
pub async fn set_legal_hold(
    call: &Call,
    input: PutObjectLegalHoldInput,
) -> Result<PutObjectLegalHoldOutput, Fault> {
    let status = input.legal_hold.and_then(|hold| hold.status).ok_or_else(|| s3_error!(MalformedXML))?;
    let hold = parse_hold(status.as_str())?;
    let caller = call.caller.clone();
    let write = move |c: &rusqlite::Connection| {
        let found = locked_bucket(bucket(c, &caller, &input.bucket)?)?;
        let row = find_version(c, &found, &input.key, input.version_id.as_deref())?;
        versions::set_legal_hold(c, row.sequence, hold)?;
        Ok(((), Vec::new()))
    };
    commit::settle(&call.store, None, write).await?;
    Ok(PutObjectLegalHoldOutput::default())
}

fn locked_bucket(found: BucketRow) -> S3Result<BucketRow> {
    if found.object_lock {
        Ok(found)
    } else {
        Err(s3_error!(InvalidRequest, "the bucket was not made with object lock"))
    }
}

async fn read_version(
    call: &Call,
    name: String,
    key: String,
    version: Option<String>,
) -> Result<(BucketRow, VersionRow), Fault> {
    let caller = call.caller.clone();
    let read = move |c: &rusqlite::Connection| {
        let found = bucket(c, &caller, &name)?;
        let row = find_version(c, &found, &key, version.as_deref())?;
        Ok((found, row))
    };
    call.store.read(read).await
}
