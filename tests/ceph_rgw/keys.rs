//! Keys: what each permission may do, and that nothing is lost, doubled or left behind.

use crate::cut::{Cut, Cutter};
use crate::gateway::{Gateway, Names, credentials, listed, made, pair, uuid};
use futures::future::{join_all, try_join_all};
use std::collections::BTreeSet;
use storekeeper::provider::{BucketWish, ErrorKind, KeyPair, Provider, Retention, RetentionPeriod};
use storekeeper::wire::{LockMode, Permission, ShownSecret, Versioning};

#[tokio::test]
async fn each_permission_may_do_what_it_says_and_nothing_else() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (client, user) = gateway.user_with_bucket(&names).await;
    let full = made(&client, &names.key(&user, Permission::Full)).await;
    assert_eq!(gateway.put(&full, "data", "there").await, 200);
    for (permission, put, get, delete, make) in [
        (Permission::Full, 200, 200, 204, 200),
        (Permission::ReadWrite, 200, 200, 204, 403),
        (Permission::Read, 403, 200, 403, 403),
        (Permission::Write, 200, 403, 403, 403),
    ] {
        let key = made(&client, &names.key(&user, permission)).await;
        let bucket = format!("made-by-{}", permission.as_str().to_lowercase());
        let can = [
            gateway.put(&key, "data", "mine").await,
            gateway.get(&key, "data", "there").await,
            gateway.delete(&key, "data", "mine").await,
            gateway.ask(&key, "PUT", &format!("/{bucket}"), &[], "").await.status,
        ];
        assert_eq!(can, [put, get, delete, make], "{permission:?}");
    }
}

#[tokio::test]
async fn who_uploads_owns_the_object_and_may_do_no_more_for_that() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (client, user) = gateway.user_with_bucket(&names).await;
    let mut keys = Vec::new();
    for permission in [Permission::Full, Permission::ReadWrite, Permission::Read, Permission::Write] {
        keys.push(made(&client, &names.key(&user, permission)).await);
    }
    for who in [3, 1] {
        assert_eq!(gateway.put(&keys[who], "data", "mine").await, 200);
        let mut reads = Vec::new();
        for key in &keys {
            reads.push(gateway.get(key, "data", "mine").await);
        }
        assert_eq!(reads, [200, 200, 200, 403], "of what {who} uploaded");
        let public = [("x-amz-acl", "public-read".to_owned())];
        let came = gateway.ask_with(&keys[who], "PUT", "/data/mine", &[("acl", "")], &public, "").await;
        assert_eq!(came.status, 403, "{came:?}");
        client.revoke_key(&keys[who].access_key).await.unwrap();
        assert_eq!(gateway.get(&keys[0], "data", "mine").await, 200, "after its key is gone");
    }
}

#[tokio::test]
async fn only_a_full_key_bypasses_governance() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let client = gateway.client();
    let user = client.create_user(&names.user()).await.unwrap();
    let week = Retention { mode: LockMode::Governance, period: RetentionPeriod::Days(7) };
    let bucket = names.bucket(&user, "data");
    let bucket = BucketWish { versioning: Versioning::Enabled, object_lock: Some(week), ..bucket };
    client.create_bucket(&bucket).await.unwrap();
    let bypass = [("x-amz-bypass-governance-retention", "true".to_owned())];
    for (permission, expected) in [(Permission::ReadWrite, 403), (Permission::Full, 204)] {
        let key = made(&client, &names.key(&user, permission)).await;
        // The gateway wants to know what is uploaded into a bucket that locks.
        let digest = [("content-md5", "jXd/OF09/siBXSD3SWAm3A==".to_owned())];
        let put = gateway.ask_with(&key, "PUT", "/data/kept", &[], &digest, "data").await;
        assert_eq!(put.status, 200, "{put:?}");
        let full = made(&client, &names.key(&user, Permission::Full)).await;
        let versions = gateway.ask(&full, "GET", "/data", &[("versions", "")], "").await.body;
        let id = versions.split("<VersionId>").nth(1).unwrap().split('<').next().unwrap();
        let came = gateway.ask_with(&key, "DELETE", "/data/kept", &[("versionId", id)], &bypass, "").await;
        assert_eq!(came.status, expected, "{permission:?}: {came:?}");
    }
}

