//! A user that is not enabled: neither it nor any of its keys works, and nothing is lost.

use crate::cut::{Cut, Cutter};
use crate::gateway::{Gateway, Names, listed, made};
use crate::sign::Credentials;
use storekeeper::provider::{Provider, UserWish};
use storekeeper::wire::Permission;

async fn statuses(gateway: &Gateway, keys: &[Credentials]) -> Vec<u16> {
    let mut statuses = Vec::new();
    for key in keys {
        statuses.push(gateway.put(key, "data", "x").await);
    }
    statuses
}

fn enabled(names: &Names, enabled: bool) -> UserWish {
    UserWish { enabled, ..names.user() }
}

#[tokio::test]
async fn suspension_stops_the_user_and_all_its_keys_and_is_taken_back_without_loss() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (client, user) = gateway.user_with_bucket(&names).await;
    let permissions = [Permission::Full, Permission::ReadWrite, Permission::Write];
    let wishes = permissions.map(|permission| names.key(&user, permission));
    let mut keys = Vec::new();
    for wish in &wishes {
        keys.push(made(&client, wish).await);
    }
    assert_eq!(statuses(&gateway, &keys).await, [200; 3]);
    for _ in 0..2 {
        assert!(!client.update_user(&user.id, &enabled(&names, false)).await.unwrap().enabled);
        assert_eq!(statuses(&gateway, &keys).await, [403; 3]);
        for (wish, key) in wishes.iter().zip(&keys) {
            let there = [(key.access_key.clone(), true)];
            assert_eq!(listed(&gateway.client(), wish).await.unwrap(), there);
        }
        assert!(client.update_user(&user.id, &enabled(&names, true)).await.unwrap().enabled);
        assert_eq!(statuses(&gateway, &keys).await, [200; 3]);
    }
}

#[tokio::test]
async fn a_key_that_is_made_for_a_suspended_user_works_only_when_the_user_does() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (client, user) = gateway.user_with_bucket(&names).await;
    client.update_user(&user.id, &enabled(&names, false)).await.unwrap();
    let mut keys = Vec::new();
    for permission in [Permission::Full, Permission::ReadWrite] {
        keys.push(made(&client, &names.key(&user, permission)).await);
    }
    assert_eq!(statuses(&gateway, &keys).await, [403; 2]);
    client.update_user(&user.id, &enabled(&names, true)).await.unwrap();
    assert_eq!(statuses(&gateway, &keys).await, [200; 2]);
}

#[tokio::test]
async fn a_suspension_that_is_cut_off_is_not_reported_as_done_until_it_is() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (client, user) = gateway.user_with_bucket(&names).await;
    let keys = [made(&client, &names.key(&user, Permission::ReadWrite)).await];
    for wanted in [false, true] {
        for cut in Cut::ALL {
            for request in 0.. {
                client.update_user(&user.id, &enabled(&names, !wanted)).await.unwrap();
                let cutter = Cutter::start(&gateway.endpoint, cut, request).await;
                let cut_off = Gateway::client_at(&cutter.endpoint, &gateway.operator);
                let first = cut_off.update_user(&user.id, &enabled(&names, wanted)).await;
                let expected = [if wanted { 200 } else { 403 }];
                let seen = client.find_user(&names.login).await.unwrap().unwrap();
                if seen.enabled == wanted {
                    assert_eq!(statuses(&gateway, &keys).await, expected, "{wanted} {cut:?} {request}");
                }
                client.update_user(&user.id, &enabled(&names, wanted)).await.unwrap();
                assert_eq!(statuses(&gateway, &keys).await, expected, "{wanted} {cut:?} {request}");
                if first.is_ok() {
                    break;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_user_that_somebody_let_work_again_is_reported_so() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (client, user) = gateway.user_with_bucket(&names).await;
    client.update_user(&user.id, &enabled(&names, false)).await.unwrap();
    let change = [("uid", user.id.as_str()), ("suspended", "false")];
    assert_eq!(gateway.admin("POST", "user", &change).await.status, 200);
    assert!(client.find_user(&names.login).await.unwrap().unwrap().enabled);
    assert!(!client.update_user(&user.id, &enabled(&names, false)).await.unwrap().enabled);
}
