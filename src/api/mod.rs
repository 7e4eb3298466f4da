//! What a user writes: the five custom resources of `storekeeper.dev/v1alpha1`, the references between them, and the
//! closed list of reasons that their conditions give.
//!
//! Only types, their schema and their parsing live here. Nothing in this room talks to anything or decides what is
//! done about an object: that is the operator's.

pub mod account;
pub mod bucket;
pub mod crds;
pub mod key;
pub mod reason;
pub mod shared;
pub mod tenant;
pub mod user;

pub use account::{StorageAccount, StorageAccountSpec, StorageAccountStatus};
pub use bucket::{Bucket, BucketSpec, BucketStatus};
pub use key::{AccessKey, AccessKeySpec, AccessKeyStatus};
pub use reason::Reason;
pub use shared::{ByteSize, Conditions, DeletionPolicy, NameRef};
pub use tenant::{Tenant, TenantSpec, TenantStatus};
pub use user::{StorageUser, StorageUserSpec, StorageUserStatus};

/// The API group of all five kinds.
pub const GROUP: &str = "storekeeper.dev";
/// The version of all five kinds.
pub const VERSION: &str = "v1alpha1";
/// The finalizer that holds an object until what it made at the provider is cleaned up.
pub const FINALIZER: &str = "storekeeper.dev/cleanup";
/// The built-in tenant of global administrators: made by the operator, never edited, never deleted.
pub const ADMINISTRATOR_TENANT: &str = "administrator";
