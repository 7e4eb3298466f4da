//! How requests are read and answered.

use super::objects::{Cluster, Place, Refusal};
use crate::world::Point;
use http::Method;
use serde_json::{Value, json};
use std::sync::Arc;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Get,
    Create { dry: bool },
    Patch { status: bool },
    Delete,
}

/// One request.
#[derive(Clone)]
pub struct Request {
    pub verb: Verb,
    pub place: Place,
    pub body: Value,
    /// Only metadata is asked for.
    metadata_only: bool,
}

/// The code and the body.
#[derive(Clone)]
pub struct Answer {
    pub code: u16,
    pub body: Arc<Value>,
}

impl Answer {
    pub fn refusal(Refusal(code, reason): Refusal) -> Self {
        let body = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": reason,
            "message": format!("refused: {reason}"), "code": code,
        });
        Self { code, body: Arc::new(body) }
    }

    pub fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(&*self.body).unwrap()
    }
}

impl Request {
    /// Reads a request. What the operator has no business with is a mistake of the test.
    pub fn read(parts: &http::request::Parts, body: &[u8]) -> Self {
        let path: Vec<&str> = parts.uri.path().trim_matches('/').split('/').collect();
        let rest = match path.as_slice() {
            ["api", "v1", rest @ ..] | ["apis", _, _, rest @ ..] => rest,
            other => panic!("no such path: {other:?}"),
        };
        let ["namespaces", namespace, resource, rest @ ..] = rest else {
            panic!("no such path: {}", parts.uri.path())
        };
        let resource = match *resource {
            "secrets" => "secrets",
            "accesskeys" => "accesskeys",
            "events" => "events",
            other => panic!("no such resource: {other}"),
        };
        let body: Value = if body.is_empty() { Value::Null } else { serde_json::from_slice(body).unwrap() };
        let named = body.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        let place = Place::new(resource, namespace, rest.first().unwrap_or(&named));
        let dry = parts.uri.query().is_some_and(|query| query.contains("dryRun=All"));
        let verb = match parts.method {
            Method::GET => Verb::Get,
            Method::POST => Verb::Create { dry },
            Method::PATCH => Verb::Patch { status: rest.get(1) == Some(&"status") },
            Method::DELETE => Verb::Delete,
            ref other => panic!("{other} is not allowed"),
        };
        let accept = parts.headers.get(http::header::ACCEPT).and_then(|accept| accept.to_str().ok());
        let metadata_only = accept.is_some_and(|accept| accept.contains("PartialObjectMetadata"));
        Self { verb, place, body, metadata_only }
    }

    /// Which of the points of the protocol it is.
    pub fn point(&self) -> Point {
        match (self.place.resource, self.verb) {
            ("secrets", Verb::Get) => Point::GetSecret,
            ("secrets", Verb::Create { dry: true }) => Point::DryRun,
            ("secrets", Verb::Create { dry: false }) => Point::PostSecret,
            ("secrets", Verb::Delete) => Point::DeleteSecret,
            ("accesskeys", Verb::Get) => Point::GetKey,
            ("accesskeys", Verb::Patch { status: true }) => Point::Status,
            ("accesskeys", Verb::Patch { status: false }) => Point::Finalizer,
            ("events", Verb::Create { .. }) => Point::Event,
            (resource, verb) => panic!("the operator must not {verb:?} {resource}"),
        }
    }

    /// The uid that a deletion insists on.
    pub fn uid(&self) -> Option<&str> {
        self.body.pointer("/preconditions/uid").and_then(Value::as_str)
    }

    pub fn execute(&self, cluster: &mut Cluster) -> Answer {
        let made = match self.verb {
            Verb::Get => {
                cluster.get(&self.place).cloned().ok_or(super::objects::NOT_FOUND).map(|it| (200, it))
            }
            // Nobody reads events here, so none is kept.
            Verb::Create { .. } if self.place.resource == "events" => Ok((201, Arc::new(self.body.clone()))),
            Verb::Create { dry } => {
                cluster.create(&self.place, self.body.clone(), dry).map(|object| (201, object))
            }
            Verb::Patch { status } => cluster.patch(&self.place, &self.body, status).map(|it| (200, it)),
            Verb::Delete => cluster.delete(&self.place, self.uid()).map(|object| (200, object)),
        };
        match made {
            Ok((code, object)) if self.metadata_only => {
                let body = json!({
                    "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                    "metadata": object["metadata"],
                });
                Answer { code, body: Arc::new(body) }
            }
            Ok((code, body)) => Answer { code, body },
            Err(refusal) => Answer::refusal(refusal),
        }
    }
}
