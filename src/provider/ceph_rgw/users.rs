//! Users: the owners of buckets. A user is refused together with all its keys; as that takes several calls, the record says
//! whether it is done, and until it is, the user is reported as it was before.

use super::Client;
use super::draft::Draft;
use super::failure::Failure;
use super::keys::{gather, may, owner_of};
use super::memory::Owner;
use super::names::{Uid, tenant_of};
use super::policy;
use super::record::{Of, Record, User as Written};
use super::wire::{Stored, User, UserEntry};
use crate::provider::{ClusterId, ErrorKind, Quota, Usage, UserState, UserWish};
use crate::wire::{Permission, Role};
use http::StatusCode;

impl Client {
    /// The user of that login.
    pub(super) async fn user(&self, login: &str) -> Result<Option<UserState>, Failure> {
        let uid = Uid::User(login.to_owned()).text();
        let Some(entry) = self.admin.user(&uid).await? else { return Ok(None) };
        let uids = self.uids().await?;
        self.state(login, &entry, keys_among(&uids, login)).await.map(Some)
    }

    /// All users of a cluster.
    pub(super) async fn users(&self, cluster: &ClusterId) -> Result<Vec<UserState>, Failure> {
        let uids = self.uids().await?;
        let logins = uids.iter().filter_map(|uid| match uid {
            Uid::User(login) => Some(login.as_str()),
            Uid::Key(..) | Uid::Bucket(..) | Uid::Provisioner(_) | Uid::Tenant(_) => None,
        });
        let asks = logins.map(|login| self.user_among(login, keys_among(&uids, login), cluster));
        gather(asks.collect()).await
    }

    async fn user_among(
        &self,
        login: &str,
        keys: u64,
        cluster: &ClusterId,
    ) -> Result<Vec<UserState>, Failure> {
        let Some(entry) = self.admin.user(&Uid::User(login.to_owned()).text()).await? else {
            return Ok(Vec::new());
        };
        let ours = Record::of_tags(&entry.data.placement_tags).and_then(|record| record.owner());
        if ours.is_none_or(|owner| owner.cluster != *cluster) {
            return Ok(Vec::new());
        }
        match self.state(login, &entry, keys).await {
            // Removed meanwhile.
            Err(failure) if failure.is_absence() => Ok(Vec::new()),
            state => Ok(vec![state?]),
        }
    }

    async fn state(&self, login: &str, entry: &UserEntry, keys: u64) -> Result<UserState, Failure> {
        let uid = &entry.data.uid;
        self.memory.note_owner(login, Some(owner_of(&entry.data)));
        let (buckets, stored) = tokio::try_join!(self.admin.buckets_of(uid), self.admin.stored(uid))?;
        let Stored { size, num_objects } = stored;
        let usage = Usage {
            buckets: count(buckets.len()),
            access_keys: keys + count(entry.data.keys.len()),
            size,
            objects: num_objects,
        };
        Ok(state(login, &entry.data, usage))
    }

    /// Makes a user; refused if there is one.
    pub(super) async fn make_user(&self, wish: &UserWish) -> Result<UserState, Failure> {
        let uid = Uid::User(wish.login.clone()).text();
        let _turn = self.turns.of(&uid).await;
        let tags = record_of(wish, false).among(&[]);
        let made = self.admin.create_user(&uid, people_see(wish), &tags).await;
        made.map_err(|failure| {
            if failure.is(StatusCode::CONFLICT, "UserAlreadyExists") {
                return ErrorKind::NameTaken("there is a user of that login".to_owned()).into();
            }
            failure
        })?;
        self.settle(&uid, wish, true).await?;
        self.read_user_back(&wish.login, &uid).await
    }

    /// Makes the owner as wished, in one step.
    async fn settle(&self, uid: &str, wish: &UserWish, settled: bool) -> Result<(), Failure> {
        let (record, document) = (record_of(wish, settled), policy::document(Permission::Full));
        let change = |draft: &mut Draft| {
            draft.set_display_name(people_see(wish));
            draft.set_suspended(!wish.enabled);
            draft.set_max_buckets(most_buckets(wish.quota));
            draft.set_quota(wish.quota);
            draft.set_policy(&document);
            draft.set_record(&record);
        };
        let done = self.admin.edit(uid, change).await.map_err(Failure::after_a_write)?;
        let owner = Owner { mark: record.owner(), suspended: !wish.enabled };
        self.memory.note_owner(&wish.login, done.is_some().then_some(owner));
        done.map(drop).ok_or_else(|| ErrorKind::Failed("the user is gone".to_owned()).into())
    }

    /// Makes a user as wished, but for its login and tenant.
    pub(super) async fn change_user(&self, id: &str, wish: &UserWish) -> Result<UserState, Failure> {
        let Some(Uid::User(login)) = Uid::parse(id) else { return Err(ErrorKind::NotFound.into()) };
        let _turn = self.turns.of(id).await;
        let before = self.admin.user(id).await?.ok_or(ErrorKind::NotFound)?.data;
        let Some(Record { of: Of::User(old), .. }) = Record::of_tags(&before.placement_tags) else {
            return Err(ErrorKind::Refused("the user was not made by storekeeper".to_owned()).into());
        };
        let settled = old.settled && old.enabled == wish.enabled && before.is_suspended() != wish.enabled;
        let wish = UserWish { tenant_id: old.tenant, login: login.clone(), ..wish.clone() };
        self.settle(id, &wish, settled).await?;
        if !settled {
            // From here on new keys are made as their owner is, so that none is missed.
            for uid in self.uids().await.map_err(Failure::after_a_write)? {
                if matches!(&uid, Uid::Key(of, _) if *of == login) {
                    self.suspend_key(&uid, !wish.enabled).await.map_err(Failure::after_a_write)?;
                }
            }
            self.settle(id, &wish, true).await?;
        }
        self.read_user_back(&login, id).await
    }

