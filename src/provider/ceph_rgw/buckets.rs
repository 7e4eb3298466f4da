//! Buckets. No call makes a bucket for somebody else, so a provisioner does: an RGW user of the owner's tenant, made for one
//! change and removed after it, with a key that nobody but this process ever knows. It makes the bucket, and only when
//! all is as wished does the owner get it. A bucket that still belongs to the provisioner is half-made: it is empty and
//! nobody's, and whoever is asked for it again begins anew.
//!
//! Whose a bucket is is written down in a record of its own, with RGW's id of the bucket: tags on the bucket would be the
//! owner's to change.

use super::Client;
use super::draft::Draft;
use super::failure::Failure;
use super::keys::gather;
use super::names::{Uid, tenant_of};
use super::policy;
use super::record::{Keep, Of, Record};
use super::s3;
use super::sign::Credentials;
use super::wire::{Bucket, BucketEntry};
use crate::hex::hex;
use crate::provider::{
    BucketState, BucketWish, ClusterId, Contents, ErrorKind, KeyPair, Quota, Retention, Usage,
};
use crate::wire::{ShownSecret, Versioning};
use http::StatusCode;
use rand::TryRng as _;
use rand::rngs::SysRng;

/// Where a bucket is.
struct Place {
    login: String,
    name: String,
}

impl Place {
    fn of(user_id: &str, name: &str) -> Result<Self, Failure> {
        match Uid::parse(user_id) {
            Some(Uid::User(login)) => Ok(Self { login, name: name.to_owned() }),
            Some(Uid::Key(..) | Uid::Bucket(..) | Uid::Provisioner(_) | Uid::Tenant(_)) | None => {
                Err(ErrorKind::NotFound.into())
            }
        }
    }

    fn owner(&self) -> String {
        Uid::User(self.login.clone()).text()
    }

    fn provisioner(&self) -> String {
        Uid::Provisioner(self.login.clone()).text()
    }

    fn record(&self) -> String {
        Uid::Bucket(self.login.clone(), self.name.clone()).text()
    }

    /// As the gateway's admin API has it.
    fn path(&self) -> String {
        format!("{}/{}", tenant_of(&self.login), self.name)
    }
}

/// A bucket with its settings.
struct There {
    bucket: Bucket,
    entry: BucketEntry,
}

impl Client {
    async fn there(&self, place: &Place) -> Result<Option<There>, Failure> {
        let path = place.path();
        let Some(bucket) = self.admin.bucket(&path).await? else { return Ok(None) };
        let entry = self.admin.bucket_entry(&path, &bucket.id).await?;
        Ok(entry.map(|entry| There { bucket, entry }))
    }

    async fn record(&self, place: &Place) -> Result<Option<Record>, Failure> {
        let entry = self.admin.user(&place.record()).await?;
        Ok(entry.and_then(|entry| Record::of_tags(&entry.data.placement_tags)))
    }

    /// A bucket. One that is half-made is none yet.
    pub(super) async fn bucket(&self, user_id: &str, name: &str) -> Result<Option<BucketState>, Failure> {
        let place = Place::of(user_id, name)?;
        let (there, record) = tokio::try_join!(self.there(&place), self.record(&place))?;
        Ok(there
            .filter(|there| there.bucket.owner != place.provisioner())
            .map(|there| state(&place, &there, record.as_ref())))
    }

    /// All buckets of a cluster.
    pub(super) async fn buckets(&self, cluster: &ClusterId) -> Result<Vec<BucketState>, Failure> {
        let uids = self.uids().await?;
        let places = uids.into_iter().filter_map(|uid| match uid {
            Uid::Bucket(login, name) => Some(Place { login, name }),
            Uid::User(_) | Uid::Key(..) | Uid::Provisioner(_) | Uid::Tenant(_) => None,
        });
        let mut found = gather(places.map(|place| self.bucket_at(place)).collect()).await?;
        found.retain(|bucket| bucket.owner.as_ref().is_some_and(|owner| owner.cluster == *cluster));
        Ok(found)
    }

    async fn bucket_at(&self, place: Place) -> Result<Vec<BucketState>, Failure> {
        Ok(Vec::from_iter(self.bucket(&place.owner(), &place.name).await?))
    }

    /// Makes a bucket; refused if the user has one of that name.
    pub(super) async fn make_bucket(&self, wish: &BucketWish) -> Result<BucketState, Failure> {
        let place = Place::of(&wish.user_id, &wish.name)?;
        let _turn = self.turns.of(&place.owner()).await;
        self.check_owner(&place, wish).await?;
        if let Some(there) = self.there(&place).await? {
            if there.bucket.owner != place.provisioner() {
                return Err(taken());
            }
            // Nobody ever had it. What is asked for on a bucket that is there would be ignored without a word.
            self.admin.remove_bucket(&place.path()).await?;
        }
        let who = self.provisioner(&place, None, 0).await?;
        let done = self.make_as(&place, wish, &who).await;
        self.dismiss(&place, done).await?;
        self.read_bucket_back(&place).await
    }

