//! The calls of [`Provider`], each in the management API's terms.

use super::{Client, convert, marks};
use crate::provider::http::Call;
use crate::provider::{
    BucketState, BucketWish, ClusterId, Description, Error, ErrorKind, KeyPair, KeyState, KeyWish, OwnerMark,
    Provider, TenantState, TenantWish, UserState, UserWish,
};
use crate::wire::{
    AccessKeyCreated, AccessKeyItem, AccessKeyPatch, AccountItem, BucketItem, Capabilities, TenantItem,
    UserItem,
};
use async_trait::async_trait;

impl Client {
    /// The account that things are made in; asked for once.
    async fn account(&self) -> Result<&str, Error> {
        if let Some(named) = &self.named_account {
            return Ok(named);
        }
        self.account.get_or_try_init(|| self.find_account()).await.map(String::as_str)
    }

    async fn find_account(&self) -> Result<String, Error> {
        let call = Call { op: "find account", object: "default" };
        let accounts: Vec<AccountItem> = self.transport.list(call, &["accounts"], &[]).await?;
        let chosen = match accounts.as_slice() {
            [only] => Some(only),
            several => several.iter().find(|account| account.default),
        };
        let refused =
            "the credentials show no default account; name one in `spec.provider.management.accountId`";
        chosen
            .map(|account| account.id.clone())
            .ok_or_else(|| call.error(ErrorKind::Refused(refused.to_owned())))
    }

    /// The one item of a collection that has that name. A server that does not filter would show others.
    async fn named<T: serde::de::DeserializeOwned>(
        &self,
        call: Call<'_>,
        collection: &str,
        filter: (&str, &str),
        name: impl Fn(&T) -> &str,
    ) -> Result<Option<T>, Error> {
        let items: Vec<T> = self.transport.list(call, &[collection], &[filter]).await?;
        Ok(items.into_iter().find(|item| name(item) == filter.1))
    }

    /// What carries this cluster's mark in this account.
    async fn marked<T: serde::de::DeserializeOwned>(
        &self,
        call: Call<'_>,
        collection: &str,
        cluster: &ClusterId,
    ) -> Result<Vec<T>, Error> {
        let label = marks::of_cluster(cluster);
        let account = self.account().await?;
        self.transport.list(call, &[collection], &[("account", account), ("label", &label)]).await
    }
}

#[async_trait]
impl Provider for Client {
    async fn describe(&self) -> Result<Description, Error> {
        let call = Call { op: "read capabilities of", object: "management server" };
        let said: Capabilities = self.transport.get(call, &["capabilities"]).await?;
        let id = self.account().await?;
        let call = Call { op: "find account", object: id };
        let account: AccountItem = self.transport.get(call, &["accounts", id]).await?;
        Ok(Description {
            name: said.name,
            version: said.version,
            account_id: account.id,
            capabilities: convert::capabilities(&said.features),
        })
    }

    async fn find_tenant(&self, name: &str) -> Result<Option<TenantState>, Error> {
        let call = Call { op: "find tenant", object: name };
        let found = self.named(call, "tenants", ("name", name), |item: &TenantItem| &item.name).await?;
        Ok(found.map(convert::tenant))
    }

    async fn create_tenant(&self, tenant: &TenantWish) -> Result<TenantState, Error> {
        let call = Call { op: "create tenant", object: &tenant.name };
        self.transport.post(call, &["tenants"], &convert::tenant_create(tenant)).await.map(convert::tenant)
    }

    async fn update_tenant(&self, id: &str, tenant: &TenantWish) -> Result<TenantState, Error> {
        let call = Call { op: "update tenant", object: &tenant.name };
        self.transport
            .patch(call, &["tenants", id], &convert::tenant_patch(tenant))
            .await
            .map(convert::tenant)
    }

    async fn delete_tenant(&self, id: &str) -> Result<(), Error> {
        self.transport.delete(Call { op: "delete tenant", object: id }, &["tenants", id]).await
    }

    async fn find_user(&self, login: &str) -> Result<Option<UserState>, Error> {
        let call = Call { op: "find user", object: login };
        let found = self.named(call, "users", ("login", login), |item: &UserItem| &item.login).await?;
        Ok(found.map(convert::user))
    }

    async fn list_users(&self, cluster: &ClusterId) -> Result<Vec<UserState>, Error> {
        let call = Call { op: "list users of cluster", object: &cluster.0 };
        let items: Vec<UserItem> = self.marked(call, "users", cluster).await?;
        Ok(items.into_iter().map(convert::user).collect())
    }

