//! What the lists of keys and buckets show, taken together. Pure.

use super::api::{BucketItem, Flags, KeyItem};
use super::marks::{KeyMark, Mark, TenantMark, UserMark, uid_in};
use crate::provider::OwnerMark;
use crate::wire::Permission;

/// A key of ours with its mark.
#[derive(Clone, Debug)]
pub struct Marked<M> {
    pub id: String,
    pub created: Option<jiff::Timestamp>,
    pub expired: bool,
    pub mark: M,
}

/// All that is ours.
#[derive(Clone, Debug, Default)]
pub struct View {
    pub tenants: Vec<Marked<TenantMark>>,
    pub users: Vec<Marked<UserMark>>,
    pub keys: Vec<Marked<KeyMark>>,
    buckets: Vec<BucketItem>,
}

/// A bucket of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    pub id: String,
    /// `None`: it is made by half, or was renamed by somebody.
    pub name: Option<String>,
    /// The uid of its Bucket; `None`: no Bucket made it.
    pub uid: Option<String>,
}

impl View {
    /// Of one thing there is one marker. Two were made where an answer was lost or two asked at once: the first counts.
    pub fn new(keys: Vec<KeyItem>, buckets: Vec<BucketItem>) -> Self {
        let mut view = Self { buckets, ..Self::default() };
        for KeyItem { id, name, created, expired } in keys {
            match Mark::parse(&name) {
                Some(Mark::Tenant(mark)) => view.tenants.push(Marked { id, created, expired, mark }),
                Some(Mark::User(mark)) => view.users.push(Marked { id, created, expired, mark }),
                Some(Mark::Key(mark)) => view.keys.push(Marked { id, created, expired, mark }),
                None => {}
            }
        }
        view.tenants.sort_by(|one, other| (one.created, &one.id).cmp(&(other.created, &other.id)));
        view.users.sort_by(|one, other| (one.created, &one.id).cmp(&(other.created, &other.id)));
        view
    }

    pub fn tenant(&self, name: &str) -> Option<&Marked<TenantMark>> {
        self.tenants.iter().find(|tenant| tenant.mark.name == name)
    }

    pub fn user(&self, login: &str) -> Option<&Marked<UserMark>> {
        self.users.iter().find(|user| user.mark.login == login)
    }

    /// The access keys of a user.
    pub fn keys_of<'a>(&'a self, login: &'a str) -> impl Iterator<Item = &'a Marked<KeyMark>> {
        self.keys.iter().filter(move |key| key.mark.user == login)
    }

    /// The buckets that a user's marker has names for.
    pub fn buckets_of(&self, user: &Marked<UserMark>) -> Vec<Owned> {
        let owned = |bucket: &BucketItem| {
            let aliases = bucket.local_aliases.iter().filter(|alias| alias.access_key_id == user.id);
            let aliases: Vec<&str> = aliases.map(|alias| alias.alias.as_str()).collect();
            let name = aliases.iter().find(|alias| uid_in(alias).is_none());
            let uid = aliases.iter().find_map(|alias| uid_in(alias));
            (!aliases.is_empty()).then(|| Owned {
                id: bucket.id.clone(),
                name: name.map(|name| (*name).to_owned()),
                uid: uid.map(str::to_owned),
            })
        };
        self.buckets.iter().filter_map(owned).collect()
    }

    /// The buckets that a key has a name for and its user's marker has not: the application made them. As pairs of the
    /// bucket's id and that name.
    pub fn made_by(&self, key: &str, marker: &str) -> Vec<(String, String)> {
        let of = |bucket: &BucketItem, id: &str| {
            let alias = bucket.local_aliases.iter().find(|alias| alias.access_key_id == id);
            alias.map(|alias| alias.alias.clone())
        };
        let own = |bucket: &BucketItem| Some((bucket.id.clone(), of(bucket, key)?));
        self.buckets.iter().filter(|bucket| of(bucket, marker).is_none()).filter_map(own).collect()
    }
}

/// What a key of that permission may do in a bucket of its user.
pub fn flags(permission: Permission) -> Flags {
    match permission {
        Permission::Full => Flags { read: true, write: true, owner: true },
        Permission::ReadWrite => Flags { read: true, write: true, owner: false },
        Permission::Read => Flags { read: true, write: false, owner: false },
        Permission::Write => Flags { read: false, write: true, owner: false },
    }
}

/// Whether a key may make buckets.
pub fn creates(mark: &KeyMark) -> bool {
    mark.permission == Permission::Full && mark.buckets.is_none()
}

/// Whose something is, read back.
pub fn owner(text: &str) -> Option<OwnerMark> {
    OwnerMark::parse(text)
}
