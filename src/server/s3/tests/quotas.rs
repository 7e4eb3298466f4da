//! Quotas of tenants, and of everything when many upload at once; uploads that nobody goes on with.

use super::{BUCKET, World, refused};
use crate::server::s3::auth::Caller;
use crate::server::s3::housekeeping::tidy;
use crate::server::store::StoreError;
use crate::wire::Permission;
use jiff::Timestamp;
use s3s::S3;
use s3s::dto::{CreateBucketInput, PutObjectInput};
use std::sync::Arc;

const DAY: i64 = 24 * 3600;

fn other_user<I>(input: I) -> s3s::S3Request<I> {
    let (user, key, permission) = ("us_2".into(), "SKTWO".into(), Permission::Full);
    World::as_caller(Caller { user, key, permission, buckets: None }, input)
}

#[tokio::test]
async fn the_quota_of_a_tenant_is_that_of_all_its_users_together() {
    let world = World::with_bucket().await;
    let bucket = CreateBucketInput { bucket: BUCKET.to_owned(), ..Default::default() };
    world.plane.create_bucket(other_user(bucket)).await.unwrap();
    world.sql("UPDATE tenant SET quota = '{\"size\":10,\"objects\":3}'").await;
    world.put("a", "0123456").await.unwrap();
    let put = async |key: &str, data: &str| {
        let input = PutObjectInput { key: key.to_owned(), ..World::put_input(key, data) };
        world.plane.put_object(other_user(input)).await
    };
    refused(put("a", "0123").await, "QuotaExceeded");
    put("a", "012").await.unwrap();
    put("b", "").await.unwrap();
    refused(put("c", "").await, "QuotaExceeded");
    refused(world.put("c", "").await, "QuotaExceeded");
    world.put("a", "6543210").await.unwrap();
    world.assert_counted().await;
}

#[tokio::test]
async fn parts_and_objects_share_the_quota() {
    let world = World::with_bucket().await;
    world.sql("UPDATE tenant SET quota = '{\"size\":10}'").await;
    let upload = world.begin().await;
    let one = world.part(&upload, 1, "0123456").await.unwrap();
    refused(world.put("b", "0123").await, "QuotaExceeded");
    world.part(&upload, 1, "0123456789").await.unwrap();
    refused(world.complete(&upload, &[(1, &one)]).await, "InvalidPart");
    let one = world.part(&upload, 1, "012345678").await.unwrap();
    world.complete(&upload, &[(1, &one)]).await.unwrap();
    world.put("b", "0").await.unwrap();
    refused(world.put("c", "0").await, "QuotaExceeded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_many_upload_at_once_no_quota_is_exceeded_and_all_room_is_used() {
    for quota in [
        "UPDATE bucket SET quota = '{\"size\":5000}'",
        "UPDATE user SET quota = '{\"size\":5000,\"objects\":9}'",
        "UPDATE tenant SET quota = '{\"objects\":5}'",
    ] {
        let world = Arc::new(World::with_bucket().await);
        world.sql(quota).await;
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..24 {
            let world = Arc::clone(&world);
            let data = "x".repeat(1000);
            tasks.spawn(async move { world.put(&format!("{number}"), &data).await });
        }
        let mut made = 0;
        while let Some(done) = tasks.join_next().await {
            match done.unwrap() {
                Ok(_) => made += 1,
                Err(error) => refused::<()>(Err(error), "QuotaExceeded"),
            }
        }
        assert!((1..=5).contains(&made), "{made} of 5");
        for number in made..5 {
            world.put(&format!("more-{number}"), &"x".repeat(1000)).await.unwrap();
        }
        refused(world.put("last", &"x".repeat(1000)).await, "QuotaExceeded");
        assert_eq!(world.blobs(), 5, "{quota}");
        world.assert_counted().await;
    }
}

#[tokio::test]
async fn what_came_and_went_is_recorded_with_every_change() {
    let world = World::with_bucket().await;
    world.put("a", "0123456").await.unwrap();
    world.put("a", "012").await.unwrap();
    world.put("b", "01").await.unwrap();
    world.delete("b", None).await.unwrap();
    let read = |c: &rusqlite::Connection| {
        let sql = "SELECT sum(bytes), sum(objects) FROM stored_hour WHERE user = 'us_1' AND tenant = 'tn_1'";
        Ok::<(i64, i64), StoreError>(c.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?)
    };
    assert_eq!(world.store.read(read).await.unwrap(), (3, 1));
}

#[tokio::test]
async fn an_upload_that_nobody_goes_on_with_for_a_week_is_removed() {
    let world = World::with_bucket().await;
    let (old, going_on) = (world.begin().await, world.begin().await);
    world.part(&old, 1, "data").await.unwrap();
    world.part(&going_on, 1, "data").await.unwrap();
    world.sql("UPDATE upload SET created = 0").await;
    let now = crate::clock::now().as_second();
    let in_days = |days: i64| Timestamp::from_second(now + days * DAY).unwrap();
    tidy(&world.store, in_days(6)).await.unwrap();
    assert_eq!(world.blobs(), 2);
    world
        .sql("UPDATE part SET modified = 0 WHERE upload = (SELECT id FROM upload ORDER BY id LIMIT 1)")
        .await;
    tidy(&world.store, in_days(0)).await.unwrap();
    assert_eq!(world.blobs(), 1);
    tidy(&world.store, in_days(8)).await.unwrap();
    assert_eq!(world.blobs(), 0);
    refused(world.part(&old, 2, "data").await, "NoSuchUpload");
}
