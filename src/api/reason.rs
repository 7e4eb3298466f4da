//! The closed list of reasons that conditions and events give. Users match on them: a name is never changed.

use std::fmt;

/// Why an object is, or is not, as its spec asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// All is as the spec asks.
    Ready,
    /// Work is under way.
    Progressing,
    /// The object is being deleted.
    Deleting,
    /// The spec says something that cannot be.
    InvalidSpec,
    /// A field that is the object's identity was changed.
    IdentityChanged,
    /// The referenced Tenant does not exist.
    TenantNotFound,
    /// The referenced Tenant is not Ready.
    TenantNotReady,
    /// The Tenant does not admit this namespace.
    NamespaceNotAllowed,
    /// The Tenant does not allow this permission.
    PermissionNotAllowed,
    /// The user's role does not allow this permission, or the tenant does not allow the role.
    RoleNotAllowed,
    /// The referenced StorageUser does not exist.
    UserNotFound,
    /// The referenced StorageUser is not Ready.
    UserNotReady,
    /// The referenced StorageAccount does not exist, or none is the default.
    AccountNotFound,
    /// The referenced StorageAccount is not Ready.
    AccountNotReady,
    /// The account is assigned to another tenant.
    AccountNotAllowed,
    /// More than one StorageAccount is the default.
    SeveralDefaultAccounts,
    /// The account's server does not answer.
    AccountUnreachable,
    /// The account's server answers with an error, or with something that is not an answer.
    ProviderFailing,
    /// The account's server asks to slow down.
    Throttled,
    /// The account's server refuses the request, and says why.
    ProviderRefused,
    /// The Secret with the account's credentials does not exist or lacks an entry.
    CredentialsNotFound,
    /// The account's server refuses the credentials.
    CredentialsRefused,
    /// The certificates in the CA bundle cannot be read, or the server's does not match them.
    InvalidCaBundle,
    /// The provider cannot do what the spec asks.
    NotSupportedByProvider,
    /// Something of that name exists and was not made for this object.
    NameTaken,
    /// The referenced Bucket does not exist.
    BucketNotFound,
    /// The referenced Bucket is not Ready, or belongs to another user.
    BucketNotReady,
    /// The format of the Secret needs a bucket, and there is none, or more than one.
    BucketRequired,
    /// A quota is used up.
    QuotaExceeded,
    /// A Secret of that name exists and was not made for this object.
    SecretNameConflict,
    /// The API server refuses the Secret: by admission, quota or permission.
    SecretRefused,
    /// The Secret was deleted.
    SecretLost,
    /// The key in the Secret does not exist any more at the provider.
    KeyRevokedExternally,
    /// Too many attempts to make a key failed.
    TooManyAttempts,
    /// The bucket holds data.
    BucketNotEmpty,
    /// Other objects use this one.
    InUse,
    /// The built-in tenant is not edited and not deleted.
    BuiltIn,
    /// Keys of ours whose AccessKey is gone are at the provider.
    OrphanedKeys,
    /// The user is switched off by its spec.
    Suspended,
    /// The key's Secret is there, complete and recorded.
    Published,
    /// The key's Secret is not there yet.
    NotPublished,
    /// The key has permission Write, and can delete too.
    WriteCanDelete,
}

impl Reason {
    /// As conditions and events have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Progressing => "Progressing",
            Self::Deleting => "Deleting",
            Self::InvalidSpec => "InvalidSpec",
            Self::IdentityChanged => "IdentityChanged",
            Self::TenantNotFound => "TenantNotFound",
            Self::TenantNotReady => "TenantNotReady",
            Self::NamespaceNotAllowed => "NamespaceNotAllowed",
            Self::PermissionNotAllowed => "PermissionNotAllowed",
            Self::RoleNotAllowed => "RoleNotAllowed",
            Self::UserNotFound => "UserNotFound",
            Self::UserNotReady => "UserNotReady",
            Self::AccountNotFound => "AccountNotFound",
            Self::AccountNotReady => "AccountNotReady",
            Self::AccountNotAllowed => "AccountNotAllowed",
            Self::SeveralDefaultAccounts => "SeveralDefaultAccounts",
            Self::AccountUnreachable => "AccountUnreachable",
            Self::ProviderFailing => "ProviderFailing",
            Self::Throttled => "Throttled",
            Self::ProviderRefused => "ProviderRefused",
            Self::CredentialsNotFound => "CredentialsNotFound",
            Self::CredentialsRefused => "CredentialsRefused",
            Self::InvalidCaBundle => "InvalidCABundle",
            Self::NotSupportedByProvider => "NotSupportedByProvider",
            Self::NameTaken => "NameTaken",
            Self::BucketNotFound => "BucketNotFound",
            Self::BucketNotReady => "BucketNotReady",
            Self::BucketRequired => "BucketRequired",
            Self::QuotaExceeded => "QuotaExceeded",
            Self::SecretNameConflict => "SecretNameConflict",
            Self::SecretRefused => "SecretRefused",
            Self::SecretLost => "SecretLost",
            Self::KeyRevokedExternally => "KeyRevokedExternally",
            Self::TooManyAttempts => "TooManyAttempts",
            Self::BucketNotEmpty => "BucketNotEmpty",
            Self::InUse => "InUse",
            Self::BuiltIn => "BuiltIn",
            Self::OrphanedKeys => "OrphanedKeys",
            Self::Suspended => "Suspended",
            Self::Published => "Published",
            Self::NotPublished => "NotPublished",
            Self::WriteCanDelete => "WriteCanDelete",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
