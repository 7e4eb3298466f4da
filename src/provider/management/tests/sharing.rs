//! How often a crowd of objects asks the server.

use super::scripted::{Answer, Scripted};
use super::{ACCOUNT, client};
use crate::provider::{ClusterId, Inventory};
use serde_json::{Value, json};
use std::time::Duration;

const LONG: Duration = Duration::from_mins(1);

fn user(login: &str) -> Value {
    json!({
        "id": format!("us_{login}"), "login": login, "timeZone": "UTC", "role": "FullAccess", "tenantId": "tn_1",
        "accountId": ACCOUNT, "enabled": true, "createdAt": "2026-01-01T00:00:00Z",
    })
}

/// One question after the other: which of these logins exist?
async fn ask(inventory: &Inventory, server: &Scripted, logins: &[&str]) -> Vec<bool> {
    let client = client(&server.url(), None, Duration::from_secs(10));
    let mut found = Vec::new();
    for login in logins {
        let user = inventory.user(&client, &ClusterId("c-1".to_owned()), login).await.unwrap();
        assert!(user.as_ref().is_none_or(|user| user.login == *login));
        found.push(user.is_some());
    }
    found
}

/// A server with one answer: the users of these logins, whatever the filter.
async fn server(logins: &[&str]) -> Scripted {
    let items: Vec<Value> = logins.iter().map(|login| user(login)).collect();
    Scripted::plain(vec![Answer::json(200, &json!({ "items": items }))]).await
}

fn bulk(server: &Scripted) -> usize {
    server.requests().iter().filter(|request| request.contains("label=")).count()
}

#[tokio::test]
async fn one_object_asks_for_one_thing_and_is_answered_from_memory_for_a_moment() {
    let server = server(&["a", "b"]).await;
    assert_eq!(ask(&Inventory::new(LONG), &server, &["a", "a", "a"]).await, [true, true, true]);
    assert_eq!((server.requests().len(), bulk(&server)), (1, 0));
}

#[tokio::test]
async fn a_crowd_asks_for_everything_once() {
    let logins: Vec<String> = (0..100).map(|n| format!("u{n}")).collect();
    let logins: Vec<&str> = logins.iter().map(String::as_str).collect();
    let server = server(&logins).await;
    let found = ask(&Inventory::new(LONG), &server, &logins).await;
    assert!(found.into_iter().all(|found| found));
    assert_eq!((server.requests().len(), bulk(&server)), (9, 1), "8 alone, then one list");
}

#[tokio::test]
async fn that_something_is_absent_is_always_asked_of_the_server() {
    let server = server(&["a"]).await;
    let inventory = Inventory::new(LONG);
    ask(&inventory, &server, &["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]).await;
    assert_eq!(bulk(&server), 1);
    let before = server.requests().len();
    assert_eq!(ask(&inventory, &server, &["x", "x"]).await, [false, false]);
    assert_eq!(server.requests().len(), before + 2);
}

#[tokio::test]
async fn nothing_old_is_answered() {
    let server = server(&["a"]).await;
    ask(&Inventory::new(Duration::ZERO), &server, &["a", "a"]).await;
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn what_was_changed_is_asked_anew_although_a_list_shows_it() {
    let logins: Vec<String> = (0..10).map(|n| format!("u{n}")).collect();
    let logins: Vec<&str> = logins.iter().map(String::as_str).collect();
    let server = server(&logins).await;
    let inventory = Inventory::new(LONG);
    ask(&inventory, &server, &logins).await;
    let before = server.requests().len();
    inventory.forget_user("u9");
    assert!(inventory.known_user("u9").is_none());
    ask(&inventory, &server, &["u8", "u9"]).await;
    assert_eq!(server.requests().len(), before + 1);
}

#[test]
fn figures_are_not_told_in_the_first_minutes_of_a_process() {
    assert!(!Inventory::default().may_tell("u-1"));
}

#[test]
fn a_refusal_is_remembered_for_a_moment() {
    let (long, none) = (Inventory::new(LONG), Inventory::new(Duration::ZERO));
    for inventory in [&long, &none] {
        inventory.note_refusal("u-1", "1 job".to_owned());
    }
    assert_eq!(long.refusal("u-1").as_deref(), Some("1 job"));
    assert_eq!(long.refusal("u-2"), None);
    assert_eq!(none.refusal("u-1"), None);
}
