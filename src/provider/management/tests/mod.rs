//! The client against a server that answers as scripted and counts what reaches it.

mod conversation;
mod scripted;
mod sharing;
mod trust;

use super::{Client, Settings};
use crate::provider::{ClusterId, KeyWish, ObjectName, OwnerMark};
use crate::wire::{Permission, ShownSecret};
use std::time::Duration;

const TOKEN: &str = "sk_0123456789abcdef";
const SECRET: &str = "the-secret-access-key-0123456789-0123456";
const ACCOUNT: &str = "000000000001";

fn client(endpoint: &str, ca_pem: Option<&str>, timeout: Duration) -> Client {
    Client::new(Settings {
        endpoint: endpoint.to_owned(),
        token: ShownSecret::new(TOKEN.to_owned()),
        ca_pem: ca_pem.map(|pem| pem.as_bytes().to_vec()),
        account_id: Some(ACCOUNT.to_owned()),
        timeout,
    })
    .map_err(|error| error.to_string())
    .unwrap()
}

fn owner() -> OwnerMark {
    OwnerMark { cluster: ClusterId("c-1".to_owned()), uid: "u-1".to_owned() }
}

fn key_wish() -> KeyWish {
    KeyWish {
        user_id: "us_1".to_owned(),
        permission: Permission::Full,
        description: "CI".to_owned(),
        buckets: None,
        owner: owner(),
        object: ObjectName { namespace: Some("team-a".to_owned()), name: "ci".to_owned() },
        secret: "ci-s3".to_owned(),
        epoch: 1,
        nonce: "00ff".to_owned(),
    }
}

/// A listed key of that nonce, as the server's JSON.
fn key_json(nonce: &str) -> serde_json::Value {
    serde_json::json!({
        "accessKeyId": format!("SK{nonce}"), "userId": "us_1", "permission": "Full", "hint": "SK00...00ff",
        "createdAt": "2026-01-01T00:00:00Z",
        "labels": {
            "storekeeper.dev/owner": "c-1/u-1", "storekeeper.dev/cluster": "c-1", "storekeeper.dev/epoch": "1",
            "storekeeper.dev/nonce": nonce, "storekeeper.dev/namespace": "team-a", "storekeeper.dev/name": "ci",
        },
    })
}

/// The answer to a mint.
fn made_json(nonce: &str) -> serde_json::Value {
    let mut made = key_json(nonce);
    made["secretAccessKey"] = SECRET.into();
    made
}
