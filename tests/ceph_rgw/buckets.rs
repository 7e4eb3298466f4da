//! Buckets: made for their owner, as wished, and never emptied.

use crate::cut::{Cut, Cutter};
use crate::gateway::{Gateway, Names, made};
use storekeeper::provider::{BucketWish, ErrorKind, Provider, Quota, Retention, RetentionPeriod};
use storekeeper::wire::{LockMode, Permission, Versioning};

fn days(days: u32) -> Retention {
    Retention { mode: LockMode::Governance, period: RetentionPeriod::Days(days) }
}

#[tokio::test]
async fn a_bucket_is_made_once_found_changed_and_removed() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let client = gateway.client();
    let user = client.create_user(&names.user()).await.unwrap();
    let mut wish = names.bucket(&user, "data");
    wish.quota = Quota { buckets: None, size: Some(1_000_001), objects: Some(5) };
    let made = client.create_bucket(&wish).await.unwrap();
    assert_eq!((made.versioning, made.object_lock, made.quota), (Versioning::Disabled, false, wish.quota));
    assert_eq!((&made.owner, &made.object), (&Some(wish.owner.clone()), &Some(wish.object.clone())));
    assert_eq!(gateway.client().find_bucket(&user.id, "data").await.unwrap(), Some(made));
    assert_eq!(client.find_bucket(&user.id, "other").await.unwrap(), None);
    let again = client.create_bucket(&wish).await.unwrap_err();
    assert!(matches!(again.kind, ErrorKind::NameTaken(_)), "{again}");
    wish.versioning = Versioning::Enabled;
    wish.quota = Quota::default();
    let changed = client.update_bucket(&wish).await.unwrap();
    assert_eq!((changed.versioning, changed.quota), (Versioning::Enabled, wish.quota));
    wish.versioning = Versioning::Suspended;
    assert_eq!(client.update_bucket(&wish).await.unwrap().versioning, Versioning::Suspended);
    wish.versioning = Versioning::Disabled;
    let refused = client.update_bucket(&wish).await.unwrap_err();
    assert!(matches!(refused.kind, ErrorKind::Refused(_)), "{refused}");
    for _ in 0..2 {
        client.delete_bucket(&user.id, "data").await.unwrap();
    }
    assert_eq!(client.find_bucket(&user.id, "data").await.unwrap(), None);
    client.delete_user(&user.id).await.unwrap();
}

#[tokio::test]
async fn a_bucket_with_object_lock_keeps_it_and_takes_another_retention() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let client = gateway.client();
    let user = client.create_user(&names.user()).await.unwrap();
    let wish = names.bucket(&user, "data");
    let mut wish = BucketWish { versioning: Versioning::Enabled, object_lock: Some(days(7)), ..wish };
    let bucket = client.create_bucket(&wish).await.unwrap();
    assert_eq!((bucket.object_lock, bucket.default_retention), (true, Some(days(7))));
    wish.object_lock = Some(Retention { mode: LockMode::Compliance, period: RetentionPeriod::Years(1) });
    assert_eq!(client.update_bucket(&wish).await.unwrap().default_retention, wish.object_lock);
    let full = made(&client, &names.key(&user, Permission::Full)).await;
    let lock = gateway.ask(&full, "GET", "/data", &[("object-lock", "")], "").await.body;
    assert!(lock.contains("<Mode>COMPLIANCE</Mode><Years>1</Years>"), "{lock}");
}

#[tokio::test]
async fn two_users_have_buckets_of_the_same_name() {
    let (gateway, one, other) = (Gateway::new(), Names::new(), Names::new());
    let (client, first) = gateway.user_with_bucket(&one).await;
    let (_, second) = gateway.user_with_bucket(&other).await;
    let key = made(&client, &one.key(&first, Permission::ReadWrite)).await;
    let neighbour = made(&client, &other.key(&second, Permission::ReadWrite)).await;
    assert_eq!(gateway.put(&key, "data", "mine").await, 200);
    assert_eq!(gateway.get(&neighbour, "data", "mine").await, 404);
    assert!(client.delete_bucket(&first.id, "data").await.is_err());
    client.delete_bucket(&second.id, "data").await.unwrap();
    assert_eq!(gateway.get(&key, "data", "mine").await, 200);
}

