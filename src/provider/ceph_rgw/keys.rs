//! Keys. A key that is not Full is an RGW user of its own, written in one step with its key and its policy, and revoked with
//! all of it; a Full key is one of the owner's keys. There is nothing half-made, and what comes late shows itself in the
//! next list.

use super::Client;
use super::draft::Draft;
use super::failure::Failure;
use super::memory::{Home, Owner};
use super::names::{KeyId, Mark, Uid};
use super::policy;
use super::record::{Of, Record};
use super::wire::{Fingerprint, User, UserEntry};
use crate::provider::{
    ClusterId, ErrorKind, KeyPair, KeyState, KeyWish, OwnerMark, RANDOM_BYTES, plain_text,
};
use crate::wire::{Permission, ShownSecret};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};

/// Bytes of a secret: 40 characters of base64.
const SECRET_BYTES: usize = 30;
/// RGW users that are looked at at a time.
pub const AT_A_TIME: usize = 8;

/// The pair of an attempt: its id says which one it is of, and its secret is nothing but randomness. `None` where the mark
/// or the nonce is not as Kubernetes and the protocol make them.
pub fn choose(wish: &KeyWish, random: &[u8; RANDOM_BYTES]) -> Option<KeyPair> {
    let id = id_of(wish)?;
    let secret = URL_SAFE_NO_PAD.encode(random.get(..SECRET_BYTES)?);
    Some(KeyPair { access_key_id: id, secret_access_key: ShownSecret::new(secret) })
}

fn id_of(wish: &KeyWish) -> Option<String> {
    let mark = Mark::of(&wish.owner.uid, wish.epoch, &wish.nonce)?;
    Some(if wish.permission == Permission::Full { mark.full_id() } else { mark.id() })
}

impl Client {
    /// Remembers where the keys of an AccessKey will be.
    pub(super) fn note_home(&self, wish: &KeyWish) {
        if let Some(Uid::User(login)) = Uid::parse(&wish.user_id) {
            let full = wish.permission == Permission::Full;
            self.memory.note_home(&wish.owner.uid, Home { login, full });
        }
    }

    /// Keys with a cluster's mark. Where the keys of an AccessKey are is remembered, so that only they are looked at;
    /// otherwise every owner is asked for its Full keys.
    pub(super) async fn list(
        &self,
        cluster: &ClusterId,
        of: Option<&OwnerMark>,
    ) -> Result<Vec<KeyState>, Failure> {
        let home = of.and_then(|owner| self.memory.home(&owner.uid));
        let uids = match &home {
            Some(Home { login, full: true }) => vec![Uid::User(login.clone())],
            Some(Home { full: false, .. }) | None => self.uids().await?,
        };
        let owners_too = home.as_ref().is_none_or(|home| home.full);
        let (owners, others): (Vec<Uid>, Vec<Uid>) =
            uids.into_iter().partition(|uid| matches!(uid, Uid::User(_)));
        let owners = owners.into_iter().filter(|_| owners_too).map(|uid| self.keys_of(uid));
        let mine =
            |uid: &Uid| matches!(uid, Uid::Key(_, mark) if of.is_none_or(|owner| mark.uid() == owner.uid));
        let others = others.into_iter().filter(mine).map(|uid| self.keys_of(uid));
        // Owners first: the others are judged by what is then known of them.
        let mut found = gather(owners.collect()).await?;
        found.extend(gather(others.collect()).await?);
        found.retain(|key| key.owner.cluster == *cluster && of.is_none_or(|owner| key.owner == *owner));
        Ok(found)
    }

    /// The RGW users that are ours.
    pub(super) async fn uids(&self) -> Result<Vec<Uid>, Failure> {
        let uids = self.admin.uids().await?;
        Ok(uids.iter().filter_map(|uid| Uid::parse(uid)).collect())
    }

    async fn keys_of(&self, uid: Uid) -> Result<Vec<KeyState>, Failure> {
        if let Some(key) = self.memory.complete(&uid) {
            return Ok(vec![key]);
        }
        let Some(entry) = self.admin.user(&uid.text()).await? else { return Ok(Vec::new()) };
        let keys = match &uid {
            Uid::User(login) => self.full_keys(login, &entry),
            Uid::Key(login, mark) => {
                let owner = self.owner(login).await?;
                Vec::from_iter(self.judged(&uid, *mark, &entry, owner.as_ref()))
            }
            Uid::Bucket(..) | Uid::Provisioner(_) | Uid::Tenant(_) => Vec::new(),
        };
        for key in &keys {
            if let Some(login) = uid.login() {
                let home = Home { login: login.to_owned(), full: matches!(uid, Uid::User(_)) };
                self.memory.note_home(&key.owner.uid, home);
            }
        }
        Ok(keys)
    }