#[tokio::test]
async fn a_key_reaches_no_bucket_of_another_user() {
    let (gateway, one, other) = (Gateway::new(), Names::new(), Names::new());
    let (client, user) = gateway.user_with_bucket(&one).await;
    let (_, neighbour) = gateway.user_with_bucket(&other).await;
    client.create_bucket(&other.bucket(&neighbour, "theirs")).await.unwrap();
    let tenant = neighbour.id.split('$').next().unwrap();
    for permission in Permission::ALL {
        let key = made(&client, &one.key(&user, permission)).await;
        for bucket in ["theirs".to_owned(), format!("{tenant}:theirs"), format!("{tenant}:data")] {
            let status = gateway.put(&key, &bucket, "x").await;
            assert!(matches!(status, 403 | 404), "{permission:?} {bucket}: {status}");
        }
    }
}

#[tokio::test]
async fn a_key_is_put_listed_by_its_mark_put_again_and_revoked() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (client, user) = gateway.user_with_bucket(&names).await;
    for permission in Permission::ALL {
        let wish = names.key(&user, permission);
        let pair = pair(&client, &wish);
        assert_eq!(listed(&client, &wish).await.unwrap(), []);
        for _ in 0..2 {
            client.put_key(&wish, &pair).await.unwrap();
        }
        let id = pair.access_key_id.clone();
        // What another process sees, which remembers nothing.
        for client in [&client, &gateway.client()] {
            assert_eq!(listed(client, &wish).await.unwrap(), [(id.clone(), true)], "{permission:?}");
        }
        let all = gateway.client().list_keys(&names.cluster, None).await.unwrap();
        let key = all.iter().find(|key| key.access_key_id == id).unwrap();
        assert_eq!(
            (key.epoch, &key.nonce, &key.owner, &key.user_id),
            (1, &wish.nonce, &wish.owner, &user.id)
        );
        let known = (key.object.clone(), key.secret.clone());
        if permission == Permission::Full {
            assert_eq!(known, (None, None));
        } else {
            assert_eq!(known, (Some(wish.object.clone()), Some(wish.secret.clone())));
        }
        for client in [&gateway.client(), &client] {
            client.revoke_key(&id).await.unwrap();
            assert_eq!(listed(client, &wish).await.unwrap(), [], "{permission:?}");
        }
        assert_eq!(gateway.get(&credentials(&pair), "data", "x").await, 403);
    }
    assert_eq!(client.find_user(&names.login).await.unwrap().unwrap().usage.access_keys, 0);
}

#[tokio::test]
async fn a_revoked_key_stops_at_once_and_its_neighbours_do_not() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (client, user) = gateway.user_with_bucket(&names).await;
    let wishes = [Permission::Full, Permission::Full, Permission::Read, Permission::Read]
        .map(|permission| names.key(&user, permission));
    let keys = join_all(wishes.iter().map(|wish| made(&client, wish))).await;
    for gone in [&keys[0], &keys[2]] {
        client.revoke_key(&gone.access_key).await.unwrap();
    }
    let works = join_all(keys.iter().map(|key| gateway.ask(key, "GET", "/data", &[], ""))).await;
    assert_eq!(works.iter().map(|came| came.status).collect::<Vec<_>>(), [403, 200, 403, 200]);
}

