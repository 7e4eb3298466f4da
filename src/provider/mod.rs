//! What an object store's management API can be asked to do, in one trait, and the clients that ask it.
//!
//! A provider makes calls and reports what came back; it decides nothing about custom resources and knows nothing of
//! Kubernetes. Secrets are held in [`KeyPair`], which has no `Debug` and is zeroized when dropped.

pub mod ceph_rgw;
pub mod error;
pub mod garage;
mod gather;
pub mod http;
pub mod inventory;
pub mod management;
pub mod text;
pub mod types;

pub use error::{Class, Error, ErrorKind};
pub use gather::Gather;
pub use inventory::Inventory;
pub use text::plain_text;
pub use types::*;

use async_trait::async_trait;

/// The random bytes that a pair is chosen from.
pub const RANDOM_BYTES: usize = 64;

/// The management API of one account of one object store.
///
/// Every call is one attempt with a timeout; retrying is the caller's business. Only [`ErrorKind::NotFound`] means
/// absent. Removing what is not there succeeds.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Who answers, and what it can do. Needs working credentials.
    async fn describe(&self) -> Result<Description, Error>;

    /// All tenants that carry the mark of this cluster or the given name.
    async fn find_tenant(&self, name: &str) -> Result<Option<TenantState>, Error>;
    /// Makes a tenant; [`ErrorKind::NameTaken`] if there is one of that name.
    async fn create_tenant(&self, tenant: &TenantWish) -> Result<TenantState, Error>;
    /// Makes a tenant as wished, but for its name.
    async fn update_tenant(&self, id: &str, tenant: &TenantWish) -> Result<TenantState, Error>;
    /// Removes a tenant; [`ErrorKind::InUse`] while anything hangs on it.
    async fn delete_tenant(&self, id: &str) -> Result<(), Error>;

    /// The user of that login, whoever made it.
    async fn find_user(&self, login: &str) -> Result<Option<UserState>, Error>;
    /// All users that carry this cluster's mark.
    async fn list_users(&self, cluster: &ClusterId) -> Result<Vec<UserState>, Error>;
    /// Makes a user; [`ErrorKind::NameTaken`] if there is one of that login.
    async fn create_user(&self, user: &UserWish) -> Result<UserState, Error>;
    /// Makes a user as wished, but for its login and tenant.
    async fn update_user(&self, id: &str, user: &UserWish) -> Result<UserState, Error>;
    /// Removes a user; [`ErrorKind::InUse`] while it has buckets or keys.
    async fn delete_user(&self, id: &str) -> Result<(), Error>;

    /// The keys that carry this cluster's mark: all of them, or those of one object. Linearizable: it shows every key
    /// whose creation was answered before the call began.
    async fn list_keys(&self, cluster: &ClusterId, of: Option<&OwnerMark>) -> Result<Vec<KeyState>, Error>;
    /// From how many objects on one list of all keys is cheaper than one of each object's.
    fn list_all_from(&self) -> usize {
        4
    }
    /// Makes a key: exactly one transmission, never repeated below this call. [`Error::is_definite`] tells whether a
    /// failure proves that no key was made. `idempotency_key` is sent where the provider honours such keys.
    async fn mint_key(&self, key: &KeyWish, idempotency_key: Option<&str>) -> Result<KeyPair, Error>;
    /// A pair for that key, chosen from these random bytes: the same ones give the same pair. `None` unless the provider
    /// can do [`Capability::ChosenPairs`].
    fn choose_pair(&self, _key: &KeyWish, _random: &[u8; RANDOM_BYTES]) -> Option<KeyPair> {
        None
    }
    /// Makes the provider agree with a chosen pair: idempotent, and it touches no key of another id. Success says that
    /// the provider was seen to have all that belongs to the key, after all of it was written. A key of that id that is
    /// not this pair's is [`ErrorKind::NameTaken`]. [`Error::is_definite`] tells whether a failure proves that no
    /// key was made.
    async fn put_key(&self, key: &KeyWish, _pair: &KeyPair) -> Result<(), Error> {
        let kind = ErrorKind::NotSupported("it makes pairs itself".to_owned());
        Err(Error { op: "put key", object: key.nonce.clone(), kind })
    }
    /// Suspends a key, or lets it work again with the same secret. Only with [`Capability::KeySuspension`].
    async fn set_key_active(&self, access_key_id: &str, _active: bool) -> Result<(), Error> {
        let kind = ErrorKind::NotSupported("it cannot suspend a single key".to_owned());
        Err(Error { op: "suspend key", object: access_key_id.to_owned(), kind })
    }
    /// Revokes a key.
    async fn revoke_key(&self, access_key_id: &str) -> Result<(), Error>;

    /// One bucket of a user, whoever made it.
    async fn find_bucket(&self, user_id: &str, name: &str) -> Result<Option<BucketState>, Error>;
    /// All buckets that carry this cluster's mark.
    async fn list_buckets(&self, cluster: &ClusterId) -> Result<Vec<BucketState>, Error>;
    /// Makes a bucket; [`ErrorKind::NameTaken`] if the user has one of that name.
    async fn create_bucket(&self, bucket: &BucketWish) -> Result<BucketState, Error>;
    /// Makes a bucket as wished, but for its name, owner and object lock.
    async fn update_bucket(&self, bucket: &BucketWish) -> Result<BucketState, Error>;
    /// Removes an empty bucket; [`ErrorKind::InUse`] while anything is in it.
    async fn delete_bucket(&self, user_id: &str, name: &str) -> Result<(), Error>;
}