    /// The keys of an owner that are ours. Of such a key nothing is known but what its id says.
    fn full_keys(&self, login: &str, entry: &UserEntry) -> Vec<KeyState> {
        let owner = owner_of(&entry.data);
        self.memory.note_owner(login, Some(owner.clone()));
        let Some(OwnerMark { cluster, .. }) = owner.mark else { return Vec::new() };
        let key = |id: &str| match KeyId::parse(id)? {
            KeyId::Other(_) => None,
            KeyId::Full(mark) => Some(KeyState {
                access_key_id: id.to_owned(),
                user_id: entry.data.uid.clone(),
                active: true,
                owner: OwnerMark { cluster: cluster.clone(), uid: mark.uid() },
                object: None,
                secret: None,
                epoch: mark.epoch(),
                nonce: mark.nonce(),
                created_at: entry.mtime,
                complete: may(&entry.data, Permission::Full),
            }),
        };
        entry.data.keys.iter().filter_map(|found| key(&found.access_key)).collect()
    }

    /// The key that an RGW user was made for, and whether it is all there. It is remembered if it is.
    fn judged(&self, uid: &Uid, mark: Mark, entry: &UserEntry, owner: Option<&Owner>) -> Option<KeyState> {
        let record = Record::of_tags(&entry.data.placement_tags);
        let recorded = record.as_ref().and_then(Record::owner).map(|owner| owner.cluster);
        let cluster = recorded.or_else(|| owner?.mark.clone().map(|mark| mark.cluster))?;
        let (permission, secret) = match record.as_ref().map(|record| &record.of) {
            Some(Of::Key { permission, secret }) => (Some(*permission), Some(secret.clone())),
            Some(Of::User(_) | Of::Bucket { .. } | Of::Tenant { .. }) | None => (None, None),
        };
        let complete = permission.zip(owner).is_some_and(|(permission, owner)| {
            is_complete(&entry.data, &mark.id(), permission, owner.suspended)
        });
        let key = KeyState {
            access_key_id: mark.id(),
            user_id: Uid::User(uid.login()?.to_owned()).text(),
            active: true,
            owner: OwnerMark { cluster, uid: mark.uid() },
            object: record.as_ref().map(Record::object),
            secret,
            epoch: mark.epoch(),
            nonce: mark.nonce(),
            created_at: entry.mtime,
            complete,
        };
        if complete {
            self.memory.note_complete(uid.clone(), key.clone());
        }
        Some(key)
    }

    /// The state of an owner, at most a few seconds old.
    pub(super) async fn owner(&self, login: &str) -> Result<Option<Owner>, Failure> {
        let _turn = self.looks.of(login).await;
        if let Some(owner) = self.memory.owner(login) {
            return Ok(Some(owner));
        }
        let entry = self.admin.user(&Uid::User(login.to_owned()).text()).await?;
        let owner = entry.map(|entry| owner_of(&entry.data));
        self.memory.note_owner(login, owner.clone());
        Ok(owner)
    }

    /// Makes the gateway agree with a pair.
    pub(super) async fn put(&self, wish: &KeyWish, pair: &KeyPair) -> Result<(), ErrorKind> {
        if id_of(wish).is_none_or(|id| id != pair.access_key_id) {
            return Err(ErrorKind::Refused("the pair was not chosen for this key".to_owned()));
        }
        if wish.buckets.is_some() {
            return Err(ErrorKind::NotSupported("a key cannot be restricted to some buckets".to_owned()));
        }
        let (Some(Uid::User(login)), Some(mark)) =
            (Uid::parse(&wish.user_id), Mark::of(&wish.owner.uid, wish.epoch, &wish.nonce))
        else {
            return Err(ErrorKind::NotFound);
        };
        self.note_home(wish);
        let owner = self.owner(&login).await.map_err(Failure::kind)?.ok_or(ErrorKind::NotFound)?;
        if owner.mark.as_ref().is_none_or(|mark| mark.cluster != wish.owner.cluster) {
            return Err(ErrorKind::Refused("the user was not made by this cluster".to_owned()));
        }
        match wish.permission {
            Permission::Full => self.put_full(&login, pair).await,
            Permission::ReadWrite | Permission::Read | Permission::Write => {
                self.put_user_of_key(wish, pair, &login, mark, &owner).await
            }
        }
    }

    async fn put_full(&self, login: &str, pair: &KeyPair) -> Result<(), ErrorKind> {
        let uid = Uid::User(login.to_owned()).text();
        let _turn = self.turns.of(&uid).await;
        let document = policy::document(Permission::Full);
        let change = |draft: &mut Draft| {
            draft.put_key(&uid, pair);
            draft.set_policy(&document);
        };
        let entry = self.admin.edit(&uid, change).await.map_err(Failure::kind)?.ok_or(ErrorKind::NotFound)?;
        let there = entry.data.key(&pair.access_key_id);
        is_there(there == Some(Fingerprint::of(pair.secret_access_key.reveal())))
    }

