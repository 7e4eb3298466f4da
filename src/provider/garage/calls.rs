//! The list of calls.

use super::Client;
use super::keys::chosen;
use super::people::BUILT_IN;
use super::view::owner;
use crate::provider::http::Call;
use crate::provider::{
    BucketState, BucketWish, Capability, ClusterId, Description, Error, ErrorKind, KeyPair, KeyState,
    KeyWish, OwnerMark, Provider, RANDOM_BYTES, TenantState, TenantWish, UserState, UserWish,
};
use async_trait::async_trait;

/// What Garage itself is called here. It has no id of its own: nothing tells one cluster from another.
pub const ACCOUNT: &str = "garage";

#[async_trait]
impl Provider for Client {
    async fn describe(&self) -> Result<Description, Error> {
        let call = Call { op: "ask the version of", object: ACCOUNT };
        let version = self.version(call).await?.unwrap_or_else(|| "unknown".to_owned());
        Ok(Description {
            name: ACCOUNT.to_owned(),
            version,
            account_id: ACCOUNT.to_owned(),
            capabilities: [Capability::ChosenPairs, Capability::KeyBuckets, Capability::Quotas].into(),
        })
    }

    async fn find_tenant(&self, name: &str) -> Result<Option<TenantState>, Error> {
        self.tenant(Call { op: "find tenant", object: name }, name).await
    }

    async fn create_tenant(&self, tenant: &TenantWish) -> Result<TenantState, Error> {
        self.put_tenant(Call { op: "create tenant", object: &tenant.name }, tenant, true).await
    }

    async fn update_tenant(&self, _: &str, tenant: &TenantWish) -> Result<TenantState, Error> {
        self.put_tenant(Call { op: "update tenant", object: &tenant.name }, tenant, false).await
    }

    async fn delete_tenant(&self, id: &str) -> Result<(), Error> {
        let call = Call { op: "delete tenant", object: id };
        if id == BUILT_IN {
            return Err(call.error(ErrorKind::Refused("it is built in".to_owned())));
        }
        self.remove_tenant(call, id).await
    }

    async fn find_user(&self, login: &str) -> Result<Option<UserState>, Error> {
        let call = Call { op: "find user", object: login };
        let view = self.view().await?;
        match view.user(login) {
            Some(user) => self.user_state(call, &view, user).await.map(Some),
            None => Ok(None),
        }
    }

    async fn list_users(&self, cluster: &ClusterId) -> Result<Vec<UserState>, Error> {
        let call = Call { op: "list users of", object: ACCOUNT };
        let view = self.view().await?;
        let mut users = Vec::new();
        for user in &view.users {
            let first = view.user(&user.mark.login).is_some_and(|first| first.id == user.id);
            if first && owner(&user.mark.owner).is_some_and(|owner| owner.cluster == *cluster) {
                users.push(self.user_state(call, &view, user).await?);
            }
        }
        Ok(users)
    }

    async fn create_user(&self, user: &UserWish) -> Result<UserState, Error> {
        self.put_user(Call { op: "create user", object: &user.login }, user, true).await
    }

    async fn update_user(&self, _: &str, user: &UserWish) -> Result<UserState, Error> {
        self.put_user(Call { op: "update user", object: &user.login }, user, false).await
    }

    async fn delete_user(&self, id: &str) -> Result<(), Error> {
        self.remove_user(Call { op: "delete user", object: id }, id).await
    }

    async fn list_keys(&self, cluster: &ClusterId, of: Option<&OwnerMark>) -> Result<Vec<KeyState>, Error> {
        self.marked_keys(Call { op: "list keys of", object: ACCOUNT }, cluster, of).await
    }

    /// Garage lists all keys, whoever's are wanted.
    fn list_all_from(&self) -> usize {
        2
    }

    async fn mint_key(&self, key: &KeyWish, _: Option<&str>) -> Result<KeyPair, Error> {
        let call = Call { op: "create key", object: &key.nonce };
        Err(call.error(ErrorKind::NotSupported("its keys are chosen by the caller".to_owned())))
    }

    fn choose_pair(&self, _: &KeyWish, random: &[u8; RANDOM_BYTES]) -> Option<KeyPair> {
        Some(chosen(random))
    }

    async fn put_key(&self, key: &KeyWish, pair: &KeyPair) -> Result<(), Error> {
        self.bring(Call { op: "put key", object: &pair.access_key_id }, key, pair).await
    }

    async fn revoke_key(&self, access_key_id: &str) -> Result<(), Error> {
        self.revoke(Call { op: "revoke key", object: access_key_id }, access_key_id).await
    }

    async fn find_bucket(&self, user_id: &str, name: &str) -> Result<Option<BucketState>, Error> {
        self.user_bucket(Call { op: "find bucket", object: name }, user_id, name).await
    }

    async fn list_buckets(&self, cluster: &ClusterId) -> Result<Vec<BucketState>, Error> {
        let call = Call { op: "list buckets of", object: ACCOUNT };
        let view = self.view().await?;
        let mut buckets = Vec::new();
        for user in &view.users {
            if owner(&user.mark.owner).is_none_or(|owner| owner.cluster != *cluster) {
                continue;
            }
            for bucket in view.buckets_of(user).into_iter().filter(|bucket| bucket.uid.is_some()) {
                buckets.extend(self.bucket_state(call, &view, user, &bucket).await?);
            }
        }
        Ok(buckets)
    }

    async fn create_bucket(&self, bucket: &BucketWish) -> Result<BucketState, Error> {
        self.make_bucket(Call { op: "create bucket", object: &bucket.name }, bucket).await
    }

    async fn update_bucket(&self, bucket: &BucketWish) -> Result<BucketState, Error> {
        self.mend_bucket(Call { op: "update bucket", object: &bucket.name }, bucket).await
    }

    async fn delete_bucket(&self, user_id: &str, name: &str) -> Result<(), Error> {
        self.drop_bucket(Call { op: "delete bucket", object: name }, user_id, name).await
    }
}
