//! The requests of the Admin Ops and metadata APIs, typed: one function, one request, but for [`Admin::edit`]. Nothing here
//! decides anything.

use super::draft::Draft;
use super::failure::Failure;
use super::sign::Credentials;
use super::transport::{Ask, Body, Transport, parse};
use super::wire::{Bucket, BucketEntry, Statistics, Stored, Uids, UserEntry, kib};
use crate::clock;
use crate::provider::{ErrorKind, Quota};
use http::{Method, StatusCode};
use jiff::Timestamp;
use std::time::Duration;

/// Uids asked for at a time.
const PAGE: &str = "1000";
/// Pages of uids: a million.
const MOST_PAGES: usize = 1000;
/// Times that a change is tried where others change the same RGW user.
const EDITS: u32 = 20;
/// Between these.
const EDIT_PAUSE: Duration = Duration::from_millis(25);

type Pair = (&'static str, String);

/// The gateway, as the operator's user.
pub struct Admin {
    /// The connection.
    pub transport: Transport,
    /// The operator's key.
    pub credentials: Credentials,
}

fn pair(name: &'static str, value: impl Into<String>) -> Pair {
    (name, value.into())
}

/// Absence is an answer.
fn found<T>(result: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(failure) if failure.is_absence() => Ok(None),
        Err(failure) => Err(failure),
    }
}

impl Admin {
    async fn send(&self, method: Method, path: &str, query: &[Pair]) -> Result<Body, Failure> {
        self.transport.send(&self.credentials, &Ask::new(method, path, query)).await
    }

    async fn read<T: serde::de::DeserializeOwned>(&self, path: &str, query: &[Pair]) -> Result<T, Failure> {
        parse(&self.send(Method::GET, path, query).await?)
    }

    /// An RGW user with its keys and policies. The metadata API shows all in one answer, and says definitely if there is
    /// none.
    pub async fn user(&self, uid: &str) -> Result<Option<UserEntry>, Failure> {
        found(self.read("/admin/metadata/user", &[pair("key", uid)]).await)
    }

    /// The uids of all RGW users.
    pub async fn uids(&self) -> Result<Vec<String>, Failure> {
        let mut uids = Vec::new();
        let mut marker = String::new();
        for _ in 0..MOST_PAGES {
            let mut query = vec![pair("list", ""), pair("max-entries", PAGE)];
            if !marker.is_empty() {
                query.push(pair("marker", marker));
            }
            let page: Uids = self.read("/admin/user", &query).await?;
            uids.extend(page.keys);
            if !page.truncated {
                return Ok(uids);
            }
            marker = page.marker;
            if marker.is_empty() {
                break;
            }
        }
        Err(ErrorKind::Failed("its list of users does not end".to_owned()).into())
    }

    /// Makes an RGW user that has no key and may have no bucket; refused if there is one of that uid.
    pub async fn create_user(&self, uid: &str, display_name: &str, tags: &[String]) -> Result<(), Failure> {
        let query = [
            // Without it the gateway makes a key that nobody knows of.
            pair("generate-key", "false"),
            pair("uid", uid),
            pair("display-name", display_name),
            pair("max-buckets", "-1"),
            pair("suspended", "true"),
            pair("placement-tags", tags.join(",")),
        ];
        self.send(Method::PUT, "/admin/user", &query).await.map(drop)
    }

    /// Writes an RGW user as a whole, made if there is none, replaced if there is: its key, its policy and whether it is
    /// refused in one step, and the secret in the body, as the gateway logs every query. The answer says when it was
    /// written, by this process's clock.
    pub async fn put_user(&self, uid: &str, user: Draft) -> Result<Timestamp, Failure> {
        let (body, mtime) = user.finish(clock::now());
        self.write(&[pair("key", uid)], &body).await?;
        Ok(mtime)
    }