#[tokio::test]
async fn an_id_that_somebody_else_has_is_taken_and_theirs_is_left_alone() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (client, user) = gateway.user_with_bucket(&names).await;
    for permission in [Permission::Full, Permission::Read] {
        let wish = names.key(&user, permission);
        let pair = pair(&client, &wish);
        let foreign = format!("foreign-{}", uuid());
        let theirs = [
            ("uid", foreign.as_str()),
            ("display-name", "x"),
            ("access-key", &pair.access_key_id),
            ("secret-key", "theirs"),
            ("key-type", "s3"),
        ];
        assert_eq!(gateway.admin("PUT", "user", &theirs).await.status, 200);
        let error = client.put_key(&wish, &pair).await.unwrap_err();
        assert!(matches!(error.kind, ErrorKind::NameTaken(_)), "{error}");
        let key = &gateway.rgw_user(&foreign).await["data"]["keys"][0];
        assert_eq!(
            (&key["access_key"], &key["secret_key"]),
            (&pair.access_key_id.as_str().into(), &"theirs".into())
        );
        assert_eq!(listed(&client, &wish).await.unwrap(), []);
        assert_eq!(gateway.admin("DELETE", "user", &[("uid", &foreign)]).await.status, 200);
    }
}

#[tokio::test]
async fn no_key_is_made_without_its_user_or_for_another_clusters() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (client, mut user) = gateway.user_with_bucket(&names).await;
    let stranger = Names { cluster: Names::new().cluster, login: names.login.clone() };
    for permission in [Permission::Full, Permission::Write] {
        let wish = stranger.key(&user, permission);
        let error = client.put_key(&wish, &pair(&client, &wish)).await.unwrap_err();
        assert!(matches!(error.kind, ErrorKind::Refused(_)), "{error}");
        user.id = user.id.replace("$user", "x$user");
        let wish = names.key(&user, permission);
        let error = client.put_key(&wish, &pair(&client, &wish)).await.unwrap_err();
        assert!(matches!(error.kind, ErrorKind::NotFound), "{error}");
        user.id = user.id.replace("x$user", "$user");
    }
    assert_eq!(client.list_keys(&names.cluster, None).await.unwrap(), []);
}

#[tokio::test]
async fn fifty_keys_of_one_user_at_once_are_all_made_and_all_revoked() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (client, user) = gateway.user_with_bucket(&names).await;
    for permission in [Permission::Full, Permission::ReadWrite] {
        let wishes: Vec<_> = (0..50).map(|_| names.key(&user, permission)).collect();
        let keys = join_all(wishes.iter().map(|wish| made(&client, wish))).await;
        let all = gateway.client().list_keys(&names.cluster, None).await.unwrap();
        let ids: BTreeSet<_> =
            all.iter().filter(|key| key.complete).map(|key| key.access_key_id.as_str()).collect();
        assert_eq!(ids, keys.iter().map(|key| key.access_key.as_str()).collect(), "{permission:?}");
        let works = join_all(keys.iter().map(|key| gateway.put(key, "data", &key.access_key))).await;
        assert!(works.iter().all(|status| *status == 200), "{works:?}");
        try_join_all(keys.iter().map(|key| client.revoke_key(&key.access_key))).await.unwrap();
        assert_eq!(gateway.client().list_keys(&names.cluster, None).await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_put_that_is_cut_off_anywhere_is_finished_by_the_next_and_makes_one_key() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (client, user) = gateway.user_with_bucket(&names).await;
    for permission in Permission::ALL {
        for cut in Cut::ALL {
            for request in 0.. {
                let wish = names.key(&user, permission);
                let pair = pair(&client, &wish);
                let cutter = Cutter::start(&gateway.endpoint, cut, request).await;
                let cut_off = Gateway::client_at(&cutter.endpoint, &gateway.operator);
                let first = cut_off.put_key(&wish, &pair).await;
                if first.is_err() {
                    // Whatever it left has no more power than was asked for.
                    let key = credentials(&pair);
                    if permission != Permission::Full {
                        assert_eq!(gateway.ask(&key, "PUT", "/made-by-it", &[], "").await.status, 403);
                    }
                    client.put_key(&wish, &pair).await.unwrap();
                }
                let ids = [(pair.access_key_id.clone(), true)];
                assert_eq!(
                    listed(&gateway.client(), &wish).await.unwrap(),
                    ids,
                    "{permission:?} {cut:?} {request}"
                );
                client.revoke_key(&pair.access_key_id).await.unwrap();
                if first.is_ok() {
                    assert!(request > 1, "nothing was cut");
                    break;
                }
            }
        }
    }
    assert_eq!(gateway.client().list_keys(&names.cluster, None).await.unwrap(), []);
}

#[tokio::test]
async fn a_request_that_comes_late_shows_itself_in_the_next_list() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (client, user) = gateway.user_with_bucket(&names).await;
    for permission in Permission::ALL {
        let wish = names.key(&user, permission);
        let pair = pair(&client, &wish);
        client.put_key(&wish, &pair).await.unwrap();
        client.revoke_key(&pair.access_key_id).await.unwrap();
        gateway.client().put_key(&wish, &pair).await.unwrap();
        assert_eq!(
            listed(&client, &wish).await.unwrap(),
            [(pair.access_key_id.clone(), true)],
            "{permission:?}"
        );
        client.revoke_key(&pair.access_key_id).await.unwrap();
    }
}