    async fn read_user_back(&self, login: &str, uid: &str) -> Result<UserState, Failure> {
        let entry = self.admin.user(uid).await.map_err(Failure::after_a_write)?;
        let gone = || ErrorKind::Failed("the user is not there, though the gateway said so".to_owned());
        let uids = self.uids().await.map_err(Failure::after_a_write)?;
        let entry = entry.ok_or_else(gone)?;
        let state = self.state(login, &entry, keys_among(&uids, login)).await;
        state.map_err(|failure| failure.after_a_write().into())
    }

    /// Removes a user without keys and buckets, with what was remembered of it.
    pub(super) async fn remove_user(&self, id: &str) -> Result<(), Failure> {
        let Some(Uid::User(login)) = Uid::parse(id) else { return Err(ErrorKind::NotFound.into()) };
        let _turn = self.turns.of(id).await;
        let Some(entry) = self.admin.user(id).await? else { return self.remove_remains(&login).await };
        if Record::of_tags(&entry.data.placement_tags).is_none() {
            return Err(ErrorKind::Refused("the user was not made by storekeeper".to_owned()).into());
        }
        let uids = self.uids().await?;
        let keys = keys_among(&uids, &login) + count(entry.data.keys.len());
        let buckets = count(self.admin.buckets_of(id).await?.len());
        if keys + buckets > 0 {
            return Err(ErrorKind::InUse(format!("buckets: {buckets}, access keys: {keys}")).into());
        }
        self.remove_remains(&login).await?;
        self.memory.note_owner(&login, None);
        self.admin.remove_user(id).await?;
        match self.admin.user(id).await? {
            None => Ok(()),
            Some(_) => Err(ErrorKind::Failed("the user is there after it was removed".to_owned()).into()),
        }
    }

    /// What was left of bucket-making that was cut off, and of buckets that their owner removed.
    async fn remove_remains(&self, login: &str) -> Result<(), Failure> {
        for uid in self.uids().await? {
            let text = uid.text();
            match &uid {
                Uid::Provisioner(of) if of == login => {
                    // Half-made, so nobody ever had it.
                    for name in self.admin.buckets_of(&text).await? {
                        self.admin.remove_bucket(&format!("{}/{name}", tenant_of(login))).await?;
                    }
                    self.admin.remove_user(&text).await?;
                }
                Uid::Bucket(of, _) if of == login => self.admin.remove_user(&text).await?,
                Uid::User(_) | Uid::Key(..) | Uid::Bucket(..) | Uid::Provisioner(_) | Uid::Tenant(_) => {}
            }
        }
        Ok(())
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// How many keys of that login have RGW users of their own.
fn keys_among(uids: &[Uid], login: &str) -> u64 {
    count(uids.iter().filter(|uid| matches!(uid, Uid::Key(of, _) if of == login)).count())
}

fn record_of(wish: &UserWish, settled: bool) -> Record {
    let UserWish {
        login: _,
        tenant_id,
        display_name,
        email,
        time_zone,
        role,
        enabled,
        description,
        quota,
        owner,
        object,
    } = wish;
    let written = Written {
        tenant: tenant_id.clone(),
        display_name: display_name.clone(),
        email: email.clone(),
        time_zone: time_zone.clone(),
        role: *role,
        description: description.clone(),
        size: quota.size,
        enabled: *enabled,
        settled,
    };
    Record::new(owner, object, Of::User(written))
}

/// An owner without a display name would be refused.
fn people_see(wish: &UserWish) -> &str {
    if wish.display_name.is_empty() { &wish.login } else { &wish.display_name }
}

/// As RGW has it: 0 is any number, below is none.
fn most_buckets(quota: Quota) -> i64 {
    match quota.buckets {
        None => 0,
        Some(0) => -1,
        Some(most) => most.min(i32::MAX.unsigned_abs().into()).try_into().unwrap_or(i64::MAX),
    }
}

/// A user as it is. What is under way, or was changed by somebody, is reported as not being what was asked for last.
fn state(login: &str, user: &User, usage: Usage) -> UserState {
    let record = Record::of_tags(&user.placement_tags);
    let owner = record.as_ref().and_then(Record::owner);
    let object = record.as_ref().map(Record::object);
    let written = match record.map(|record| record.of) {
        Some(Of::User(written)) => Some(written),
        Some(Of::Key { .. } | Of::Bucket { .. } | Of::Tenant { .. }) | None => None,
    };
    let size = written.as_ref().and_then(|written| written.size);
    let quota = Quota { buckets: user.most_buckets(), ..user.quota.quota(size) };
    let mut state = UserState {
        id: user.uid.clone(),
        login: login.to_owned(),
        tenant_id: String::new(),
        display_name: String::new(),
        email: String::new(),
        time_zone: String::new(),
        role: Role::default(),
        enabled: !user.is_suspended(),
        description: String::new(),
        quota,
        owner: owner.filter(|_| written.is_some()),
        object,
        usage,
    };
    if let Some(Written {
        tenant,
        display_name,
        email,
        time_zone,
        role,
        description,
        size: _,
        enabled,
        settled,
    }) = written
    {
        if !settled || !may(user, Permission::Full) {
            state.enabled = !enabled;
        }
        state.tenant_id = tenant;
        state.display_name = display_name;
        state.email = email;
        state.time_zone = time_zone;
        state.role = role;
        state.description = description;
    }
    state
}
