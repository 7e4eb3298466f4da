//! Backup and Restore.

use super::{NOW, World, at, versioned};
use crate::server::domain::jobs::life;
use crate::server::jobs::{Step, copying};
use crate::server::store::objects::versions;
use crate::wire::{JobItem, JobKind, JobState, LockMode};
use serde_json::json;

#[tokio::test]
async fn a_backup_copies_all_versions_and_the_next_one_only_what_is_new() {
    let world = World::new().await;
    world.bucket("data", versioned()).await;
    world.bucket("copy", versioned()).await;
    for (key, text) in [("a", "a1"), ("a", "a2"), ("b//c", "b1")] {
        world.text("data", key, text).await;
    }
    world.put("data", "gone", Some("g1"), None, false).await;
    world.put("data", "gone", None, None, false).await;
    world.job("jb_1", JobKind::Backup, "data", Some("copy")).await;
    let done = world.run("jb_1").await;
    assert_eq!((done.state, done.progress.versions, done.progress.bytes), (JobState::Succeeded, 5, 8));
    assert_eq!(world.contents("copy").await, world.contents("data").await);
    assert_eq!(world.contents("copy").await, ["*a=a2", "a=a1", "*b//c=b1", "*gone=-", "gone=g1"]);
    assert!(world.rows("copy").await.iter().all(|row| row.modified == NOW), "copies keep their time");

    world.text("data", "a", "a3").await;
    world.save(life::run(done, at(NOW)).unwrap()).await;
    let again = world.run("jb_1").await;
    assert_eq!((again.state, again.progress.versions, again.progress.keys), (JobState::Succeeded, 1, 3));
    assert_eq!(world.contents("copy").await, world.contents("data").await);
}

#[tokio::test]
async fn an_interrupted_backup_goes_on_at_the_object_where_it_stopped() {
    let world = World::new().await;
    world.bucket("data", versioned()).await;
    world.bucket("copy", versioned()).await;
    for n in 0..100 {
        world.text("data", &format!("k{n:03}"), "x").await;
    }
    let job = world.job("jb_1", JobKind::Backup, "data", Some("copy")).await;
    world.begin(&job).await;
    let (step, versions, _) = copying::step(&world.store, "jb_1", NOW).await.unwrap();
    assert_eq!((step, versions), (Step::More, 64));
    assert_eq!(world.state("jb_1").await.progress.last_key.as_deref(), Some("k063"));

    let world = world.restart();
    let done = world.run("jb_1").await;
    assert_eq!((done.state, done.progress.versions, done.progress.keys), (JobState::Succeeded, 100, 100));
    assert_eq!(done.started_at, Some(at(NOW)), "it is the same run");
    assert_eq!(world.rows("copy").await.len(), 100, "nothing is copied twice");
}

#[tokio::test]
async fn a_key_with_more_versions_than_one_step_takes_is_copied_in_several() {
    let world = World::new().await;
    world.bucket("data", versioned()).await;
    world.bucket("copy", versioned()).await;
    for n in 0..70 {
        world.text("data", "k", &n.to_string()).await;
    }
    world.job("jb_1", JobKind::Backup, "data", Some("copy")).await;
    assert_eq!(world.run("jb_1").await.progress.versions, 70);
    assert_eq!(world.contents("copy").await, world.contents("data").await);
}

#[tokio::test]
async fn a_restore_brings_back_what_was_lost_and_nothing_else() {
    let world = World::new().await;
    world.bucket("data", json!({})).await;
    world.bucket("copy", versioned()).await;
    world.text("data", "kept", "same").await;
    world.text("data", "lost", "precious").await;
    world.job("jb_1", JobKind::Backup, "data", Some("copy")).await;
    world.run("jb_1").await;
    world.text("copy", "foreign", "written by a client").await;
    let bucket = world.row_of("data").await.id;
    let lost = world.rows("data").await.into_iter().find(|row| row.key == "lost").unwrap();
    world.write(move |connection| versions::delete(connection, bucket, &lost)).await;
    world.text("data", "kept", "changed").await;

    world.job("jb_2", JobKind::Restore, "copy", Some("data")).await;
    let done = world.run("jb_2").await;
    assert_eq!((done.state, done.progress.versions), (JobState::Succeeded, 2));
    assert_eq!(world.contents("data").await, ["*kept=same", "*lost=precious"]);
    let next = life::run(world.state("jb_1").await, at(NOW)).unwrap();
    world.save(next).await;
    assert_eq!(world.run("jb_1").await.progress.versions, 0, "what came from the backup is in it already");
}

#[tokio::test]
async fn a_restore_stops_at_the_time_that_was_chosen() {
    let world = World::new().await;
    world.bucket("data", versioned()).await;
    world.bucket("copy", versioned()).await;
    world.text("data", "k", "old").await;
    world.job("jb_1", JobKind::Backup, "data", Some("copy")).await;
    world.run("jb_1").await;
    world.bucket("new", json!({})).await;
    let restore = world.job("jb_2", JobKind::Restore, "copy", Some("new")).await;
    world.write(|c| Ok(c.execute("UPDATE job SET up_to = ?1 WHERE id = 'jb_2'", [NOW - 1]).map(drop)?)).await;
    assert_eq!(world.run("jb_2").await.progress.versions, 0);
    world.write(|c| Ok(c.execute("UPDATE job SET up_to = ?1 WHERE id = 'jb_2'", [NOW]).map(drop)?)).await;
    world.save(JobItem { next_run_at: Some(at(NOW)), ..restore }).await;
    assert_eq!(world.run("jb_2").await.progress.versions, 1);
    assert_eq!(world.contents("new").await, ["*k=old"]);
}

#[tokio::test]
async fn a_copy_is_as_protected_as_its_original_and_as_its_bucket_asks() {
    let world = World::new().await;
    world.bucket("data", json!({"objectLock": true})).await;
    world
        .bucket("copy", json!({"objectLock": true, "defaultRetention": {"mode": "Compliance", "days": 1}}))
        .await;
    let later = NOW + 10 * 24 * 60 * 60 * 1000;
    world.put("data", "held", Some("x"), None, true).await;
    world.put("data", "long", Some("x"), Some(later), false).await;
    let job = world.job("jb_1", JobKind::Backup, "data", Some("copy")).await;
    world.begin(&job).await;
    copying::step(&world.store, "jb_1", NOW).await.unwrap();
    let day = NOW + 24 * 60 * 60 * 1000;
    let rows = world.rows("copy").await;
    let locks: Vec<_> = rows
        .iter()
        .map(|row| (row.key.as_str(), row.legal_hold, row.retention_mode, row.retained_until))
        .collect();
    assert_eq!(
        locks,
        [
            ("held", true, Some(LockMode::Compliance), Some(day)),
            ("long", false, Some(LockMode::Governance), Some(later)),
        ]
    );
}

#[tokio::test]
async fn a_copy_over_quota_is_refused_and_changes_nothing() {
    let world = World::new().await;
    world.bucket("data", versioned()).await;
    world.bucket("copy", json!({"versioning": "Enabled", "quota": {"size": 10}})).await;
    for key in ["a", "b", "c"] {
        world.text("data", key, "12345").await;
    }
    world.job("jb_1", JobKind::Backup, "data", Some("copy")).await;
    let failed = world.run("jb_1").await;
    assert_eq!(failed.state, JobState::Failed);
    assert_eq!(failed.message.as_deref(), Some("a quota that bucket 'copy' counts for is exceeded"));
    assert!(world.contents("copy").await.is_empty());
}
