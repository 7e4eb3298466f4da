//! The only place that creates, reads and deletes published Secrets. Creating is create-only, deleting is by uid, and
//! reading takes the metadata alone. The bytes of a Secret come back by one way only, [`read_pair`]: where the caller
//! chooses pairs, and the provider has not got that one yet.
//!
//! Requests are sent and answers read without the usual client methods, because those log the text of an answer that
//! they cannot parse. Each is one transmission: whoever calls passes a client that does not retry.

use crate::operator::key::once::{KeyId, Nonce};
use crate::operator::runtime::{Error, ObjectKey, quiet};
use crate::operator::secret::render::{Rendered, pair_in};
use crate::provider::KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::Client;
use kube::api::PartialObjectMeta;
use kube::client::Body;
use kube::core::Status;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// The uid of the AccessKey that a Secret was made for.
pub const OWNER_UID: &str = "storekeeper.dev/owner-uid";
/// The epoch that a Secret was made for.
pub const EPOCH: &str = "storekeeper.dev/epoch";
/// The attempt that a Secret was made by.
pub const NONCE: &str = "storekeeper.dev/nonce";
/// The id of the key in a Secret.
pub const ACCESS_KEY_ID: &str = "storekeeper.dev/access-key-id";
/// Who manages a Secret.
const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "storekeeper");

/// What is read of the text of a refusal.
const LONGEST_MESSAGE: usize = 1024;

/// All of a Secret but its entries.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Where it goes.
    pub at: ObjectKey,
    /// Its type; `None`: the format's own.
    pub type_: Option<String>,
    /// Labels that the AccessKey asks for.
    pub labels: BTreeMap<String, String>,
    /// Annotations that the AccessKey asks for.
    pub annotations: BTreeMap<String, String>,
    /// The AccessKey: `None` where the Secret is to outlive it.
    pub owner: Option<OwnerReference>,
    /// The uid of the AccessKey.
    pub owner_uid: String,
}

/// Which attempt a Secret is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The epoch.
    pub epoch: u32,
    /// The attempt.
    pub nonce: Nonce,
    /// The key in it.
    pub key: KeyId,
}

/// What the API server said to a Secret.
#[derive(Debug)]
pub enum Answer {
    /// Created; in a rehearsal: it would be.
    Created,
    /// Something of that name is there.
    Exists,
    /// Admission, quota, permission or validation refuse it; the text is the API server's.
    Refused(String),
    /// Anything else: it may have been created.
    Unknown(Error),
}

/// Creates a Secret, or finds that it cannot.
pub async fn create(writer: &Client, shape: &Shape, mark: &Mark, entries: &Rendered) -> Answer {
    send(writer, shape, mark, entries, "").await
}

/// Asks whether it would be created. The entries are to be dummies of the same form.
pub async fn rehearse(writer: &Client, shape: &Shape, mark: &Mark, entries: &Rendered) -> Answer {
    send(writer, shape, mark, entries, "&dryRun=All").await
}

async fn send(writer: &Client, shape: &Shape, mark: &Mark, entries: &Rendered, query: &str) -> Answer {
    const OP: &str = "create the Secret";
    let object = shape.at.to_string();
    let body = match body(shape, mark, entries) {
        Ok(body) => body,
        Err(error) => return Answer::Unknown(Error::bug(OP, object, error.to_string())),
    };
    let namespace = shape.at.namespace.as_deref().unwrap_or_default();
    let uri = format!("/api/v1/namespaces/{namespace}/secrets?fieldManager=storekeeper{query}");
    let (code, text) = match exchange(writer, Method::POST, &uri, body.to_vec()).await {
        Ok(answer) => answer,
        Err(error) => return Answer::Unknown(Error::kube(OP, object, error)),
    };
    match code.as_u16() {
        200..=299 => Answer::Created,
        409 => Answer::Exists,
        400 | 401 | 403 | 404 | 405 | 413 | 415 | 422 | 429 => Answer::Refused(without(&text, entries)),
        _ => Answer::Unknown(Error::kube(OP, object, refusal(code, without(&text, entries)))),
    }
}

/// Deletes a Secret if it still is the one with that uid. That it is gone already, or another, is no failure.
pub async fn delete(writer: &Client, at: &ObjectKey, uid: &str) -> Result<(), Error> {
    const OP: &str = "delete the Secret";
    let options = json!({ "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": { "uid": uid } });
    let namespace = at.namespace.as_deref().unwrap_or_default();
    let uri = format!("/api/v1/namespaces/{namespace}/secrets/{}", at.name);
    let (code, text) = exchange(writer, Method::DELETE, &uri, options.to_string().into_bytes())
        .await
        .map_err(|error| Error::kube(OP, at.to_string(), error))?;
    match code.as_u16() {
        200..=299 | 404 | 409 => Ok(()),
        _ => Err(Error::kube(OP, at.to_string(), refusal(code, text))),
    }
}

