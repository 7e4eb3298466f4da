//! One object as this plugin looks at it, and how it stands. Pure. Nothing of it is parsed more strictly than it must
//! be, so that an older or newer installation can be looked at too.

use jiff::Timestamp;
use kube::api::{ApiResource, DynamicObject};
use serde_json::Value;

pub use crate::operator::runtime::kind::Kind;

impl Kind {
    /// As it is written in URLs and RBAC.
    pub fn plural(self) -> &'static str {
        match self {
            Self::StorageAccount => "storageaccounts",
            Self::Tenant => "tenants",
            Self::StorageUser => "storageusers",
            Self::AccessKey => "accesskeys",
            Self::Bucket => "buckets",
        }
    }

    /// Whether its objects live in namespaces.
    pub fn is_namespaced(self) -> bool {
        match self {
            Self::StorageAccount | Self::Tenant => false,
            Self::StorageUser | Self::AccessKey | Self::Bucket => true,
        }
    }

    /// The kind that somebody means, as kubectl would understand them.
    pub fn meant_by(text: &str) -> Option<Self> {
        let text = text.to_lowercase();
        let text = text.strip_suffix(".storekeeper.dev").unwrap_or(&text);
        Self::ALL.into_iter().find(|kind| {
            let (short, word) = match kind {
                Self::StorageAccount => ("ska", "account"),
                Self::Tenant => ("skt", "tenant"),
                Self::StorageUser => ("sku", "user"),
                Self::AccessKey => ("skk", "key"),
                Self::Bucket => ("skb", "bucket"),
            };
            let singular = kind.as_str().to_lowercase();
            text == singular || text == kind.plural() || text == short || text == word
        })
    }

    /// What the client needs to know of it.
    pub fn resource(self) -> ApiResource {
        let (group, version) = (crate::api::GROUP.to_owned(), crate::api::VERSION.to_owned());
        ApiResource {
            api_version: format!("{group}/{version}"),
            group,
            version,
            kind: self.as_str().to_owned(),
            plural: self.plural().to_owned(),
        }
    }
}

/// One object.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace, if it lives in one.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// Its revision, as it was read.
    pub resource_version: Option<String>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// The generation of its spec.
    pub generation: i64,
    /// Its annotations.
    pub annotations: std::collections::BTreeMap<String, String>,
    /// Its spec.
    pub spec: Value,
    /// Its status.
    pub status: Value,
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition<'a> {
    /// Its type.
    pub kind: &'a str,
    /// Whether it is `True`.
    pub holds: bool,
    /// CamelCase.
    pub reason: &'a str,
    /// For people.
    pub message: &'a str,
}

/// How an object stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stand {
    /// As its spec asks.
    Ready,
    /// Not yet; it goes on by itself.
    Waiting,
    /// Not until somebody changes something.
    Blocked,
    /// Being deleted.
    Deleting,
    /// Nobody has looked at it, or not since it was changed.
    Unseen,
    /// The caller may not see it.
    Hidden,
    /// Something refers to it, and it is not there.
    Missing,
}

impl Stand {
    /// In one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Waiting => "Waiting",
            Self::Blocked => "Blocked",
            Self::Deleting => "Deleting",
            Self::Unseen => "Unseen",
            Self::Hidden => "Hidden",
            Self::Missing => "Missing",
        }
    }
}

impl Item {
    /// What the API server sent.
    pub fn of(kind: Kind, object: DynamicObject) -> Self {
        let DynamicObject { types: _, metadata, data } = object;
        let part = |name: &str| data.get(name).cloned().unwrap_or(Value::Null);
        Self {
            kind,
            namespace: metadata.namespace,
            name: metadata.name.unwrap_or_default(),
            resource_version: metadata.resource_version,
            created: metadata.creation_timestamp.map(|time| time.0),
            deleting: metadata.deletion_timestamp.is_some(),
            generation: metadata.generation.unwrap_or_default(),
            annotations: metadata.annotations.unwrap_or_default(),
            spec: part("spec"),
            status: part("status"),
        }
    }

    /// A text somewhere in the spec, such as `/userRef/name`.
    pub fn spec_text(&self, pointer: &str) -> Option<&str> {
        self.spec.pointer(pointer)?.as_str()
    }

    /// A text somewhere in the status.
    pub fn status_text(&self, pointer: &str) -> Option<&str> {
        self.status.pointer(pointer)?.as_str()
    }

    /// Its conditions, in their order.
    pub fn conditions(&self) -> impl Iterator<Item = Condition<'_>> {
        let all = self.status["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
        all.iter().filter_map(|condition| {
            let text = |name: &str| condition[name].as_str().unwrap_or_default();
            Some(Condition {
                kind: condition["type"].as_str()?,
                holds: text("status") == "True",
                reason: text("reason"),
                message: text("message"),
            })
        })
    }

    /// The condition of that type.
    pub fn condition(&self, kind: &str) -> Option<Condition<'_>> {
        self.conditions().find(|condition| condition.kind == kind)
    }

    /// How it stands.
    pub fn stand(&self) -> Stand {
        if self.deleting {
            return Stand::Deleting;
        }
        let Some(ready) = self.condition("Ready") else { return Stand::Unseen };
        if self.status["observedGeneration"].as_i64().unwrap_or_default() != self.generation {
            return Stand::Unseen;
        }
        let stalled = self.condition("Stalled").is_some_and(|condition| condition.holds);
        match (ready.holds, stalled) {
            (true, _) => Stand::Ready,
            (false, true) => Stand::Blocked,
            (false, false) => Stand::Waiting,
        }
    }
}