#[tokio::test]
async fn a_bucket_that_holds_anything_is_not_removed() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (client, user) = gateway.user_with_bucket(&names).await;
    let full = made(&client, &names.key(&user, Permission::Full)).await;
    for (method, at, pairs, back) in [
        ("PUT", "/data/x", vec![], ("DELETE", vec![])),
        ("POST", "/data/x", vec![("uploads", "")], ("", vec![])),
    ] {
        // Without a length the gateway takes no POST.
        let came = gateway.ask(&full, method, at, &pairs, "data").await;
        assert_eq!(came.status, 200);
        let error = client.delete_bucket(&user.id, "data").await.unwrap_err();
        assert!(matches!(&error.kind, ErrorKind::InUse(why) if why.contains(": 1")), "{error}");
        let seen = client.find_bucket(&user.id, "data").await.unwrap().unwrap().contents;
        assert_eq!(seen.versions + seen.uploads, 1, "{method}");
        if let ("", _) = back {
            let id = came.body.split("<UploadId>").nth(1).unwrap().split('<').next().unwrap();
            assert_eq!(gateway.ask(&full, "DELETE", at, &[("uploadId", id)], "").await.status, 204);
        } else {
            assert_eq!(gateway.ask(&full, back.0, at, &back.1, "").await.status, 204);
        }
    }
    let versioned = BucketWish { versioning: Versioning::Enabled, ..names.bucket(&user, "data") };
    client.update_bucket(&versioned).await.unwrap();
    assert_eq!(gateway.delete(&full, "data", "never-there").await, 204);
    let error = client.delete_bucket(&user.id, "data").await.unwrap_err();
    assert!(matches!(&error.kind, ErrorKind::InUse(why) if why == "it holds delete markers"), "{error}");
}

#[tokio::test]
async fn a_bucket_that_the_user_made_is_foreign_and_left_alone() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (client, user) = gateway.user_with_bucket(&names).await;
    let full = made(&client, &names.key(&user, Permission::Full)).await;
    assert_eq!(gateway.ask(&full, "PUT", "/theirs", &[], "").await.status, 200);
    // Made anew under the name of one of ours: the record is of another bucket.
    assert_eq!(gateway.ask(&full, "DELETE", "/data", &[], "").await.status, 204);
    assert_eq!(gateway.ask(&full, "PUT", "/data", &[], "").await.status, 200);
    for name in ["theirs", "data"] {
        let found = client.find_bucket(&user.id, name).await.unwrap().unwrap();
        assert_eq!(found.owner, None, "{name}");
        let taken = client.create_bucket(&names.bucket(&user, name)).await.unwrap_err();
        assert!(matches!(taken.kind, ErrorKind::NameTaken(_)), "{taken}");
        assert!(client.update_bucket(&names.bucket(&user, name)).await.is_err());
        assert!(client.delete_bucket(&user.id, name).await.is_err());
    }
    assert_eq!(client.list_buckets(&names.cluster).await.unwrap(), []);
    assert_eq!(gateway.put(&full, "theirs", "x").await, 200);
}

#[tokio::test]
async fn a_bucket_that_was_removed_by_its_owner_is_made_again() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (client, user) = gateway.user_with_bucket(&names).await;
    let full = made(&client, &names.key(&user, Permission::Full)).await;
    assert_eq!(gateway.ask(&full, "DELETE", "/data", &[], "").await.status, 204);
    assert_eq!(client.find_bucket(&user.id, "data").await.unwrap(), None);
    let made = client.create_bucket(&names.bucket(&user, "data")).await.unwrap();
    assert_eq!(made.owner, Some(names.owner("skb")));
}