    /// Changes an RGW user in one step with all that belongs to it. Any other call that changes one drops its policies, and
    /// has the secret of a new key in its query. What others change at the same time is not lost: then this reads anew.
    /// `None`: there is no such RGW user.
    pub async fn edit(&self, uid: &str, change: impl Fn(&mut Draft)) -> Result<Option<UserEntry>, Failure> {
        // Written only if the version is newer than the one that is there, and otherwise ignored without a word.
        let query = [pair("key", uid), pair("update-type", "update-by-version")];
        for _ in 0..EDITS {
            let read = self.send(Method::GET, "/admin/metadata/user", &[pair("key", uid)]).await;
            let Some(body) = found(read)? else { return Ok(None) };
            let unreadable = || ErrorKind::Failed("its answer cannot be read".to_owned());
            let mut draft = Draft::read(&body).ok_or_else(unreadable)?;
            change(&mut draft);
            if !draft.is_changed() {
                return parse(&body).map(Some);
            }
            let (body, mtime) = draft.finish(clock::now());
            self.write(&query, &body).await?;
            match self.user(uid).await.map_err(Failure::after_a_write)? {
                Some(after) if after.mtime == mtime => return Ok(Some(after)),
                Some(_) => tokio::time::sleep(EDIT_PAUSE).await,
                None => return Ok(None),
            }
        }
        Err(ErrorKind::Failed("others change the user all the time".to_owned()).into())
    }

    async fn write(&self, query: &[Pair], body: &[u8]) -> Result<(), Failure> {
        let headers = [("content-type", "application/json".to_owned())];
        let ask = Ask { method: Method::PUT, path: "/admin/metadata/user", query, headers: &headers, body };
        match self.transport.send(&self.credentials, &ask).await {
            // What the gateway says where another user has the access key.
            Err(failure) if failure.is(StatusCode::CONFLICT, "BucketAlreadyExists") => {
                Err(ErrorKind::NameTaken("another user has that access key".to_owned()).into())
            }
            result => result.map(drop),
        }
    }

    /// Removes an RGW user with its keys and policies; refused while it has buckets. One that is not there counts as
    /// removed.
    pub async fn remove_user(&self, uid: &str) -> Result<(), Failure> {
        match found(self.send(Method::DELETE, "/admin/user", &[pair("uid", uid)]).await) {
            Err(failure) if failure.is(StatusCode::CONFLICT, "BucketAlreadyExists") => {
                Err(ErrorKind::InUse("it has buckets".to_owned()).into())
            }
            result => result.map(drop),
        }
    }

    /// Sets the limits of a bucket. Of the owner only the tenant matters, and the bucket goes without it.
    pub async fn set_bucket_quota(&self, owner: &str, name: &str, quota: Quota) -> Result<(), Failure> {
        let Quota { buckets: _, size, objects } = quota;
        let number = |limit: Option<u64>| limit.map_or_else(|| "-1".to_owned(), |limit| limit.to_string());
        let query = [
            pair("quota", ""),
            pair("uid", owner),
            pair("bucket", name),
            pair("max-size-kb", number(size.map(kib))),
            pair("max-objects", number(objects)),
            pair("enabled", (size.is_some() || objects.is_some()).to_string()),
        ];
        self.send(Method::PUT, "/admin/bucket", &query).await.map(drop)
    }

    /// What an RGW user has stored.
    pub async fn stored(&self, uid: &str) -> Result<Stored, Failure> {
        let answer: Statistics = self.read("/admin/user", &[pair("uid", uid), pair("stats", "true")]).await?;
        Ok(answer.stats)
    }

    /// The names of an RGW user's buckets. A user that is not there has none.
    pub async fn buckets_of(&self, uid: &str) -> Result<Vec<String>, Failure> {
        self.read("/admin/bucket", &[pair("uid", uid)]).await
    }

    /// A bucket, `tenant/name`.
    pub async fn bucket(&self, path: &str) -> Result<Option<Bucket>, Failure> {
        found(self.read("/admin/bucket", &[pair("bucket", path), pair("stats", "true")]).await)
    }

    /// The settings of a bucket, `tenant/name`, with RGW's id of it.
    pub async fn bucket_entry(&self, path: &str, id: &str) -> Result<Option<BucketEntry>, Failure> {
        found(self.read("/admin/metadata/bucket.instance", &[pair("key", format!("{path}:{id}"))]).await)
    }

    /// Makes an RGW user the owner of a bucket of its own tenant, `tenant/name`.
    pub async fn link_bucket(&self, path: &str, id: &str, owner: &str) -> Result<(), Failure> {
        let query = [pair("bucket", path), pair("bucket-id", id), pair("uid", owner)];
        self.send(Method::PUT, "/admin/bucket", &query).await.map(drop)
    }

    /// Removes an empty bucket, `tenant/name`. One that is not there counts as removed.
    pub async fn remove_bucket(&self, path: &str) -> Result<(), Failure> {
        found(self.send(Method::DELETE, "/admin/bucket", &[pair("bucket", path)]).await).map(drop)
    }
}
