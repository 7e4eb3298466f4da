//! Garage's calls, one function each, and their JSON. Fields that we do not need are not read: above all, no secret is.

use super::Client;
use crate::provider::http::Call;
use crate::provider::{Error, ErrorKind};
use crate::wire::ShownSecret;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Items that are asked for at a time.
const PAGE: usize = 1_000;
/// Pages of one list.
const MOST_PAGES: usize = 1_000;

/// A key in the list of keys.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyItem {
    pub id: String,
    pub name: String,
    #[serde(default)]
    pub created: Option<Timestamp>,
    #[serde(default)]
    pub expired: bool,
}

/// A key by itself. What it is allowed is read from its buckets.
#[derive(Clone, Debug, Deserialize)]
pub struct KeyInfo {
    pub name: String,
}

/// A bucket in the list of buckets.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BucketItem {
    pub id: String,
    #[serde(default)]
    pub local_aliases: Vec<LocalAlias>,
}

/// A name of a bucket that one key has for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LocalAlias {
    pub access_key_id: String,
    pub alias: String,
}

/// A bucket by itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BucketInfo {
    pub id: String,
    pub keys: Vec<BucketKey>,
    /// Counters of Garage's, which may be behind, and below nought for a moment.
    objects: i64,
    bytes: i64,
    #[serde(default)]
    unfinished_multipart_uploads: i64,
    pub quotas: Quotas,
}

impl BucketInfo {
    pub fn objects(&self) -> u64 {
        self.objects.max(0).unsigned_abs()
    }

    pub fn bytes(&self) -> u64 {
        self.bytes.max(0).unsigned_abs()
    }

    pub fn uploads(&self) -> u64 {
        self.unfinished_multipart_uploads.max(0).unsigned_abs()
    }
}

/// A key that may use a bucket, or has a name for it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BucketKey {
    pub access_key_id: String,
    pub permissions: Flags,
    #[serde(default)]
    pub bucket_local_aliases: Vec<String>,
}

/// What a key may do in a bucket. `write` includes deleting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flags {
    #[serde(default)]
    pub read: bool,
    #[serde(default)]
    pub write: bool,
    #[serde(default)]
    pub owner: bool,
}

impl Flags {
    /// What is in this and not in the other.
    pub fn without(self, other: Self) -> Self {
        Self {
            read: self.read && !other.read,
            write: self.write && !other.write,
            owner: self.owner && !other.owner,
        }
    }

    pub fn any(self) -> bool {
        self != Self::default()
    }
}

/// Limits of a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Quotas {
    pub max_size: Option<u64>,
    pub max_objects: Option<u64>,
}

/// What a key may do apart from buckets.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyRights {
    pub create_bucket: bool,
}

/// Changes of a key; what is `None` stays.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration: Option<Timestamp>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub never_expires: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow: Option<KeyRights>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deny: Option<KeyRights>,
}

impl KeyChange {
    /// Makes a key work, or not: one that has expired opens nothing, and loses nothing.
    pub fn enabled(self, enabled: bool) -> Self {
        let expiration = (!enabled).then_some(Timestamp::UNIX_EPOCH);
        Self { expiration, never_expires: enabled, ..self }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ImportKey<'a> {
    access_key_id: &'a str,
    secret_access_key: &'a ShownSecret,
    name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewBucket<'a> {
    local_alias: &'a LocalAlias,
}

#[derive(Serialize)]
struct BucketChange {
    quotas: Quotas,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Permit<'a> {
    bucket_id: &'a str,
    access_key_id: &'a str,
    permissions: Flags,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Alias<'a> {
    bucket_id: &'a str,
    access_key_id: &'a str,
    #[serde(rename = "localAlias")]
    name: &'a str,
}

/// What nodes answer: ours alone is asked.
#[derive(Deserialize)]
struct OfNodes<T> {
    success: BTreeMap<String, T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NodeInfo {
    garage_version: String,
}

/// An answer of which nothing is needed.
type Ignored = serde::de::IgnoredAny;

impl Client {
    pub(super) async fn all_keys(&self, call: Call<'_>) -> Result<Vec<KeyItem>, Error> {
        self.all(call, "ListKeys").await
    }

    pub(super) async fn all_buckets(&self, call: Call<'_>) -> Result<Vec<BucketItem>, Error> {
        self.all(call, "ListBuckets").await
    }

    /// A whole list, by pages: each begins with the item that the one before ended with. Half a list is no list.
    async fn all<T: DeserializeOwned + Listed>(
        &self,
        call: Call<'_>,
        operation: &str,
    ) -> Result<Vec<T>, Error> {
        let limit = PAGE.to_string();
        let mut items: Vec<T> = Vec::new();
        for _ in 0..MOST_PAGES {
            let last = items.last().map(|item| item.id().to_owned());
            let mut query = vec![("limit", limit.as_str())];
            query.extend(last.as_deref().map(|last| ("offset", last)));
            let page: Vec<T> = self.transport.get(call, operation, &query).await?;
            // Where nodes disagree on what was removed, a page that was cut off may be a little shorter.
            let more = page.len() > PAGE / 2;
            let before = items.len();
            items.extend(page.into_iter().filter(|item| last.as_deref().is_none_or(|last| item.id() > last)));
            if !more || items.len() == before {
                return Ok(items);
            }
        }
        Err(call.error(ErrorKind::Failed("its list does not end".to_owned())))
    }

