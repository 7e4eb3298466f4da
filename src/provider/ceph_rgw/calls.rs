//! The calls of [`Provider`]: each bounded in time as a whole, and told with its name where it fails.

use super::failure::Failure;
use super::{Client, describe, keys};
use crate::provider::{
    BucketState, BucketWish, ClusterId, Description, Error, ErrorKind, KeyPair, KeyState, KeyWish, OwnerMark,
    Provider, RANDOM_BYTES, TenantState, TenantWish, UserState, UserWish,
};
use async_trait::async_trait;

impl Client {
    async fn within<T, E: Into<Failure>>(
        &self,
        op: &'static str,
        object: &str,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Error> {
        let kind = match tokio::time::timeout(self.timeout, call).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(failure)) => failure.into().kind(),
            Err(_) => ErrorKind::NoAnswer("no answer in time".to_owned()),
        };
        Err(Error { op, object: object.to_owned(), kind })
    }
}

#[async_trait]
impl Provider for Client {
    async fn describe(&self) -> Result<Description, Error> {
        self.within("read capabilities of", "Ceph object gateway", describe::describe(self)).await
    }

    async fn find_tenant(&self, name: &str) -> Result<Option<TenantState>, Error> {
        self.within("find tenant", name, self.tenant(name)).await
    }

    async fn create_tenant(&self, tenant: &TenantWish) -> Result<TenantState, Error> {
        self.within("create tenant", &tenant.name, self.make_tenant(tenant)).await
    }

    async fn update_tenant(&self, id: &str, tenant: &TenantWish) -> Result<TenantState, Error> {
        self.within("update tenant", &tenant.name, self.change_tenant(id, tenant)).await
    }

    async fn delete_tenant(&self, id: &str) -> Result<(), Error> {
        self.within("delete tenant", id, self.remove_tenant(id)).await
    }

    async fn find_user(&self, login: &str) -> Result<Option<UserState>, Error> {
        self.within("find user", login, self.user(login)).await
    }

    async fn list_users(&self, cluster: &ClusterId) -> Result<Vec<UserState>, Error> {
        self.within("list users of cluster", &cluster.0, self.users(cluster)).await
    }

    async fn create_user(&self, user: &UserWish) -> Result<UserState, Error> {
        self.within("create user", &user.login, self.make_user(user)).await
    }

    async fn update_user(&self, id: &str, user: &UserWish) -> Result<UserState, Error> {
        self.within("update user", &user.login, self.change_user(id, user)).await
    }

    async fn delete_user(&self, id: &str) -> Result<(), Error> {
        self.within("delete user", id, self.remove_user(id)).await
    }

    async fn list_keys(&self, cluster: &ClusterId, of: Option<&OwnerMark>) -> Result<Vec<KeyState>, Error> {
        let whose = of.map_or(cluster.0.as_str(), |owner| owner.uid.as_str());
        self.within("list keys of", whose, self.list(cluster, of)).await
    }

    async fn mint_key(&self, key: &KeyWish, _idempotency_key: Option<&str>) -> Result<KeyPair, Error> {
        let kind = ErrorKind::NotSupported("its pairs are chosen by the caller".to_owned());
        Err(Error { op: "create key for user", object: key.user_id.clone(), kind })
    }

    fn choose_pair(&self, key: &KeyWish, random: &[u8; RANDOM_BYTES]) -> Option<KeyPair> {
        self.note_home(key);
        keys::choose(key, random)
    }

    async fn put_key(&self, key: &KeyWish, pair: &KeyPair) -> Result<(), Error> {
        self.within("put key", &pair.access_key_id, self.put(key, pair)).await
    }

    async fn revoke_key(&self, access_key_id: &str) -> Result<(), Error> {
        self.within("revoke key", access_key_id, self.revoke(access_key_id)).await
    }

    async fn find_bucket(&self, user_id: &str, name: &str) -> Result<Option<BucketState>, Error> {
        self.within("find bucket", name, self.bucket(user_id, name)).await
    }

    async fn list_buckets(&self, cluster: &ClusterId) -> Result<Vec<BucketState>, Error> {
        self.within("list buckets of cluster", &cluster.0, self.buckets(cluster)).await
    }

    async fn create_bucket(&self, bucket: &BucketWish) -> Result<BucketState, Error> {
        self.within("create bucket", &bucket.name, self.make_bucket(bucket)).await
    }

    async fn update_bucket(&self, bucket: &BucketWish) -> Result<BucketState, Error> {
        self.within("update bucket", &bucket.name, self.change_bucket(bucket)).await
    }

    async fn delete_bucket(&self, user_id: &str, name: &str) -> Result<(), Error> {
        self.within("delete bucket", name, self.remove_bucket(user_id, name)).await
    }
}
