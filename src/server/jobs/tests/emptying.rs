//! EmptyBucket, and what ends any job.

use super::{NOW, World, at, versioned};
use crate::server::domain::jobs::life;
use crate::server::jobs::{Fault, Step, emptying};
use crate::server::store::objects::uploads;
use crate::server::store::{buckets, tenants, users};
use crate::wire::{HoldUp, JobKind, JobState, Role, TenantItem, UserItem, Visibility};
use serde_json::json;

#[tokio::test]
async fn a_bucket_is_emptied_of_versions_and_markers() {
    let world = World::new().await;
    world.bucket("data", versioned()).await;
    for n in 0..300 {
        world.text("data", &format!("k{}", n % 7), "x").await;
    }
    world.put("data", "k0", None, None, false).await;
    world.job("jb_1", JobKind::EmptyBucket, "data", None).await;
    let blobs: Vec<_> = world.rows("data").await.into_iter().filter_map(|row| row.blob).collect();
    let done = world.run("jb_1").await;
    assert_eq!((done.state, done.progress.versions, done.hold_up), (JobState::Succeeded, 301, None));
    assert!(world.contents("data").await.is_empty());
    assert_eq!(world.row_of("data").await.used_objects, 0);
    assert!(
        blobs.iter().all(|blob| world.store.blobs().read(blob).unwrap().is_none()),
        "the data is gone, too"
    );
}

#[tokio::test]
async fn what_holds_an_emptied_bucket_up_is_said_with_the_earliest_time() {
    let world = World::new().await;
    world.bucket("data", json!({"objectLock": true})).await;
    let until = NOW + 5000;
    world.put("data", "locked", Some("1"), Some(until), false).await;
    world.put("data", "locked", Some("2"), None, false).await;
    world.text("data", "free", "x").await;
    let job = world.job("jb_1", JobKind::EmptyBucket, "data", None).await;
    world.begin(&job).await;
    let (step, removed, _) = emptying::step(&world.store, "jb_1", NOW).await.unwrap();
    let retained = HoldUp {
        retained: 1,
        retained_until: Some(at(until)),
        earliest: Some(at(until)),
        ..HoldUp::default()
    };
    assert_eq!((step, removed), (Step::HeldUp(retained.clone()), 2));
    assert_eq!(world.contents("data").await, ["*locked=1"], "what is left is what the key stands for");

    world.put("data", "held", Some("x"), None, true).await;
    let bucket = world.row_of("data").await.id;
    world
        .write(move |connection| {
            let upload = uploads::UploadRow {
                id: "u".to_owned(),
                key: "k".to_owned(),
                access_key: "SK".to_owned(),
                created: NOW,
                attributes: "{}".to_owned(),
            };
            uploads::insert(connection, bucket, &upload)
        })
        .await;
    let (step, _, _) = emptying::step(&world.store, "jb_1", NOW).await.unwrap();
    assert_eq!(step, Step::HeldUp(HoldUp { legal_holds: 1, uploads: 1, earliest: None, ..retained }));
    let (_, removed, _) = emptying::step(&world.store, "jb_1", until).await.unwrap();
    assert_eq!(removed, 1, "when the retention has ended the version goes");
}

#[tokio::test]
async fn a_cancelled_job_and_one_whose_owner_lost_the_right_make_no_step() {
    let world = World::new().await;
    world.bucket("data", versioned()).await;
    world.text("data", "k", "x").await;
    let job = world.job("jb_1", JobKind::EmptyBucket, "data", None).await;
    world.begin(&job).await;
    world.save(life::cancel(world.state("jb_1").await, at(NOW)).unwrap()).await;
    assert!(matches!(emptying::step(&world.store, "jb_1", NOW).await, Err(Fault::Gone)));
    world.begin(&job).await;
    let disabled = UserItem { enabled: false, ..world.owner.clone() };
    world.write(move |connection| users::update(connection, &disabled, None)).await;
    let refused = emptying::step(&world.store, "jb_1", NOW).await;
    assert!(matches!(refused, Err(Fault::Refused(message)) if message == "the job's owner is not enabled"));
    assert_eq!(world.contents("data").await, ["*k=x"]);
    let failed = world.run("jb_1").await;
    assert_eq!(
        (failed.state, failed.message.as_deref()),
        (JobState::Failed, Some("the job's owner is not enabled"))
    );
}

