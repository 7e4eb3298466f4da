//! The words of the domain, as both seed documents have them and as every interface spells them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The four permission levels of a key (the seed's).
#[derive(
    JsonSchema, ToSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord,
)]
pub enum Permission {
    /// Read, write, list, and manage buckets.
    Full,
    /// Upload, download and list; no bucket is made or removed.
    ReadWrite,
    /// Download and list.
    Read,
    /// Upload.
    Write,
}

impl Permission {
    /// All four, from most to least.
    pub const ALL: [Self; 4] = [Self::Full, Self::ReadWrite, Self::Read, Self::Write];

    /// As users write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "Full",
            Self::ReadWrite => "ReadWrite",
            Self::Read => "Read",
            Self::Write => "Write",
        }
    }
}

/// What a user may do (the five roles of the seed).
#[derive(JsonSchema, ToSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything, everywhere. Only in the tenant `administrator`.
    Administrator,
    /// Everything in the tenant, its users and accounts included.
    TenantAdministrator,
    /// Everything in the tenant but its users and accounts.
    #[default]
    FullAccess,
    /// Backup, not restore: its keys may only upload.
    Backup,
    /// Looking on: its keys may only read.
    ReadOnly,
}

impl Role {
    /// The permissions that keys of a user with this role may have.
    pub fn permissions(self) -> &'static [Permission] {
        match self {
            Self::Administrator | Self::TenantAdministrator | Self::FullAccess => &Permission::ALL,
            Self::Backup => &[Permission::Write],
            Self::ReadOnly => &[Permission::Read],
        }
    }
}

/// Whether global administrators see a tenant's data (accounts, keys, buckets). They see its users in any case.
#[derive(JsonSchema, ToSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Visibility {
    /// They do.
    #[default]
    Public,
    /// They do not.
    Isolated,
}

/// Whether a bucket keeps older versions of its objects.
#[derive(JsonSchema, ToSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Versioning {
    /// It never did.
    #[default]
    Disabled,
    /// It does.
    Enabled,
    /// It did; older versions stay, new ones are not made.
    Suspended,
}

/// Whether a retention can be lifted early.
#[derive(JsonSchema, ToSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockMode {
    /// By a Full key that asks to bypass it.
    Governance,
    /// By nobody.
    Compliance,
}
