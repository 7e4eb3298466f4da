//! The runner: failed steps are tried again, and what is due later is taken up then.

use super::{World, versioned};
use crate::server::domain::jobs::life;
use crate::server::jobs::{Counters, Runner};
use crate::wire::{JobItem, JobKind, JobState};
use jiff::SignedDuration;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

async fn sql(world: &World, text: &'static str) {
    world.write(move |connection| Ok(connection.execute_batch(text)?)).await;
}

#[tokio::test]
async fn a_step_that_fails_is_tried_again_later_and_later_from_where_it_stopped() {
    let world = World::new().await;
    world.bucket("data", versioned()).await;
    world.bucket("copy", versioned()).await;
    world.text("data", "a", "1").await;
    world.text("data", "z", "2").await;
    let job = world.job("jb_1", JobKind::Backup, "data", Some("copy")).await;
    // Not the first try: its wait is long enough to be seen.
    world.save(JobItem { retries: 3, ..life::begin(job, crate::clock::now()) }).await;
    sql(&world, "CREATE TRIGGER broken BEFORE INSERT ON copy BEGIN SELECT RAISE(ABORT, 'broken'); END").await;
    let mut started = None;
    for (tries, wait) in [(4, 8), (5, 16), (6, 32)] {
        let before = crate::clock::now();
        let failed = world.run("jb_1").await;
        assert_eq!((failed.state, failed.retries), (JobState::Queued, tries));
        assert!(failed.message.is_some() && failed.finished_at.is_none());
        let due = failed.next_run_at.unwrap().duration_since(before);
        let wait = SignedDuration::from_secs(wait);
        assert!(
            due >= wait - SignedDuration::from_millis(1) && due < wait + SignedDuration::from_secs(30),
            "{due:?}"
        );
        assert_eq!(*started.get_or_insert(failed.started_at), failed.started_at, "it is the same run");
        assert!(world.contents("copy").await.is_empty());
        // As if the wait were over.
        world.save(JobItem { next_run_at: Some(before), ..failed }).await;
    }
    sql(&world, "DROP TRIGGER broken").await;
    let done = world.run("jb_1").await;
    assert_eq!((done.state, done.progress.versions, done.retries), (JobState::Succeeded, 2, 6));
    assert_eq!(world.contents("copy").await, ["*a=1", "*z=2"]);
}

#[tokio::test]
async fn a_run_that_always_fails_ends_as_failed() {
    let world = World::new().await;
    world.bucket("data", versioned()).await;
    world.bucket("copy", versioned()).await;
    world.text("data", "a", "1").await;
    let job = world.job("jb_1", JobKind::Backup, "data", Some("copy")).await;
    sql(&world, "CREATE TRIGGER broken BEFORE INSERT ON copy BEGIN SELECT RAISE(ABORT, 'broken'); END").await;
    let last = JobItem { retries: 8, ..life::begin(job, crate::clock::now()) };
    world.save(last).await;
    let failed = world.run("jb_1").await;
    assert_eq!((failed.state, failed.next_run_at), (JobState::Failed, None));
    assert!(failed.message.is_some() && failed.finished_at.is_some());
}

#[tokio::test]
async fn the_runner_wakes_by_itself_when_a_job_is_due() {
    let world = World::new().await;
    world.bucket("data", versioned()).await;
    world.text("data", "a", "1").await;
    let job = world.job("jb_1", JobKind::EmptyBucket, "data", None).await;
    let due = crate::clock::now() + SignedDuration::from_millis(400);
    world.save(JobItem { next_run_at: Some(due), ..job }).await;
    let stop = CancellationToken::new();
    let runner = Runner::new(world.store.clone(), Arc::new(Notify::new()), Counters::default());
    let running = tokio::spawn(runner.run(stop.clone()));
    let ended = async {
        loop {
            let job = world.state("jb_1").await;
            if job.state == JobState::Succeeded {
                return job;
            }
            assert!(job.state == JobState::Queued || crate::clock::now() >= due, "{:?}", job.state);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    // Far less than a minute, after which it would look anyway.
    let job = tokio::time::timeout(Duration::from_secs(20), ended).await.unwrap();
    assert!(job.started_at.unwrap() >= due - SignedDuration::from_millis(1));
    stop.cancel();
    running.await.unwrap();
}