    async fn put_user_of_key(
        &self,
        wish: &KeyWish,
        pair: &KeyPair,
        login: &str,
        mark: Mark,
        owner: &Owner,
    ) -> Result<(), ErrorKind> {
        let uid = Uid::Key(login.to_owned(), mark);
        let text = uid.text();
        let of = Of::Key { permission: wish.permission, secret: wish.secret.clone() };
        let record = Record::new(&wish.owner, &wish.object, of);
        let name = plain_text(&wish.object.to_string());
        let mut user = Draft::new(&text, &name, pair, -1);
        user.set_record(&record);
        user.set_policy(&policy::document(wish.permission));
        user.set_suspended(owner.suspended);
        let _turn = self.turns.of(&text).await;
        self.memory.forget_key(&uid);
        self.admin.put_user(&text, user).await.map_err(Failure::kind)?;
        let entry = self.admin.user(&text).await.map_err(Failure::after_a_write)?;
        let right = entry.is_some_and(|entry| {
            let secret = entry.data.key(&pair.access_key_id);
            let key = self.judged(&uid, mark, &entry, Some(owner));
            key.is_some_and(|key| key.complete)
                && secret == Some(Fingerprint::of(pair.secret_access_key.reveal()))
        });
        is_there(right)
    }

    /// Makes a key that is not Full work, or stop, as its owner does.
    pub(super) async fn suspend_key(&self, uid: &Uid, suspended: bool) -> Result<(), Failure> {
        let text = uid.text();
        let _turn = self.turns.of(&text).await;
        self.memory.forget_key(uid);
        let change = |draft: &mut Draft| {
            draft.set_suspended(suspended);
            if let Some(Of::Key { permission, .. }) = draft.record().map(|record| record.of) {
                draft.set_policy(&policy::document(permission));
            }
        };
        self.admin.edit(&text, change).await.map(drop)
    }

    /// Revokes a key, wherever it is, and looks whether it is gone.
    pub(super) async fn revoke(&self, id: &str) -> Result<(), Failure> {
        let Some(key) = KeyId::parse(id) else {
            return Err(ErrorKind::Refused("it is no key of storekeeper's".to_owned()).into());
        };
        let known = match &key {
            KeyId::Other(_) => self.memory.uid_of(&key),
            KeyId::Full(mark) => self.memory.home(&mark.uid()).map(|home| Uid::User(home.login)),
        };
        let places = match (known, &key) {
            (Some(uid), _) => vec![uid],
            (None, KeyId::Full(_)) => {
                self.uids().await?.into_iter().filter(|uid| matches!(uid, Uid::User(_))).collect()
            }
            (None, KeyId::Other(_)) => {
                let is_it = |uid: &Uid| matches!(uid, Uid::Key(_, mark) if mark.has_id(&key));
                self.uids().await?.into_iter().filter(is_it).collect()
            }
        };
        for uid in places {
            self.revoke_at(&uid, id).await?;
        }
        Ok(())
    }

    async fn revoke_at(&self, uid: &Uid, id: &str) -> Result<(), Failure> {
        let text = uid.text();
        let has_it = |entry: Option<UserEntry>| entry.is_some_and(|entry| entry.data.key(id).is_some());
        let _turn = self.turns.of(&text).await;
        match uid {
            Uid::User(_) => {
                if self.admin.edit(&text, |draft| draft.remove_key(id)).await?.is_none() {
                    return Ok(());
                }
            }
            Uid::Key(..) => {
                self.memory.forget_key(uid);
                self.admin.remove_user(&text).await?;
            }
            Uid::Bucket(..) | Uid::Provisioner(_) | Uid::Tenant(_) => return Ok(()),
        }
        if has_it(self.admin.user(&text).await?) {
            return Err(ErrorKind::Failed("the key is there after it was removed".to_owned()).into());
        }
        Ok(())
    }
}

/// What matters of an owner.
pub fn owner_of(user: &User) -> Owner {
    let mark = Record::of_tags(&user.placement_tags).and_then(|record| record.owner());
    Owner { mark, suspended: user.is_suspended() }
}

/// Whether the RGW user of a key is as it was made, and refused exactly if its owner is.
fn is_complete(user: &User, id: &str, permission: Permission, suspended: bool) -> bool {
    user.has_only(id) && user.is_suspended() == suspended && may(user, permission)
}

/// Whether an RGW user has the policy of that permission and no other.
pub fn may(user: &User, permission: Permission) -> bool {
    user.has_attribute(policy::ATTRIBUTE, &policy::attribute(&policy::document(permission)))
}

fn is_there(right: bool) -> Result<(), ErrorKind> {
    let lost = "the key is not as it was written, though the gateway said so";
    if right { Ok(()) } else { Err(ErrorKind::Failed(lost.to_owned())) }
}

/// A few at a time.
pub async fn gather<T>(asks: Vec<impl Future<Output = Result<Vec<T>, Failure>>>) -> Result<Vec<T>, Failure> {
    let lists: Vec<Vec<T>> = stream::iter(asks).buffer_unordered(AT_A_TIME).try_collect().await?;
    Ok(lists.into_iter().flatten().collect())
}