/// The metadata of a Secret; `None` only where it is definitely not there.
pub async fn read(reader: &Client, at: &ObjectKey) -> Result<Option<PartialObjectMeta<Secret>>, Error> {
    let namespace = at.namespace.as_deref().unwrap_or_default();
    let uri = format!("/api/v1/namespaces/{namespace}/secrets/{}", at.name);
    quiet::read(reader, &uri, quiet::METADATA_ONLY)
        .await
        .map_err(|error| Error::kube("read the Secret", at.to_string(), error))
}

/// What a Secret that was made for a chosen pair holds. No `Debug`.
pub enum Stored {
    /// It is not there any more.
    Gone,
    /// It is there, and does not hold the key that its annotations name: somebody has changed it.
    Changed,
    /// The pair.
    Pair(KeyPair),
}

/// The pair in the Secret of that uid, whose key has that id. What was read is zeroized.
pub async fn read_pair(reader: &Client, at: &ObjectKey, uid: &str, key: &KeyId) -> Result<Stored, Error> {
    let namespace = at.namespace.as_deref().unwrap_or_default();
    let uri = format!("/api/v1/namespaces/{namespace}/secrets/{}", at.name);
    let found = quiet::read::<Secret>(reader, &uri, quiet::WHOLE)
        .await
        .map_err(|error| Error::kube("read the Secret", at.to_string(), error))?;
    let Some(Secret { metadata, data, .. }) = found else { return Ok(Stored::Gone) };
    let entries: BTreeMap<String, Zeroizing<Vec<u8>>> =
        data.unwrap_or_default().into_iter().map(|(name, value)| (name, Zeroizing::new(value.0))).collect();
    if metadata.uid.as_deref() != Some(uid) {
        return Ok(Stored::Gone);
    }
    Ok(pair_in(&entries, key.as_str()).map_or(Stored::Changed, Stored::Pair))
}

/// The Secret as JSON. It is zeroized when dropped; what the client makes of it is not in our hands.
fn body(shape: &Shape, mark: &Mark, entries: &Rendered) -> Result<Zeroizing<Vec<u8>>, serde_json::Error> {
    let Shape { at, type_, labels, annotations, owner, owner_uid } = shape;
    let mut labels = labels.clone();
    labels.insert(MANAGED_BY.0.to_owned(), MANAGED_BY.1.to_owned());
    let mut annotations = annotations.clone();
    annotations.extend([
        (OWNER_UID.to_owned(), owner_uid.clone()),
        (EPOCH.to_owned(), mark.epoch.to_string()),
        (NONCE.to_owned(), mark.nonce.to_string()),
        (ACCESS_KEY_ID.to_owned(), mark.key.to_string()),
    ]);
    let mut metadata = json!({
        "name": at.name, "namespace": at.namespace, "labels": labels, "annotations": annotations,
    });
    if let Some(owner) = owner {
        metadata["ownerReferences"] = json!([owner]);
    }
    let head = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": metadata,
        "type": type_.as_deref().unwrap_or(entries.type_),
    });
    // Written out by hand: a JSON value would keep copies of the entries that nothing zeroizes.
    let head = serde_json::to_vec(&head)?;
    let room: usize = entries.entries.iter().map(|(name, value)| name.len() + value.len() * 2 + 16).sum();
    let mut body = Zeroizing::new(Vec::with_capacity(head.len() + room + 16));
    body.extend_from_slice(&head[..head.len() - 1]);
    body.extend_from_slice(b",\"data\":{");
    for (number, (name, value)) in entries.entries.iter().enumerate() {
        if number > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&serde_json::to_vec(name)?);
        body.extend_from_slice(b":\"");
        body.extend_from_slice(Zeroizing::new(STANDARD.encode(value.as_slice())).as_bytes());
        body.push(b'"');
    }
    body.extend_from_slice(b"}}");
    Ok(body)
}

/// One request and its whole answer: the code, and the API server's message if it is a refusal.
#[allow(clippy::disallowed_methods, reason = "this is the publisher")]
async fn exchange(
    client: &Client,
    method: Method,
    uri: &str,
    body: Vec<u8>,
) -> Result<(StatusCode, String), kube::Error> {
    let request = Request::builder()
        .method(method)
        .uri(uri)
        .header(ACCEPT, quiet::METADATA_ONLY)
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(body))
        .map_err(kube::Error::HttpError)?;
    let response = client.send(request).await?;
    let code = response.status();
    let text = match response.into_body().collect().await {
        // The code alone says that it was executed; a refusal is believed only if it is complete.
        Ok(_) | Err(_) if code.is_success() => String::new(),
        Ok(collected) => message(&collected.to_bytes()),
        Err(error) => return Err(error),
    };
    Ok((code, text))
}

fn message(body: &[u8]) -> String {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = value.get("message").and_then(Value::as_str).unwrap_or("no reason given");
    text.chars().take(LONGEST_MESSAGE).collect()
}

/// The text, unless it repeats part of the secret: it may have been cut off within it.
fn without(text: &str, entries: &Rendered) -> String {
    if entries.secret.is_in(text) {
        "the answer is withheld, as it repeats an entry".to_owned()
    } else {
        text.to_owned()
    }
}

fn refusal(code: StatusCode, message: String) -> kube::Error {
    kube::Error::Api(Box::new(Status { code: code.as_u16(), message, ..Status::default() }))
}

#[cfg(test)]
mod tests;
