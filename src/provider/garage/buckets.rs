//! Buckets: made by an alias that says whose they are, then named, limited and given to the keys of their user. Every step
//! can be repeated, and a bucket that was made by half is found by the first alias.

use super::Client;
use super::api::{BucketInfo, BucketKey, LocalAlias, Quotas};
use super::marks::{self, KeyMark, UserMark};
use super::view::{Marked, Owned, View, flags};
use crate::provider::http::Call;
use crate::provider::{BucketState, BucketWish, Contents, Error, ErrorKind, OwnerMark, Quota, Usage};
use crate::wire::Versioning;

/// How often one Bucket can be made anew after somebody removed what it stands for.
const MOST_TIMES: u32 = 100;

impl Client {
    pub(super) async fn user_bucket(
        &self,
        call: Call<'_>,
        login: &str,
        name: &str,
    ) -> Result<Option<BucketState>, Error> {
        let view = self.view().await?;
        let Some(user) = view.user(login) else { return Ok(None) };
        let found = view.buckets_of(user).into_iter().find(|bucket| bucket.name.as_deref() == Some(name));
        match found {
            Some(bucket) => self.bucket_state(call, &view, user, &bucket).await,
            None => Ok(foreign(&view, user, name)),
        }
    }

    pub(super) async fn bucket_state(
        &self,
        call: Call<'_>,
        view: &View,
        user: &Marked<UserMark>,
        bucket: &Owned,
    ) -> Result<Option<BucketState>, Error> {
        match self.bucket(call, &bucket.id).await {
            Ok(info) => Ok(bucket.name.as_deref().map(|name| state(view, user, name, bucket, &info))),
            // Removed since it was listed.
            Err(Error { kind: ErrorKind::NotFound, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn make_bucket(&self, call: Call<'_>, wish: &BucketWish) -> Result<BucketState, Error> {
        if marks::is_reserved(&wish.name) {
            let why = "names that begin with 'storekeeper-' are reserved at Garage".to_owned();
            return Err(call.error(ErrorKind::Refused(why)));
        }
        let view = self.view().await?;
        let user = view.user(&wish.user_id).ok_or_else(|| no_user(call))?;
        let owned = view.buckets_of(user);
        let named = owned.iter().find(|bucket| bucket.name.as_ref() == Some(&wish.name));
        let ours = owned.iter().find(|bucket| bucket.uid.as_ref() == Some(&wish.owner.uid));
        let taken = named.is_some_and(|bucket| bucket.uid.as_ref() != Some(&wish.owner.uid));
        if taken || (named.is_none() && foreign(&view, user, &wish.name).is_some()) {
            return Err(call.error(ErrorKind::NameTaken("the user has a bucket of that name".to_owned())));
        }
        let id = match ours {
            Some(bucket) => bucket.id.clone(),
            None => self.new_of(call, user, &wish.owner).await?,
        };
        self.settle(call, &id, wish).await
    }

    /// Makes a bucket by the first alias of the owner's that was never used.
    async fn new_of(
        &self,
        call: Call<'_>,
        user: &Marked<UserMark>,
        owner: &OwnerMark,
    ) -> Result<String, Error> {
        for number in 0..MOST_TIMES {
            let alias =
                LocalAlias { access_key_id: user.id.clone(), alias: marks::owner_alias(owner, number) };
            match self.new_bucket(call, &alias).await {
                Ok(info) => return Ok(info.id),
                Err(Error { kind: ErrorKind::Refused(why), .. }) if why.contains("already exists") => {}
                Err(error) => return Err(error),
            }
            // Used before, or just now by somebody else who makes the same.
            let view = self.view().await?;
            let made =
                view.buckets_of(user).into_iter().find(|bucket| bucket.uid.as_ref() == Some(&owner.uid));
            if let Some(made) = made {
                return Ok(made.id);
            }
        }
        Err(call.error(ErrorKind::Refused("it was removed and made anew too often".to_owned())))
    }

    pub(super) async fn mend_bucket(&self, call: Call<'_>, wish: &BucketWish) -> Result<BucketState, Error> {
        let view = self.view().await?;
        let user = view.user(&wish.user_id).ok_or_else(|| no_user(call))?;
        let named = |bucket: &Owned| bucket.name.as_ref() == Some(&wish.name);
        let bucket =
            view.buckets_of(user).into_iter().find(named).ok_or_else(|| call.error(ErrorKind::NotFound))?;
        self.settle(call, &bucket.id, wish).await
    }

    /// Makes a bucket as wished, whatever is done already.
    async fn settle(&self, call: Call<'_>, id: &str, wish: &BucketWish) -> Result<BucketState, Error> {
        let view = self.view().await?;
        let user = view.user(&wish.user_id).ok_or_else(|| no_user(call))?;
        self.name_bucket(call, id, &user.id, &wish.name).await?;
        // Keys that come later find the bucket by that name.
        let view = self.view().await?;
        let info = self.bucket(call, id).await?;
        let quotas = Quotas { max_size: wish.quota.size, max_objects: wish.quota.objects };
        if info.quotas != quotas {
            self.limit_bucket(call, id, quotas).await?;
        }
        for key in view.keys_of(&wish.user_id) {
            self.give(call, &info, key, &wish.name).await?;
        }
        let owned =
            Owned { id: id.to_owned(), name: Some(wish.name.clone()), uid: Some(wish.owner.uid.clone()) };
        let user = view.user(&wish.user_id).ok_or_else(|| no_user(call))?;
        let made = self.bucket_state(call, &view, user, &owned).await?;
        made.ok_or_else(|| call.error(ErrorKind::Failed("the bucket it made is gone".to_owned())))
    }

    /// Gives a key its name for the bucket and its rights, and takes the others.
    async fn give(
        &self,
        call: Call<'_>,
        info: &BucketInfo,
        key: &Marked<KeyMark>,
        name: &str,
    ) -> Result<(), Error> {
        let has = info.keys.iter().find(|has| has.access_key_id == key.id);
        let before = has.map(|has| has.permissions).unwrap_or_default();
        let wanted = wanted(key, name);
        if wanted.any() && !has.is_some_and(|has| has.bucket_local_aliases.iter().any(|alias| alias == name))
        {
            self.name_bucket(call, &info.id, &key.id, name).await?;
        }
        self.allow(call, &info.id, &key.id, wanted.without(before)).await?;
        self.deny(call, &info.id, &key.id, before.without(wanted)).await
    }

    pub(super) async fn drop_bucket(&self, call: Call<'_>, login: &str, name: &str) -> Result<(), Error> {
        let view = self.view().await?;
        let Some(user) = view.user(login) else { return Ok(()) };
        let named = |bucket: &Owned| bucket.name.as_deref() == Some(name);
        match view.buckets_of(user).into_iter().find(named) {
            Some(bucket) => self.remove_bucket(call, &bucket.id).await,
            None => Ok(()),
        }
    }
}

fn wanted(key: &Marked<KeyMark>, name: &str) -> super::api::Flags {
    if key.mark.may_use(name) { flags(key.mark.permission) } else { super::api::Flags::default() }
}

fn no_user(call: Call<'_>) -> Error {
    call.error(ErrorKind::Failed("its user is not there".to_owned()))
}

/// A bucket that an application of the user made under that name: it is nobody's of ours.
fn foreign(view: &View, user: &Marked<UserMark>, name: &str) -> Option<BucketState> {
    let made = view.keys_of(&user.mark.login).flat_map(|key| view.made_by(&key.id, &user.id));
    let mut made = made.filter(|(_, alias)| alias == name);
    made.next().map(|_| blank(user, name))
}

fn blank(user: &Marked<UserMark>, name: &str) -> BucketState {
    BucketState {
        user_id: user.mark.login.clone(),
        name: name.to_owned(),
        versioning: Versioning::Disabled,
        object_lock: false,
        default_retention: None,
        quota: Quota::default(),
        owner: None,
        object: None,
        usage: Usage::default(),
        contents: Contents::default(),
        complete: true,
    }
}

fn state(view: &View, user: &Marked<UserMark>, name: &str, bucket: &Owned, info: &BucketInfo) -> BucketState {
    let cluster = OwnerMark::parse(&user.mark.owner).map(|mark| mark.cluster);
    let owner = cluster.zip(bucket.uid.clone()).map(|(cluster, uid)| OwnerMark { cluster, uid });
    let quotas = info.quotas;
    BucketState {
        quota: Quota { buckets: None, size: quotas.max_size, objects: quotas.max_objects },
        owner,
        usage: Usage { buckets: 0, access_keys: 0, size: info.bytes(), objects: info.objects() },
        contents: Contents { versions: info.objects(), uploads: info.uploads(), ..Contents::default() },
        complete: view.keys_of(&user.mark.login).all(|key| has_its_rights(key, name, &info.keys)),
        ..blank(user, name)
    }
}

/// A key that is not complete is brought to its end by whoever brings it.
fn has_its_rights(key: &Marked<KeyMark>, name: &str, keys: &[BucketKey]) -> bool {
    let has = keys.iter().find(|has| has.access_key_id == key.id);
    let wanted = wanted(key, name);
    let named = has.is_some_and(|has| has.bucket_local_aliases.iter().any(|alias| alias == name));
    let rights = has.map(|has| has.permissions).unwrap_or_default();
    !key.mark.complete || (rights == wanted && (named || !wanted.any()))
}
