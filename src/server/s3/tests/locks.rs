//! Object lock: what it keeps from being removed, by whom, and for how long.

use super::{BUCKET, World, refused};
use crate::server::s3::lock::{Protection, check_removable, for_new_version};
use crate::server::store::objects::buckets::BucketRow;
use crate::server::store::objects::versions::VersionRow;
use crate::wire::{LockMode, Permission, Quota, Retention, Versioning};
use s3s::S3;
use s3s::dto::{
    DeleteObjectInput, ObjectLockLegalHold, ObjectLockLegalHoldStatus, ObjectLockMode, ObjectLockRetention,
    ObjectLockRetentionMode, PutObjectLegalHoldInput, PutObjectRetentionInput,
};

const NOW: i64 = 1_000_000;
const DAY: i64 = 24 * 3600 * 1000;

fn version(mode: Option<LockMode>, until: i64, legal_hold: bool) -> VersionRow {
    VersionRow {
        sequence: 1,
        key: "a".to_owned(),
        version: "null".to_owned(),
        latest: true,
        marker: false,
        size: 1,
        etag: String::new(),
        blob: None,
        modified: 0,
        attributes: "{}".to_owned(),
        tags: "[]".to_owned(),
        retention_mode: mode,
        retained_until: mode.map(|_| until),
        legal_hold,
    }
}

#[test]
fn what_is_locked_is_removed_by_nobody_but_governance_with_bypass() {
    use LockMode::{Compliance, Governance};
    for (mode, until, hold, without, with) in [
        (None, 0, false, true, true),
        (Some(Governance), NOW + 1, false, false, true),
        (Some(Governance), NOW, false, true, true),
        (Some(Compliance), NOW + 1, false, false, false),
        (Some(Compliance), NOW, false, true, true),
        (None, 0, true, false, false),
        (Some(Governance), NOW + 1, true, false, false),
        (Some(Compliance), NOW, true, false, false),
    ] {
        let row = version(mode, until, hold);
        assert_eq!(check_removable(&row, NOW, false).is_ok(), without, "{mode:?} {until} {hold}");
        assert_eq!(check_removable(&row, NOW, true).is_ok(), with, "{mode:?} {until} {hold}, bypass");
    }
}

#[test]
fn a_new_version_is_retained_as_asked_or_by_the_default() {
    let bucket = |object_lock, retention| BucketRow {
        id: 1,
        name: BUCKET.to_owned(),
        versioning: Versioning::Enabled,
        object_lock,
        retention,
        quota: Quota::default(),
        created: 0,
        used_bytes: 0,
        used_objects: 0,
    };
    let days = Retention { mode: LockMode::Governance, days: Some(2), years: None };
    let years = Retention { mode: LockMode::Compliance, days: None, years: Some(1) };
    let asked = |until| Protection { retention: Some((LockMode::Compliance, until)), legal_hold: false };
    let none = Protection::default();
    let new = |bucket: &BucketRow, asked: &Protection| for_new_version(bucket, asked, NOW);
    assert_eq!(new(&bucket(true, None), &none).unwrap(), None);
    assert_eq!(new(&bucket(true, Some(days)), &none).unwrap(), Some((LockMode::Governance, NOW + 2 * DAY)));
    assert_eq!(
        new(&bucket(true, Some(years)), &none).unwrap(),
        Some((LockMode::Compliance, NOW + 365 * DAY))
    );
    assert_eq!(
        new(&bucket(true, Some(days)), &asked(NOW + 5)).unwrap(),
        Some((LockMode::Compliance, NOW + 5))
    );
    assert!(new(&bucket(true, None), &asked(NOW)).is_err());
    assert!(new(&bucket(false, None), &asked(NOW + 5)).is_err());
    let hold = Protection { retention: None, legal_hold: true };
    assert!(new(&bucket(false, None), &hold).is_err());
}

async fn locked(mode: &'static str) -> (World, String) {
    let world = World::empty().await;
    world.create(BUCKET, true).await.unwrap();
    let mut input = World::put_input("a", "data");
    input.object_lock_mode = Some(ObjectLockMode::from_static(mode));
    input.object_lock_retain_until_date = Some(in_a_day());
    let version = world.plane.put_object(World::full(input)).await.unwrap().output.version_id.unwrap();
    (world, version)
}

fn in_a_day() -> s3s::dto::Timestamp {
    crate::server::s3::convert::timestamp(crate::clock::now().as_millisecond() + DAY)
}

fn bypassing(version: &str) -> DeleteObjectInput {
    DeleteObjectInput { bypass_governance_retention: Some(true), ..World::delete_input("a", Some(version)) }
}

#[tokio::test]
async fn governance_is_lifted_with_full_and_bypass_only() {
    let (world, version) = locked(ObjectLockMode::GOVERNANCE).await;
    refused(world.delete("a", Some(&version)).await, "AccessDenied");
    let input = bypassing(&version);
    refused(
        world.plane.delete_object(World::as_level(Permission::ReadWrite, input.clone())).await,
        "AccessDenied",
    );
    // A delete marker removes nothing.
    let marker = world.delete("a", None).await.unwrap();
    world.delete("a", marker.version_id.as_deref()).await.unwrap();
    world.plane.delete_object(World::full(input)).await.unwrap();
    assert_eq!(world.blobs(), 0);
}

#[tokio::test]
async fn compliance_is_lifted_by_nobody_and_only_made_longer() {
    let (world, version) = locked(ObjectLockMode::COMPLIANCE).await;
    refused(world.plane.delete_object(World::full(bypassing(&version))).await, "AccessDenied");
    let retain = async |mode: &'static str, days: i64| {
        let until = crate::clock::now().as_millisecond() + days * DAY;
        let retention = ObjectLockRetention {
            mode: Some(ObjectLockRetentionMode::from_static(mode)),
            retain_until_date: Some(crate::server::s3::convert::timestamp(until)),
        };
        let input = PutObjectRetentionInput {
            bucket: BUCKET.to_owned(),
            key: "a".to_owned(),
            retention: Some(retention),
            bypass_governance_retention: Some(true),
            ..Default::default()
        };
        world.plane.put_object_retention(World::full(input)).await
    };
    refused(retain("GOVERNANCE", 5).await, "AccessDenied");
    retain("COMPLIANCE", 5).await.unwrap();
    refused(retain("COMPLIANCE", 3).await, "AccessDenied");
    assert_eq!(world.get("a", Some(&version)).await.unwrap(), "data");
}

#[tokio::test]
async fn a_legal_hold_holds_until_it_is_lifted() {
    let world = World::empty().await;
    world.create(BUCKET, true).await.unwrap();
    let version = world.put("a", "data").await.unwrap().version_id.unwrap();
    let hold = async |status: &'static str| {
        let status = Some(ObjectLockLegalHoldStatus::from_static(status));
        let input = PutObjectLegalHoldInput {
            bucket: BUCKET.to_owned(),
            key: "a".to_owned(),
            legal_hold: Some(ObjectLockLegalHold { status }),
            ..Default::default()
        };
        world.plane.put_object_legal_hold(World::full(input)).await.unwrap();
    };
    hold("ON").await;
    refused(world.plane.delete_object(World::full(bypassing(&version))).await, "AccessDenied");
    hold("OFF").await;
    world.delete("a", Some(&version)).await.unwrap();
}