    /// The owner must be there and ours, and may have another bucket.
    async fn check_owner(&self, place: &Place, wish: &BucketWish) -> Result<(), Failure> {
        let owner = self.admin.user(&place.owner()).await?.ok_or(ErrorKind::NotFound)?.data;
        let mark = Record::of_tags(&owner.placement_tags).and_then(|record| record.owner());
        if mark.is_none_or(|mark| mark.cluster != wish.owner.cluster) {
            return Err(ErrorKind::Refused("the user was not made by this cluster".to_owned()).into());
        }
        let Some(most) = owner.most_buckets() else { return Ok(()) };
        let has = self.admin.buckets_of(&place.owner()).await?.len();
        if u64::try_from(has).is_ok_and(|has| has < most) {
            return Ok(());
        }
        Err(ErrorKind::QuotaExceeded(format!("the user may have {most} buckets, and has {has}")).into())
    }

    async fn make_as(&self, place: &Place, wish: &BucketWish, who: &Credentials) -> Result<(), Failure> {
        let transport = &self.admin.transport;
        match s3::create_bucket(transport, who, &place.name, wish.object_lock.is_some()).await {
            Err(failure) if failure.is(StatusCode::CONFLICT, "BucketAlreadyExists") => return Err(taken()),
            result => result?,
        }
        let there = self.there(place).await?;
        let right = |there: &There| {
            there.bucket.owner == place.provisioner() && there.entry.has_lock() == wish.object_lock.is_some()
        };
        let there = there.filter(right).ok_or_else(|| {
            ErrorKind::Failed("the bucket is not as it was made, though the gateway said so".to_owned())
        })?;
        self.configure(place, wish, who, &there.entry, None).await?;
        self.admin.set_bucket_quota(&place.owner(), &place.name, wish.quota).await?;
        self.write_record(place, wish, &there.bucket.id).await?;
        self.admin.link_bucket(&place.path(), &there.bucket.id, &place.owner()).await
    }

    /// Makes a bucket as wished, but for its name, owner and object lock.
    pub(super) async fn change_bucket(&self, wish: &BucketWish) -> Result<BucketState, Failure> {
        let place = Place::of(&wish.user_id, &wish.name)?;
        let _turn = self.turns.of(&place.owner()).await;
        let there = self.there(&place).await?.ok_or(ErrorKind::NotFound)?;
        let record = self.record(&place).await?;
        let now = state(&place, &there, record.as_ref());
        if now.owner.is_none() {
            return Err(foreign());
        }
        let was_on = now.versioning != Versioning::Disabled;
        if was_on && wish.versioning == Versioning::Disabled {
            let why = "versioning was enabled, and can only be suspended";
            return Err(ErrorKind::Refused(why.to_owned()).into());
        }
        if now.versioning != wish.versioning || now.default_retention != wish.object_lock {
            let may = policy::configuring();
            let who = self.provisioner(&place, Some(&may), -1).await?;
            let done = self.configure(&place, wish, &who, &there.entry, now.default_retention).await;
            self.dismiss(&place, done).await?;
        }
        self.admin.set_bucket_quota(&place.owner(), &place.name, wish.quota).await?;
        self.write_record(&place, wish, &there.bucket.id).await?;
        self.read_bucket_back(&place).await
    }

    async fn configure(
        &self,
        place: &Place,
        wish: &BucketWish,
        who: &Credentials,
        entry: &BucketEntry,
        kept: Option<Retention>,
    ) -> Result<(), Failure> {
        let transport = &self.admin.transport;
        if entry.versioning() != wish.versioning && wish.versioning != Versioning::Disabled {
            s3::set_versioning(transport, who, &place.name, wish.versioning).await?;
        }
        match wish.object_lock {
            Some(retention) if kept != Some(retention) => {
                s3::set_retention(transport, who, &place.name, retention).await
            }
            Some(_) | None => Ok(()),
        }
    }

    async fn write_record(&self, place: &Place, wish: &BucketWish, id: &str) -> Result<(), Failure> {
        let (retention, size) = (wish.object_lock.map(Keep::from), wish.quota.size);
        let of = Of::Bucket { id: id.to_owned(), retention, size };
        let record = Record::new(&wish.owner, &wish.object, of);
        let (uid, display_name) = (place.record(), format!("storekeeper bucket {}", place.name));
        match self.admin.create_user(&uid, &display_name, &record.among(&[])).await {
            Err(failure) if failure.is(StatusCode::CONFLICT, "UserAlreadyExists") => {
                self.admin.edit(&uid, |draft| draft.set_record(&record)).await.map(drop)
            }
            result => result,
        }
    }