    async fn create_user(&self, user: &UserWish) -> Result<UserState, Error> {
        let call = Call { op: "create user", object: &user.login };
        let account = self.account().await?;
        self.transport.post(call, &["users"], &convert::user_create(user, account)).await.map(convert::user)
    }

    async fn update_user(&self, id: &str, user: &UserWish) -> Result<UserState, Error> {
        let call = Call { op: "update user", object: &user.login };
        self.transport.patch(call, &["users", id], &convert::user_patch(user)).await.map(convert::user)
    }

    async fn delete_user(&self, id: &str) -> Result<(), Error> {
        self.transport.delete(Call { op: "delete user", object: id }, &["users", id]).await
    }

    async fn list_keys(&self, cluster: &ClusterId, of: Option<&OwnerMark>) -> Result<Vec<KeyState>, Error> {
        let items: Vec<AccessKeyItem> = if let Some(owner) = of {
            // The mark alone tells: were the account ever named differently, the object's keys must still be seen.
            let label = marks::of_owner(owner);
            let call = Call { op: "list keys of", object: &owner.uid };
            self.transport.list(call, &["accessKeys"], &[("label", &label)]).await?
        } else {
            let call = Call { op: "list keys of cluster", object: &cluster.0 };
            self.marked(call, "accessKeys", cluster).await?
        };
        let ours =
            |key: &KeyState| key.owner.cluster == *cluster && of.is_none_or(|owner| key.owner == *owner);
        Ok(items.into_iter().filter_map(convert::key).filter(ours).collect())
    }

    async fn mint_key(&self, key: &KeyWish, idempotency_key: Option<&str>) -> Result<KeyPair, Error> {
        let call = Call { op: "create key for user", object: &key.user_id };
        let body = convert::key_create(key);
        let made: AccessKeyCreated =
            self.transport.post_once(call, &["accessKeys"], idempotency_key, &body).await?;
        // An answer to another request, or one without its secret, tells nothing of the key that was asked for.
        let asked_for = marks::owner(&made.key.labels).as_ref() == Some(&key.owner)
            && marks::attempt(&made.key.labels)
                .is_some_and(|(epoch, nonce)| epoch == key.epoch && nonce == key.nonce);
        if !asked_for || made.key.access_key_id.is_empty() || made.secret_access_key.reveal().is_empty() {
            return Err(call.error(ErrorKind::Failed("its answer is not about the key asked for".to_owned())));
        }
        Ok(KeyPair { access_key_id: made.key.access_key_id, secret_access_key: made.secret_access_key })
    }

    async fn set_key_active(&self, access_key_id: &str, active: bool) -> Result<(), Error> {
        let call = Call { op: "suspend or resume key", object: access_key_id };
        let change = AccessKeyPatch { active: Some(active), ..AccessKeyPatch::default() };
        self.transport.patch::<AccessKeyItem>(call, &["accessKeys", access_key_id], &change).await.map(drop)
    }

    async fn revoke_key(&self, access_key_id: &str) -> Result<(), Error> {
        let call = Call { op: "revoke key", object: access_key_id };
        self.transport.delete(call, &["accessKeys", access_key_id]).await
    }

    async fn find_bucket(&self, user_id: &str, name: &str) -> Result<Option<BucketState>, Error> {
        let call = Call { op: "find bucket", object: name };
        match self.transport.get::<BucketItem>(call, &["buckets", user_id, name]).await {
            Ok(item) => Ok(Some(convert::bucket(item))),
            Err(Error { kind: ErrorKind::NotFound, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn list_buckets(&self, cluster: &ClusterId) -> Result<Vec<BucketState>, Error> {
        let call = Call { op: "list buckets of cluster", object: &cluster.0 };
        let items: Vec<BucketItem> = self.marked(call, "buckets", cluster).await?;
        Ok(items.into_iter().map(convert::bucket).collect())
    }

    async fn create_bucket(&self, bucket: &BucketWish) -> Result<BucketState, Error> {
        let call = Call { op: "create bucket", object: &bucket.name };
        self.transport.post(call, &["buckets"], &convert::bucket_create(bucket)).await.map(convert::bucket)
    }

    async fn update_bucket(&self, bucket: &BucketWish) -> Result<BucketState, Error> {
        let call = Call { op: "update bucket", object: &bucket.name };
        let path = ["buckets", &bucket.user_id, &bucket.name];
        self.transport.patch(call, &path, &convert::bucket_patch(bucket)).await.map(convert::bucket)
    }

    async fn delete_bucket(&self, user_id: &str, name: &str) -> Result<(), Error> {
        let call = Call { op: "delete bucket", object: name };
        self.transport.delete(call, &["buckets", user_id, name]).await
    }
}