#[tokio::test]
async fn a_user_gets_no_more_buckets_than_its_quota() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let client = gateway.client();
    let mut wish = names.user();
    wish.quota.buckets = Some(1);
    let user = client.create_user(&wish).await.unwrap();
    client.create_bucket(&names.bucket(&user, "data")).await.unwrap();
    let error = client.create_bucket(&names.bucket(&user, "more")).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::QuotaExceeded(_)), "{error}");
    let full = made(&client, &names.key(&user, Permission::Full)).await;
    assert_eq!(gateway.ask(&full, "PUT", "/more", &[], "").await.status, 400);
}

#[tokio::test]
async fn a_creation_that_is_cut_off_anywhere_is_finished_by_the_next_and_leaves_nothing_else() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let client = gateway.client();
    let user = client.create_user(&names.user()).await.unwrap();
    let tenant = user.id.split('$').next().unwrap();
    let wish = names.bucket(&user, "data");
    let wish = BucketWish {
        versioning: Versioning::Enabled,
        object_lock: Some(days(7)),
        quota: Quota { buckets: None, size: None, objects: Some(5) },
        ..wish
    };
    for cut in Cut::ALL {
        for request in 0.. {
            let cutter = Cutter::start(&gateway.endpoint, cut, request).await;
            let cut_off = Gateway::client_at(&cutter.endpoint, &gateway.operator);
            let first = cut_off.create_bucket(&wish).await;
            if let Some(seen) = client.find_bucket(&user.id, "data").await.unwrap() {
                assert_eq!(
                    (seen.owner, seen.default_retention),
                    (Some(wish.owner.clone()), Some(days(7))),
                    "{cut:?} {request}"
                );
            }
            match client.create_bucket(&wish).await {
                Ok(_) => {}
                Err(error) => {
                    assert!(matches!(error.kind, ErrorKind::NameTaken(_)), "{cut:?} {request}: {error}");
                }
            }
            let made = client.find_bucket(&user.id, "data").await.unwrap().unwrap();
            assert_eq!((made.owner, made.versioning), (Some(wish.owner.clone()), Versioning::Enabled));
            assert_eq!(
                (made.default_retention, made.quota),
                (Some(days(7)), wish.quota),
                "{cut:?} {request}"
            );
            client.delete_bucket(&user.id, "data").await.unwrap();
            if first.is_ok() {
                assert!(request > 9, "nothing was cut");
                break;
            }
        }
    }
    client.delete_user(&user.id).await.unwrap();
    let left = gateway.admin("GET", "user", &[("list", ""), ("max-entries", "1000")]).await.body;
    assert!(!left.contains(tenant), "{left}");
}

#[tokio::test]
async fn a_half_made_bucket_without_the_lock_that_is_asked_for_is_made_anew() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let client = gateway.client();
    let user = client.create_user(&names.user()).await.unwrap();
    let plain = names.bucket(&user, "data");
    let locked = BucketWish { versioning: Versioning::Enabled, object_lock: Some(days(1)), ..plain.clone() };
    for (before, after) in [(&plain, &locked), (&locked, &plain)] {
        let mut half_made = false;
        for request in 0.. {
            let cutter = Cutter::start(&gateway.endpoint, Cut::Before, request).await;
            let cut_off = Gateway::client_at(&cutter.endpoint, &gateway.operator);
            let done = cut_off.create_bucket(before).await.is_ok();
            let seen = client.find_bucket(&user.id, "data").await.unwrap();
            if done || seen.is_some() {
                client.delete_bucket(&user.id, "data").await.unwrap();
                break;
            }
            half_made = true;
            let made = client.create_bucket(after).await.unwrap();
            assert_eq!(made.object_lock, after.object_lock.is_some(), "{request}");
            client.delete_bucket(&user.id, "data").await.unwrap();
        }
        assert!(half_made);
    }
}