#[tokio::test]
async fn a_key_that_was_changed_by_somebody_is_not_complete_and_is_put_right() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (client, user) = gateway.user_with_bucket(&names).await;
    let wish = names.key(&user, Permission::Read);
    let pair = pair(&client, &wish);
    client.put_key(&wish, &pair).await.unwrap();
    let owner = gateway.admin("GET", "user", &[("access-key", &pair.access_key_id)]).await.body;
    let owner: serde_json::Value = serde_json::from_str(&owner).unwrap();
    let uid = format!("{}${}", owner["tenant"].as_str().unwrap(), owner["user_id"].as_str().unwrap());
    let uid = uid.as_str();
    let changes = [
        ("POST", "/admin/user", vec![("uid", uid), ("display-name", "changed")]),
        ("POST", "/admin/user", vec![("uid", uid), ("suspended", "true")]),
        ("POST", "/admin/user", vec![("uid", uid), ("max-buckets", "5")]),
        ("PUT", "/admin/user", vec![("key", ""), ("uid", uid), ("key-type", "s3")]),
        ("PUT", "/admin/user", vec![("uid", uid), ("subuser", "x"), ("access", "full")]),
    ];
    for (method, at, change) in changes {
        assert_eq!(gateway.ask(&gateway.operator, method, at, &change, "").await.status, 200, "{change:?}");
        let client = gateway.client();
        assert_eq!(
            listed(&client, &wish).await.unwrap(),
            [(pair.access_key_id.clone(), false)],
            "{change:?}"
        );
        client.put_key(&wish, &pair).await.unwrap();
        assert_eq!(listed(&client, &wish).await.unwrap(), [(pair.access_key_id.clone(), true)], "{change:?}");
    }
    let removed = [("key", ""), ("uid", uid), ("access-key", &pair.access_key_id)];
    assert_eq!(gateway.admin("DELETE", "user", &removed).await.status, 200);
    assert_eq!(listed(&gateway.client(), &wish).await.unwrap(), [(pair.access_key_id.clone(), false)]);
    client.revoke_key(&pair.access_key_id).await.unwrap();
    assert_eq!(listed(&gateway.client(), &wish).await.unwrap(), []);
}

#[tokio::test]
async fn a_pair_that_was_chosen_for_another_key_is_refused() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (client, user) = gateway.user_with_bucket(&names).await;
    let wish = names.key(&user, Permission::Read);
    let other = KeyPair {
        access_key_id: pair(&client, &names.key(&user, Permission::Read)).access_key_id,
        secret_access_key: ShownSecret::new("x".repeat(40)),
    };
    let error = client.put_key(&wish, &other).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Refused(_)) && error.is_definite(), "{error}");
    assert!(client.mint_key(&wish, None).await.is_err_and(|error| error.is_definite()));
}
