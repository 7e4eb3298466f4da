//! What is sent, how often, and what an answer proves.

use super::scripted::{Answer, Scripted};
use super::{ACCOUNT, SECRET, TOKEN, client, key_json, key_wish, made_json, owner};
use crate::provider::management::Client;
use crate::provider::{ClusterId, Error, ErrorKind, Provider};
use serde_json::json;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(10);

fn to(server: &Scripted) -> Client {
    client(&server.url(), None, TIMEOUT)
}

async fn mint_error(server: &Scripted) -> Error {
    match to(server).mint_key(&key_wish(), None).await {
        Ok(_) => panic!("the mint must fail"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_mint_answers_with_the_pair() {
    let server = Scripted::plain(vec![Answer::json(201, &made_json("00ff"))]).await;
    let pair = to(&server).mint_key(&key_wish(), None).await.unwrap();
    assert_eq!((pair.access_key_id.as_str(), pair.secret_access_key.reveal()), ("SK00ff", SECRET));
    let request = &server.requests()[0];
    assert!(request.starts_with("POST /v1/accessKeys HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("authorization: Bearer {TOKEN}\r\n")), "{request}");
    assert!(!request.to_lowercase().contains("idempotency-key"), "{request}");
}

#[tokio::test]
async fn an_idempotency_key_is_sent_where_it_is_given() {
    let server = Scripted::plain(vec![Answer::json(201, &made_json("00ff"))]).await;
    to(&server).mint_key(&key_wish(), Some("00ff")).await.map_err(|error| error.to_string()).unwrap();
    assert!(server.requests()[0].contains("idempotency-key: 00ff\r\n"));
}

#[tokio::test]
async fn a_mint_is_transmitted_once_whatever_happens_to_it() {
    let answer = Answer::json(201, &made_json("00ff"));
    for (what, fault) in [
        ("no answer", Answer::closed()),
        ("half an answer", answer.clone().cut_in_half()),
        ("503", Answer::problem(503, "unavailable", "retry-after: 0\r\n")),
        ("429", Answer::problem(429, "too-many-requests", "retry-after: 0\r\n")),
        ("500", Answer::problem(500, "internal", "")),
        ("redirect", Answer::text(307, "text/plain", "location: /v1/accessKeys\r\n", "")),
    ] {
        let server = Scripted::plain(vec![fault, answer.clone()]).await;
        let error = mint_error(&server).await;
        assert_eq!(server.requests().len(), 1, "{what}: {error}");
    }
}

#[tokio::test]
async fn a_mint_never_uses_a_connection_that_was_used_before() {
    let list = Answer::json(200, &json!({ "items": [] }));
    let made = Answer::json(201, &made_json("00ff"));
    let server = Scripted::plain(vec![list.clone(), made.clone(), made.clone(), list]).await;
    let client = to(&server);
    client.find_user("a").await.unwrap();
    for _ in 0..2 {
        client.mint_key(&key_wish(), None).await.map_err(|error| error.to_string()).unwrap();
    }
    assert_eq!(server.connections(), 3);
    client.find_user("a").await.unwrap();
    assert_eq!(server.connections(), 3, "reads share a connection");
}

#[tokio::test]
async fn an_answer_that_is_cut_or_makes_no_sense_leaves_open_whether_a_key_was_made() {
    let mut without_secret = made_json("00ff");
    without_secret["secretAccessKey"] = "".into();
    for (what, answer) in [
        ("closed", Answer::closed()),
        ("cut", Answer::json(201, &made_json("00ff")).cut_in_half()),
        ("not JSON", Answer::text(201, "application/json", "", "<html>")),
        ("no secret", Answer::json(201, &key_json("00ff"))),
        ("an empty secret", Answer::json(201, &without_secret)),
        ("another attempt's key", Answer::json(201, &made_json("11ee"))),
        ("a redirect", Answer::text(307, "text/plain", "location: /elsewhere\r\n", "")),
        ("500", Answer::problem(500, "internal", "")),
        ("502", Answer::text(502, "text/html", "", "Bad Gateway")),
        ("504", Answer::text(504, "text/html", "", "Gateway Timeout")),
        ("503 of something on the way", Answer::text(503, "text/html", "", "Service Unavailable")),
        ("404 of something on the way", Answer::text(404, "text/html", "", "Not Found")),
        ("half a problem", Answer::problem(503, "unavailable", "").cut_in_half()),
    ] {
        let server = Scripted::plain(vec![answer]).await;
        let error = mint_error(&server).await;
        assert!(!error.is_definite(), "{what}: {error}");
        assert!(!error.to_string().contains(SECRET), "{what}: {error}");
    }
}

#[tokio::test]
async fn a_refusal_of_the_server_proves_that_no_key_was_made() {
    let wait = "retry-after: 7\r\n";
    for (answer, expected) in [
        (Answer::problem(404, "not-found", ""), "not found"),
        (Answer::problem(401, "unauthenticated", ""), "the credentials are refused"),
        (Answer::problem(403, "scope-missing", ""), "not allowed: because"),
        (Answer::problem(422, "rule-violated", ""), "refused: because"),
        (Answer::problem(422, "quota-exceeded", ""), "quota exceeded: because"),
        (Answer::problem(429, "too-many-requests", wait), "too many requests"),
        (Answer::problem(503, "unavailable", wait), "the provider is unavailable"),
    ] {
        let server = Scripted::plain(vec![answer]).await;
        let error = mint_error(&server).await;
        assert!(error.is_definite(), "{error}");
        assert_eq!(error.kind.to_string(), expected);
        if let ErrorKind::Throttled { after } | ErrorKind::Unavailable { after } = error.kind {
            assert_eq!(after, Some(Duration::from_secs(7)));
        }
    }
}

#[tokio::test]
async fn no_answer_in_time_leaves_everything_open() {
    let server = Scripted::plain(vec![Answer::Silence]).await;
    let client = client(&server.url(), None, Duration::from_millis(200));
    let error = client.mint_key(&key_wish(), None).await.err().unwrap();
    assert!(matches!(&error.kind, ErrorKind::NoAnswer(text) if text == "no answer in time"), "{error}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_closed_port_is_unreachable_and_nothing_was_sent() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = client(&format!("http://127.0.0.1:{port}"), None, TIMEOUT).find_user("a").await.unwrap_err();
    assert!(matches!(&error.kind, ErrorKind::Unreachable(text) if text == "connection refused"), "{error}");
}

#[tokio::test]
async fn a_list_is_read_to_its_last_page() {
    let server = Scripted::plain(vec![
        Answer::json(200, &json!({ "items": [key_json("01")], "next": "p2" })),
        Answer::json(200, &json!({ "items": [key_json("02")], "next": "p3" })),
        Answer::json(200, &json!({ "items": [key_json("03")] })),
    ])
    .await;
    let keys = to(&server).list_keys(&ClusterId("c-1".to_owned()), None).await.unwrap();
    assert_eq!(keys.iter().map(|key| key.nonce.as_str()).collect::<Vec<_>>(), ["01", "02", "03"]);
    let lines: Vec<_> =
        server.requests().iter().map(|text| text.lines().next().unwrap().to_owned()).collect();
    let query = format!("account={ACCOUNT}&label=storekeeper.dev%2Fcluster%3Ac-1&limit=1000");
    assert_eq!(lines[0], format!("GET /v1/accessKeys?{query} HTTP/1.1"));
    assert_eq!(lines[2], format!("GET /v1/accessKeys?{query}&after=p3 HTTP/1.1"));
}

#[tokio::test]
async fn a_page_that_fails_fails_the_list() {
    let server = Scripted::plain(vec![
        Answer::json(200, &json!({ "items": [key_json("01")], "next": "p2" })),
        Answer::problem(500, "internal", ""),
    ])
    .await;
    let error = to(&server).list_keys(&ClusterId("c-1".to_owned()), None).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Failed(_)), "{error}");
}

#[tokio::test]
async fn a_list_that_goes_round_in_circles_fails() {
    let page = json!({ "items": [key_json("01")], "next": "same" });
    let server = Scripted::plain(vec![Answer::json(200, &page)]).await;
    let error = to(&server).list_keys(&ClusterId("c-1".to_owned()), None).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Failed(_)), "{error}");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn keys_of_others_are_never_listed_as_ours() {
    let mut of_another_object = key_json("02");
    of_another_object["labels"]["storekeeper.dev/owner"] = "c-1/u-2".into();
    let mut of_another_cluster = key_json("03");
    of_another_cluster["labels"]["storekeeper.dev/owner"] = "c-2/u-1".into();
    let mut without_nonce = key_json("04");
    without_nonce["labels"]["storekeeper.dev/nonce"] = "".into();
    let items = json!({ "items": [key_json("01"), of_another_object, of_another_cluster, without_nonce] });
    let server = Scripted::plain(vec![Answer::json(200, &items)]).await;
    let cluster = ClusterId("c-1".to_owned());
    let nonces =
        |keys: Vec<crate::provider::KeyState>| keys.into_iter().map(|key| key.nonce).collect::<Vec<_>>();
    assert_eq!(nonces(to(&server).list_keys(&cluster, Some(&owner())).await.unwrap()), ["01"]);
    assert_eq!(nonces(to(&server).list_keys(&cluster, None).await.unwrap()), ["01", "02"]);
}

#[tokio::test]
async fn only_a_definite_404_means_absent() {
    let server = Scripted::plain(vec![Answer::problem(404, "not-found", "")]).await;
    assert_eq!(to(&server).find_bucket("us_1", "data").await.unwrap(), None);
    to(&server).revoke_key("SK00ff").await.unwrap();
    let server = Scripted::plain(vec![Answer::text(404, "text/html", "", "Not Found")]).await;
    assert!(to(&server).find_bucket("us_1", "data").await.is_err());
    assert!(to(&server).revoke_key("SK00ff").await.is_err());
}

#[tokio::test]
async fn names_are_quoted_in_paths() {
    let server = Scripted::plain(vec![Answer::problem(404, "not-found", "")]).await;
    to(&server).revoke_key("../tokens/x?y").await.unwrap();
    assert!(server.requests()[0].starts_with("DELETE /v1/accessKeys/..%2Ftokens%2Fx%3Fy HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_user_that_a_careless_filter_shows_is_not_taken_for_the_one_asked_for() {
    let item = json!({
        "id": "us_1", "login": "other", "timeZone": "UTC", "role": "FullAccess", "tenantId": "tn_1",
        "accountId": ACCOUNT, "enabled": true, "createdAt": "2026-01-01T00:00:00Z",
    });
    let server = Scripted::plain(vec![Answer::json(200, &json!({ "items": [item] }))]).await;
    assert_eq!(to(&server).find_user("app").await.unwrap(), None);
    assert!(to(&server).find_user("other").await.unwrap().is_some());
}
