//! Access keys: pairs that the caller chose, with the names and rights of all buckets of their user.

use super::Client;
use super::api::{KeyChange, KeyRights};
use super::marks::{self, KeyMark, Mark};
use super::view::{Marked, View, creates, flags, owner};
use crate::hex::hex;
use crate::provider::http::Call;
use crate::provider::{ClusterId, Error, ErrorKind, KeyPair, KeyState, KeyWish, OwnerMark, RANDOM_BYTES};
use crate::wire::ShownSecret;
use jiff::Timestamp;

/// `GK` and 24 hexadecimal digits, and a secret of 64: what Garage takes for a key.
pub fn chosen(random: &[u8; RANDOM_BYTES]) -> KeyPair {
    KeyPair {
        access_key_id: format!("GK{}", hex(&random[..12])),
        secret_access_key: ShownSecret::new(hex(&random[12..44])),
    }
}

impl Client {
    pub(super) async fn marked_keys(
        &self,
        call: Call<'_>,
        cluster: &ClusterId,
        of: Option<&OwnerMark>,
    ) -> Result<Vec<KeyState>, Error> {
        let view = View::new(self.all_keys(call).await?, Vec::new());
        let ours = |key: &KeyState| key.owner.cluster == *cluster && of.is_none_or(|of| key.owner == *of);
        Ok(view.keys.into_iter().filter_map(key_state).filter(ours).collect())
    }

    /// Brings the key, then what it may do, and only then says that it is complete.
    pub(super) async fn bring(&self, call: Call<'_>, wish: &KeyWish, pair: &KeyPair) -> Result<(), Error> {
        let id = pair.access_key_id.as_str();
        let name = Mark::Key(KeyMark::of(wish, false)).text();
        match self.import_key(call, id, &pair.secret_access_key, &name).await {
            Err(Error { kind: ErrorKind::NameTaken(_), .. }) => self.is_the_same(call, wish, id).await?,
            other => other?,
        }
        // Whoever makes a bucket or changes the user looks for keys after that: one of the two sees the other.
        let view = self.view().await?;
        let gone = |what: &str| call.error(ErrorKind::Failed(format!("{what} is not there")));
        let user = view.user(&wish.user_id).ok_or_else(|| gone("its user"))?;
        let mark = KeyMark::of(wish, true);
        let owned = view.buckets_of(user);
        if let Some(missing) = wish
            .buckets
            .iter()
            .flatten()
            .find(|name| !owned.iter().any(|bucket| bucket.name.as_ref() == Some(*name)))
        {
            return Err(gone(&format!("bucket '{missing}'")));
        }
        for bucket in owned {
            let Some(name) = bucket.name.filter(|name| mark.may_use(name)) else { continue };
            self.name_bucket(call, &bucket.id, id, &name).await?;
            self.allow(call, &bucket.id, id, flags(wish.permission)).await?;
        }
        let rights = Some(KeyRights { create_bucket: true });
        let (allow, deny) = if creates(&mark) { (rights, None) } else { (None, rights) };
        let name = Mark::Key(mark).text();
        let change = KeyChange { name: Some(name.clone()), allow, deny, ..KeyChange::default() };
        // A key that works needs no word: the user may have been suspended since it was looked at, and its keys with it.
        let change = if user.mark.enabled { change } else { change.enabled(false) };
        let seen = self.update_key(call, id, &change).await?;
        if seen.name == name { Ok(()) } else { Err(gone("what was written of the key")) }
    }

    /// A key of that id is there, or was: ours from before, or an id that Garage will never take again.
    async fn is_the_same(&self, call: Call<'_>, wish: &KeyWish, id: &str) -> Result<(), Error> {
        let spent = |why: &str| call.error(ErrorKind::NameTaken(why.to_owned()));
        match self.key(call, id).await {
            Ok(key) => match Mark::parse(&key.name) {
                Some(Mark::Key(mark)) if mark.is_of(wish) => Ok(()),
                Some(_) | None => Err(spent("a key of that id was made for something else")),
            },
            Err(Error { kind: ErrorKind::NotFound, .. }) => Err(spent("a key of that id was revoked")),
            Err(error) => Err(error),
        }
    }

    /// Revokes a key of ours. Buckets that the application made with it stay, as its user's.
    pub(super) async fn revoke(&self, call: Call<'_>, id: &str) -> Result<(), Error> {
        let mark = match self.key(call, id).await {
            Ok(key) => Mark::parse(&key.name),
            Err(Error { kind: ErrorKind::NotFound, .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        let Some(Mark::Key(mark)) = mark else {
            return Err(call.error(ErrorKind::Refused("it was not made by storekeeper".to_owned())));
        };
        if creates(&mark) {
            let view = self.view().await?;
            if let Some(user) = view.user(&mark.user) {
                for (bucket, name) in view.made_by(id, &user.id) {
                    self.keep(call, &bucket, &user.id, &name).await?;
                }
            }
        }
        self.delete_key(call, id).await
    }

    /// Gives a bucket a name at its user's marker: the one that it has, or, where another bucket has that, one with its id.
    async fn keep(&self, call: Call<'_>, bucket: &str, marker: &str, name: &str) -> Result<(), Error> {
        match self.name_bucket(call, bucket, marker, name).await {
            Err(Error { kind: ErrorKind::Refused(_), .. }) => {
                let short: String = name.chars().take(40).collect();
                let part: String = bucket.chars().take(16).collect();
                self.name_bucket(call, bucket, marker, &format!("{short}-{part}")).await
            }
            other => other,
        }
    }
}

/// A key as it is listed; `None` where its mark is no cluster's.
fn key_state(key: Marked<KeyMark>) -> Option<KeyState> {
    let Marked { id, created, expired: _, mark } = key;
    Some(KeyState {
        access_key_id: id,
        owner: owner(&mark.owner)?,
        object: marks::object(&mark.object),
        user_id: mark.user,
        active: true,
        secret: Some(mark.secret),
        epoch: mark.epoch,
        nonce: mark.nonce,
        created_at: created.unwrap_or(Timestamp::UNIX_EPOCH),
        complete: mark.complete,
    })
}
