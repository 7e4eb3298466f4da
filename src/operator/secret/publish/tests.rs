use super::{Answer, LONGEST_MESSAGE, Mark, Shape, Stored, body, create, delete, read_pair, rehearse};
use crate::operator::key::once::{KeyId, Nonce};
use crate::operator::runtime::ObjectKey;
use crate::operator::runtime::error::chain;
use crate::operator::secret::render::Rendered;
use crate::wire::ShownSecret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, Request, Response};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

fn shape() -> Shape {
    let map = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
    Shape {
        at: ObjectKey::namespaced("team-a", "app-rw"),
        type_: None,
        labels: map("app", "web"),
        annotations: map("note", "x"),
        owner: None,
        owner_uid: "uid-1".to_owned(),
    }
}

fn mark() -> Mark {
    Mark { epoch: 2, nonce: Nonce::new(0xabc), key: KeyId::from("SKAAA") }
}

fn entries() -> Rendered {
    let entries = BTreeMap::from([
        ("AWS_ACCESS_KEY_ID", Zeroizing::new(b"SKAAA".to_vec())),
        ("AWS_SECRET_ACCESS_KEY", Zeroizing::new(SECRET.as_bytes().to_vec())),
    ]);
    Rendered { type_: "Opaque", entries, secret: ShownSecret::new(SECRET.to_owned()) }
}

/// The answer that the call comes to when the API server answers so, and the request that it made.
async fn answered<T>(code: u16, text: Value, call: impl AsyncFnOnce(Client) -> T) -> (T, Request<Body>) {
    let (service, mut handle) = tower_test::mock::pair::<Request<Body>, Response<Body>>();
    let client = Client::new(service, "default");
    let server = async move {
        let (request, send) = handle.next_request().await.unwrap();
        let body = Body::from(serde_json::to_vec(&text).unwrap());
        send.send_response(Response::builder().status(code).body(body).unwrap());
        request
    };
    tokio::join!(call(client), server)
}

async fn posted(code: u16, text: &str) -> Answer {
    let status = json!({"kind": "Status", "code": code, "message": text});
    answered(code, status, async |client| create(&client, &shape(), &mark(), &entries()).await).await.0
}

#[test]
fn a_secret_carries_its_marks_its_entries_and_nothing_of_the_objects_own_metadata() {
    let body: Value = serde_json::from_slice(&body(&shape(), &mark(), &entries()).unwrap()).unwrap();
    insta::assert_json_snapshot!(body);
}

#[tokio::test]
async fn answers_of_the_api_server_are_taken_for_what_they_prove() {
    assert!(matches!(posted(201, "").await, Answer::Created));
    assert!(matches!(posted(409, "exists").await, Answer::Exists));
    for code in [400, 401, 403, 404, 413, 422, 429] {
        assert!(matches!(posted(code, "no").await, Answer::Refused(text) if text == "no"), "{code}");
    }
    for code in [500, 502, 503, 504] {
        assert!(matches!(posted(code, "oops").await, Answer::Unknown(_)), "{code}");
    }
}

#[tokio::test]
async fn a_refusal_that_repeats_the_secret_is_withheld() {
    let whole_file = STANDARD.encode(format!("[default]\naws_secret_access_key = {SECRET}\n"));
    let cut_off = format!("{}{SECRET}", "x".repeat(LONGEST_MESSAGE - 20));
    for quote in [SECRET.to_owned(), STANDARD.encode(SECRET), whole_file, cut_off] {
        let Answer::Refused(text) = posted(422, &format!("invalid: {quote}")).await else {
            panic!("refused")
        };
        assert_eq!(text, "the answer is withheld, as it repeats an entry", "{quote}");
        let Answer::Unknown(error) = posted(500, &format!("invalid: {quote}")).await else {
            panic!("unknown")
        };
        assert!(chain(&error).contains("withheld"), "{quote}");
    }
}

#[tokio::test]
async fn a_rehearsal_is_a_dry_run_and_asks_for_metadata_only() {
    let call = async |client| rehearse(&client, &shape(), &mark(), &entries()).await;
    let (answer, request) = answered(201, json!({}), call).await;
    assert!(matches!(answer, Answer::Created));
    assert_eq!(request.method(), Method::POST);
    assert!(request.uri().query().unwrap().contains("dryRun=All"));
    assert!(request.headers()["accept"].to_str().unwrap().contains("PartialObjectMetadata"));
}

#[tokio::test]
async fn a_secret_is_deleted_by_uid_and_another_one_is_left_alone() {
    for (code, fine) in [(200, true), (404, true), (409, true), (403, false), (500, false)] {
        let at = shape().at;
        let call = async |client| delete(&client, &at, "uid-9").await;
        let (answer, request) = answered(code, json!({}), call).await;
        assert_eq!(answer.is_ok(), fine, "{code}");
        let sent = request.into_body().collect().await.unwrap().to_bytes();
        let sent: Value = serde_json::from_slice(&sent).unwrap();
        assert_eq!(sent["preconditions"]["uid"], "uid-9");
    }
}

#[tokio::test]
async fn the_pair_of_one_secret_is_read_back_and_of_no_other() {
    let data = json!({
        "AWS_ACCESS_KEY_ID": STANDARD.encode("SKAAA"),
        "AWS_SECRET_ACCESS_KEY": STANDARD.encode(SECRET),
    });
    let stored = json!({"metadata": {"uid": "uid-9"}, "data": data});
    let gone = json!({"kind": "Status", "code": 404, "reason": "NotFound"});
    for (code, text, uid, key, expected) in [
        (200, &stored, "uid-9", "SKAAA", "pair"),
        (200, &stored, "uid-8", "SKAAA", "gone"),
        (200, &stored, "uid-9", "SKBBB", "changed"),
        (404, &gone, "uid-9", "SKAAA", "gone"),
    ] {
        let call = async |client| read_pair(&client, &shape().at, uid, &KeyId::from(key)).await;
        let (answer, request) = answered(code, text.clone(), call).await;
        assert_eq!(request.method(), Method::GET);
        let found = match answer.ok().unwrap() {
            Stored::Gone => "gone",
            Stored::Changed => "changed",
            Stored::Pair(pair) => {
                assert!(pair.secret_access_key.reveal() == SECRET && pair.access_key_id == "SKAAA");
                "pair"
            }
        };
        assert_eq!(found, expected, "{uid} {key}");
    }
    let odd = json!({"metadata": {"uid": "uid-9"}, "data": SECRET});
    let call = async |client| read_pair(&client, &shape().at, "uid-9", &KeyId::from("SKAAA")).await;
    let error = answered(200, odd, call).await.0.err().unwrap();
    assert!(!chain(&error).contains(&SECRET[..10]));
}