    pub(super) async fn key(&self, call: Call<'_>, id: &str) -> Result<KeyInfo, Error> {
        self.transport.get(call, "GetKeyInfo", &[("id", id)]).await
    }

    /// Makes a key with a pair of its own, which nobody reads.
    pub(super) async fn create_key(&self, call: Call<'_>, key: &KeyChange) -> Result<(), Error> {
        self.transport.post::<Ignored>(call, "CreateKey", &[], key).await.map(|_| ())
    }

    pub(super) async fn import_key(
        &self,
        call: Call<'_>,
        id: &str,
        secret: &ShownSecret,
        name: &str,
    ) -> Result<(), Error> {
        let body = ImportKey { access_key_id: id, secret_access_key: secret, name };
        self.transport.post::<Ignored>(call, "ImportKey", &[], &body).await.map(|_| ())
    }

    /// Answers with the key as it is then.
    pub(super) async fn update_key(
        &self,
        call: Call<'_>,
        id: &str,
        change: &KeyChange,
    ) -> Result<KeyInfo, Error> {
        self.transport.post(call, "UpdateKey", &[("id", id)], change).await
    }

    /// What is not there counts as deleted.
    pub(super) async fn delete_key(&self, call: Call<'_>, id: &str) -> Result<(), Error> {
        match self.transport.post_id(call, "DeleteKey", id).await {
            Err(Error { kind: ErrorKind::NotFound, .. }) => Ok(()),
            other => other,
        }
    }

    pub(super) async fn bucket(&self, call: Call<'_>, id: &str) -> Result<BucketInfo, Error> {
        self.transport.get(call, "GetBucketInfo", &[("id", id)]).await
    }

    pub(super) async fn new_bucket(&self, call: Call<'_>, alias: &LocalAlias) -> Result<BucketInfo, Error> {
        self.transport.post(call, "CreateBucket", &[], &NewBucket { local_alias: alias }).await
    }

    pub(super) async fn limit_bucket(&self, call: Call<'_>, id: &str, quotas: Quotas) -> Result<(), Error> {
        let body = BucketChange { quotas };
        self.transport.post::<Ignored>(call, "UpdateBucket", &[("id", id)], &body).await.map(|_| ())
    }

    pub(super) async fn remove_bucket(&self, call: Call<'_>, id: &str) -> Result<(), Error> {
        match self.transport.post_id(call, "DeleteBucket", id).await {
            Err(Error { kind: ErrorKind::NotFound, .. }) => Ok(()),
            other => other,
        }
    }

    pub(super) async fn allow(
        &self,
        call: Call<'_>,
        bucket: &str,
        key: &str,
        flags: Flags,
    ) -> Result<(), Error> {
        self.permit(call, "AllowBucketKey", bucket, key, flags).await
    }

    pub(super) async fn deny(
        &self,
        call: Call<'_>,
        bucket: &str,
        key: &str,
        flags: Flags,
    ) -> Result<(), Error> {
        self.permit(call, "DenyBucketKey", bucket, key, flags).await
    }

    async fn permit(
        &self,
        call: Call<'_>,
        operation: &str,
        bucket: &str,
        key: &str,
        flags: Flags,
    ) -> Result<(), Error> {
        if !flags.any() {
            return Ok(());
        }
        let body = Permit { bucket_id: bucket, access_key_id: key, permissions: flags };
        self.transport.post::<Ignored>(call, operation, &[], &body).await.map(|_| ())
    }

    /// Gives a key a name for a bucket. A name that the key has for another bucket is refused.
    pub(super) async fn name_bucket(
        &self,
        call: Call<'_>,
        bucket: &str,
        key: &str,
        name: &str,
    ) -> Result<(), Error> {
        let body = Alias { bucket_id: bucket, access_key_id: key, name };
        self.transport.post::<Ignored>(call, "AddBucketAlias", &[], &body).await.map(|_| ())
    }

    /// The version of the node that answers.
    pub(super) async fn version(&self, call: Call<'_>) -> Result<Option<String>, Error> {
        let nodes: OfNodes<NodeInfo> = self.transport.get(call, "GetNodeInfo", &[("node", "self")]).await?;
        Ok(nodes.success.into_values().next().map(|node| node.garage_version))
    }
}

/// What is listed in the order of its ids.
trait Listed {
    fn id(&self) -> &str;
}

impl Listed for KeyItem {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Listed for BucketItem {
    fn id(&self) -> &str {
        &self.id
    }
}