    /// Makes the provisioner, with a key that nobody else knows. One that was left by a change that was cut off is replaced.
    async fn provisioner(
        &self,
        place: &Place,
        may: Option<&str>,
        max_buckets: i64,
    ) -> Result<Credentials, Failure> {
        let pair = random_pair()?;
        let uid = place.provisioner();
        let mut user = Draft::new(&uid, "storekeeper", &pair, max_buckets);
        if let Some(document) = may {
            user.set_policy(document);
        }
        self.admin.put_user(&uid, user).await?;
        Ok(Credentials { access_key: pair.access_key_id, secret_key: pair.secret_access_key })
    }

    /// Removes the provisioner after its work, whatever came of it. It stays with a bucket that is half-made, and then
    /// matters less than why that is.
    async fn dismiss(&self, place: &Place, done: Result<(), Failure>) -> Result<(), Failure> {
        let removed = self.admin.remove_user(&place.provisioner()).await;
        done.and(removed)
    }

    async fn read_bucket_back(&self, place: &Place) -> Result<BucketState, Failure> {
        let there = self.bucket(&place.owner(), &place.name).await.map_err(Failure::after_a_write)?;
        there.filter(|bucket| bucket.owner.is_some()).ok_or_else(|| {
            ErrorKind::Failed("the bucket is not there, though the gateway said so".to_owned()).into()
        })
    }

    /// Removes an empty bucket with its record. What is in it is never removed.
    pub(super) async fn remove_bucket(&self, user_id: &str, name: &str) -> Result<(), Failure> {
        let place = Place::of(user_id, name)?;
        let _turn = self.turns.of(&place.owner()).await;
        let path = place.path();
        if let Some(there) = self.there(&place).await? {
            let record = self.record(&place).await?;
            let half_made = there.bucket.owner == place.provisioner();
            if !half_made && state(&place, &there, record.as_ref()).owner.is_none() {
                return Err(foreign());
            }
            // The gateway itself would end them without a word.
            if there.bucket.uploads() > 0 {
                return Err(in_use(&there.bucket));
            }
            self.admin.remove_bucket(&path).await.map_err(|failure| match failure.kind() {
                ErrorKind::InUse(_) => in_use(&there.bucket),
                kind => kind.into(),
            })?;
            if self.admin.bucket(&path).await?.is_some() {
                let still = "the bucket is there after it was removed";
                return Err(ErrorKind::Failed(still.to_owned()).into());
            }
        }
        self.admin.remove_user(&place.record()).await
    }
}

fn taken() -> Failure {
    ErrorKind::NameTaken("the user has a bucket of that name".to_owned()).into()
}

fn foreign() -> Failure {
    ErrorKind::Refused("the bucket was not made by storekeeper".to_owned()).into()
}

fn in_use(bucket: &Bucket) -> Failure {
    let (objects, uploads) = (bucket.stored().num_objects, bucket.uploads());
    let why = if objects + uploads > 0 {
        format!("objects: {objects}, unfinished uploads and their parts: {uploads}")
    } else {
        "it holds delete markers".to_owned()
    };
    ErrorKind::InUse(why).into()
}

/// A pair for the provisioner. Nobody is told its secret.
fn random_pair() -> Result<KeyPair, Failure> {
    let mut bytes = zeroize::Zeroizing::new([0_u8; 40]);
    let failed = |_| ErrorKind::Unreachable("the operating system gives no randomness".to_owned());
    SysRng.try_fill_bytes(bytes.as_mut_slice()).map_err(failed)?;
    let (id, secret) = bytes.split_at(12);
    Ok(KeyPair { access_key_id: hex(id), secret_access_key: ShownSecret::new(hex(secret)) })
}

fn state(place: &Place, there: &There, record: Option<&Record>) -> BucketState {
    let There { bucket, entry } = there;
    let recorded = record.and_then(|record| match &record.of {
        Of::Bucket { id, retention, size } if *id == bucket.id && bucket.owner == place.owner() => {
            Some((record, retention.and_then(Keep::retention), *size))
        }
        Of::Bucket { .. } | Of::User(_) | Of::Key { .. } | Of::Tenant { .. } => None,
    });
    let stored = bucket.stored();
    BucketState {
        user_id: place.owner(),
        name: place.name.clone(),
        versioning: entry.versioning(),
        object_lock: entry.has_lock(),
        default_retention: recorded.and_then(|(_, retention, _)| retention),
        quota: Quota { buckets: None, ..bucket.quota.quota(recorded.and_then(|(_, _, size)| size)) },
        owner: recorded.and_then(|(record, ..)| record.owner()),
        object: recorded.map(|(record, ..)| record.object()),
        usage: Usage { buckets: 0, access_keys: 0, size: stored.size, objects: stored.num_objects },
        contents: Contents { versions: stored.num_objects, uploads: bucket.uploads(), ..Contents::default() },
        complete: true,
    }
}
