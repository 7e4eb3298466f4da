//! What our keys at Garage are called. A name is all that a key can carry, and every list shows it: it says whose the key
//! is, and of a marker all that Garage has no place for.

use crate::provider::{KeyWish, ObjectName, OwnerMark, TenantWish, UserWish};
use crate::wire::{Permission, Role, Visibility};
use serde::{Deserialize, Serialize};

/// What our names begin with. After it comes JSON.
const PREFIX: &str = "storekeeper ";
/// What an alias begins with that says whose a bucket is: a number, and the uid of the object, follow.
const OWNER_ALIAS: &str = "storekeeper-";

/// What a key of ours is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "camelCase")]
pub enum Mark {
    /// It stands for a tenant.
    Tenant(TenantMark),
    /// It stands for a user.
    User(UserMark),
    /// It is an access key.
    Key(KeyMark),
}

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantMark {
    pub name: String,
    pub owner: String,
    pub object: String,
    pub visibility: Visibility,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserMark {
    pub login: String,
    pub tenant: String,
    pub owner: String,
    pub object: String,
    pub enabled: bool,
    pub role: Role,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub display_name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub time_zone: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// An access key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyMark {
    pub user: String,
    pub permission: Permission,
    pub owner: String,
    pub object: String,
    pub secret: String,
    pub epoch: u32,
    pub nonce: String,
    /// Names of the buckets that it is restricted to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buckets: Option<Vec<String>>,
    /// Whether it has got all its buckets.
    pub complete: bool,
}

impl Mark {
    /// Reads a name; `None`: it is none of ours.
    pub fn parse(name: &str) -> Option<Self> {
        serde_json::from_str(name.strip_prefix(PREFIX)?).ok()
    }

    /// As a name. JSON of plain texts cannot fail; were it to, the key would be nobody's.
    pub fn text(&self) -> String {
        format!("{PREFIX}{}", serde_json::to_string(self).unwrap_or_default())
    }
}

impl TenantMark {
    pub fn of(wish: &TenantWish) -> Self {
        Self {
            name: wish.name.clone(),
            owner: wish.owner.to_string(),
            object: wish.object.to_string(),
            visibility: wish.visibility,
            description: wish.description.clone(),
        }
    }
}

impl UserMark {
    pub fn of(wish: &UserWish) -> Self {
        Self {
            login: wish.login.clone(),
            tenant: wish.tenant_id.clone(),
            owner: wish.owner.to_string(),
            object: wish.object.to_string(),
            enabled: wish.enabled,
            role: wish.role,
            display_name: wish.display_name.clone(),
            email: wish.email.clone(),
            time_zone: wish.time_zone.clone(),
            description: wish.description.clone(),
        }
    }
}

impl KeyMark {
    pub fn of(wish: &KeyWish, complete: bool) -> Self {
        Self {
            user: wish.user_id.clone(),
            permission: wish.permission,
            owner: wish.owner.to_string(),
            object: wish.object.to_string(),
            secret: wish.secret.clone(),
            epoch: wish.epoch,
            nonce: wish.nonce.clone(),
            buckets: wish.buckets.clone(),
            complete,
        }
    }

    /// Whether it is the key of the same attempt for the same object.
    pub fn is_of(&self, wish: &KeyWish) -> bool {
        self.owner == wish.owner.to_string() && self.nonce == wish.nonce
    }

    /// Whether the key is to have that bucket of its user.
    pub fn may_use(&self, bucket: &str) -> bool {
        self.buckets.as_ref().is_none_or(|names| names.iter().any(|name| name == bucket))
    }
}

/// How people name the object, read back.
pub fn object(text: &str) -> Option<ObjectName> {
    let (namespace, name) = match text.split_once('/') {
        Some((namespace, name)) => (Some(namespace.to_owned()), name),
        None => (None, text),
    };
    (!name.is_empty()).then(|| ObjectName { namespace, name: name.to_owned() })
}

/// The alias that says whose a bucket is. Garage refuses to make a bucket by an alias that the key ever had before: a
/// bucket that was removed and is made anew has the next number.
pub fn owner_alias(owner: &OwnerMark, number: u32) -> String {
    format!("{OWNER_ALIAS}{number}-{}", owner.uid)
}

/// The uid in such an alias; `None`: it is a bucket's name.
pub fn uid_in(alias: &str) -> Option<&str> {
    let (number, uid) = alias.strip_prefix(OWNER_ALIAS)?.split_once('-')?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) && !uid.is_empty()).then_some(uid)
}

/// Whether a bucket may not be called so.
pub fn is_reserved(name: &str) -> bool {
    name.starts_with(OWNER_ALIAS)
}