#[tokio::test]
async fn a_bucket_that_is_gone_fails_the_job_for_good() {
    let world = World::new().await;
    world.bucket("data", versioned()).await;
    world.job("jb_1", JobKind::EmptyBucket, "data", None).await;
    let user = world.owner.id.clone();
    world.write(move |connection| buckets::delete(connection, &user, "data")).await;
    let failed = world.run("jb_1").await;
    assert_eq!((failed.state, failed.retries), (JobState::Failed, 0));
    assert_eq!(failed.message.as_deref(), Some("the bucket 'data' is not there any more"));
}

#[tokio::test]
async fn a_job_stops_where_its_owner_may_no_longer_have_it_on_that_bucket() {
    let world = World::new().await;
    let tenant = world.owner.tenant_id.clone();
    let acme = world.write(move |connection| tenants::get(connection, &tenant)).await.unwrap();
    let acme = TenantItem { id: "tn_acme".to_owned(), name: "acme".to_owned(), built_in: false, ..acme };
    let isolated = TenantItem { visibility: Visibility::Isolated, ..acme.clone() };
    let maker = UserItem {
        id: "us_maker".to_owned(),
        login: "maker".to_owned(),
        role: Role::TenantAdministrator,
        tenant_id: acme.id.clone(),
        ..world.owner.clone()
    };
    let hers = UserItem { id: "us_hers".to_owned(), login: "hers".to_owned(), ..maker.clone() };
    let (public, rows) = (acme.clone(), [maker.clone(), hers.clone()]);
    world
        .write(move |connection| {
            tenants::insert(connection, &public)?;
            rows.iter().try_for_each(|user| users::insert(connection, user, None, "system"))
        })
        .await;
    // A bucket of the tenant acme; the job is the first administrator's, who is of another tenant.
    let administrator = world.owner.clone();
    let world = World { owner: hers.clone(), ..world };
    world.bucket("data", versioned()).await;
    for key in ["a", "b"] {
        world.text("data", key, "x").await;
    }
    let job = world.job("jb_1", JobKind::EmptyBucket, "data", None).await;
    let of = |owner: &UserItem, id: &str| {
        let job = crate::wire::JobItem { id: id.to_owned(), user_id: owner.id.clone(), ..job.clone() };
        let row = job.clone();
        (job, world.write(move |connection| crate::server::store::jobs::insert(connection, &row)))
    };
    let (by_administrator, inserted) = of(&administrator, "jb_2");
    inserted.await;
    let (by_maker, inserted) = of(&maker, "jb_3");
    inserted.await;

    let refused = async |id: &str| match emptying::step(&world.store, id, NOW).await {
        Err(Fault::Refused(message)) => message,
        other => panic!("{other:?}"),
    };
    let no_right = "the job's owner may no longer have such a job on the bucket 'data'";
    world.write(move |connection| tenants::update(connection, &isolated)).await;
    world.begin(&by_administrator).await;
    assert_eq!(refused("jb_2").await, no_right, "an isolated tenant is its own administrators' only");
    world.begin(&by_maker).await;
    let moved =
        UserItem { tenant_id: administrator.tenant_id.clone(), role: Role::FullAccess, ..maker.clone() };
    world.write(move |connection| users::update(connection, &moved, None)).await;
    assert_eq!(refused("jb_3").await, no_right, "who left the tenant left its buckets");
    assert_eq!(world.contents("data").await, ["*a=x", "*b=x"]);

    world.write(move |connection| tenants::update(connection, &acme)).await;
    let (step, removed, _) = emptying::step(&world.store, "jb_2", NOW).await.unwrap();
    assert_eq!((step, removed), (Step::Done, 2), "with the right it goes on");
}
