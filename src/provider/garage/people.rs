//! Tenants and users: markers, and whether the keys of a user work.

use super::Client;
use super::api::KeyChange;
use super::calls::ACCOUNT;
use super::marks::{self, Mark, TenantMark, UserMark};
use super::view::{Marked, View, owner};
use crate::provider::http::Call;
use crate::provider::{Error, ErrorKind, Quota, TenantState, TenantWish, Usage, UserState, UserWish};
use std::sync::Arc;

/// The tenant that every account has. Nothing stands for it here.
pub const BUILT_IN: &str = "administrator";

impl Client {
    /// All that is ours, by lists that begin after this call.
    pub(super) async fn view(&self) -> Result<Arc<View>, Error> {
        let call = Call { op: "list keys and buckets of", object: ACCOUNT };
        let lists = async |_: Vec<()>| {
            // A bucket or a key that comes between the two lists is seen by whoever makes it.
            let keys = self.all_keys(call).await?;
            let buckets = self.all_buckets(call).await?;
            Ok(View::new(keys, buckets))
        };
        self.views.ask((), lists).await
    }

    /// Makes a marker: it has expired since long ago, and may do nothing.
    async fn new_marker(&self, call: Call<'_>, mark: Mark) -> Result<(), Error> {
        let key = KeyChange { name: Some(mark.text()), ..KeyChange::default() }.enabled(false);
        self.create_key(call, &key).await
    }

    async fn rename(&self, call: Call<'_>, id: &str, mark: Mark) -> Result<(), Error> {
        let change = KeyChange { name: Some(mark.text()), ..KeyChange::default() }.enabled(false);
        self.update_key(call, id, &change).await.map(drop)
    }

    pub(super) async fn tenant(&self, call: Call<'_>, name: &str) -> Result<Option<TenantState>, Error> {
        let view = View::new(self.all_keys(call).await?, Vec::new());
        Ok(match view.tenant(name) {
            _ if name == BUILT_IN => Some(built_in()),
            tenant => tenant.map(|tenant| tenant_state(&tenant.mark)),
        })
    }

    pub(super) async fn put_tenant(
        &self,
        call: Call<'_>,
        wish: &TenantWish,
        new: bool,
    ) -> Result<TenantState, Error> {
        only_buckets_have_quotas(call, wish.quota, "tenant")?;
        let view = View::new(self.all_keys(call).await?, Vec::new());
        let mark = TenantMark::of(wish);
        match view.tenant(&wish.name) {
            Some(_) if new => return Err(call.error(taken("tenant"))),
            Some(tenant) => self.rename(call, &tenant.id, Mark::Tenant(mark.clone())).await?,
            None if new => self.new_marker(call, Mark::Tenant(mark.clone())).await?,
            None => return Err(call.error(ErrorKind::NotFound)),
        }
        Ok(tenant_state(&mark))
    }

    pub(super) async fn remove_tenant(&self, call: Call<'_>, name: &str) -> Result<(), Error> {
        let view = View::new(self.all_keys(call).await?, Vec::new());
        let users = view.users.iter().filter(|user| user.mark.tenant == name).count();
        if users > 0 {
            return Err(call.error(ErrorKind::InUse(format!("{users} users"))));
        }
        for tenant in view.tenants.iter().filter(|tenant| tenant.mark.name == name) {
            self.delete_key(call, &tenant.id).await?;
        }
        Ok(())
    }

    pub(super) async fn user_state(
        &self,
        call: Call<'_>,
        view: &View,
        user: &Marked<UserMark>,
    ) -> Result<UserState, Error> {
        let mut usage = Usage::default();
        for bucket in view.buckets_of(user) {
            match self.bucket(call, &bucket.id).await {
                Ok(info) => {
                    usage.buckets += 1;
                    usage.size += info.bytes();
                    usage.objects += info.objects();
                }
                // Removed since it was listed.
                Err(Error { kind: ErrorKind::NotFound, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        usage.access_keys = view.keys_of(&user.mark.login).count() as u64;
        Ok(user_state(view, &user.mark, usage))
    }

    pub(super) async fn put_user(
        &self,
        call: Call<'_>,
        wish: &UserWish,
        new: bool,
    ) -> Result<UserState, Error> {
        only_buckets_have_quotas(call, wish.quota, "user")?;
        let view = self.view().await?;
        let mark = UserMark::of(wish);
        match view.user(&wish.login) {
            Some(_) if new => return Err(call.error(taken("user"))),
            Some(user) => self.rename(call, &user.id, Mark::User(mark)).await?,
            None if new => self.new_marker(call, Mark::User(mark)).await?,
            None => return Err(call.error(ErrorKind::NotFound)),
        }
        // Whoever puts a key reads the marker after its key is there: one of the two sees the other.
        let view = self.view().await?;
        for key in view.keys_of(&wish.login).filter(|key| key.expired == wish.enabled) {
            self.update_key(call, &key.id, &KeyChange::default().enabled(wish.enabled)).await?;
        }
        let view = self.view().await?;
        let user = view
            .user(&wish.login)
            .ok_or_else(|| call.error(ErrorKind::Failed("the user it made is gone".to_owned())))?;
        self.user_state(call, &view, user).await
    }

    pub(super) async fn remove_user(&self, call: Call<'_>, login: &str) -> Result<(), Error> {
        let view = self.view().await?;
        let (keys, buckets) =
            (view.keys_of(login).count(), view.user(login).map_or(0, |user| view.buckets_of(user).len()));
        if keys > 0 || buckets > 0 {
            return Err(call.error(ErrorKind::InUse(format!("{buckets} buckets and {keys} access keys"))));
        }
        for user in view.users.iter().filter(|user| user.mark.login == login) {
            self.delete_key(call, &user.id).await?;
        }
        Ok(())
    }
}

fn taken(what: &str) -> ErrorKind {
    ErrorKind::NameTaken(format!("there is such a {what}"))
}

/// Garage limits buckets and nothing else.
fn only_buckets_have_quotas(call: Call<'_>, quota: Quota, what: &str) -> Result<(), Error> {
    if quota == Quota::default() {
        return Ok(());
    }
    let why = format!(
        "Garage limits buckets, and no {what} as a whole; leave out the quota, or give it to Buckets"
    );
    Err(call.error(ErrorKind::NotSupported(why)))
}

fn built_in() -> TenantState {
    TenantState {
        id: BUILT_IN.to_owned(),
        name: BUILT_IN.to_owned(),
        visibility: crate::wire::Visibility::default(),
        description: String::new(),
        quota: Quota::default(),
        owner: None,
        object: None,
        built_in: true,
    }
}

fn tenant_state(mark: &TenantMark) -> TenantState {
    let TenantMark { name, owner: of, object, visibility, description } = mark.clone();
    TenantState {
        id: name.clone(),
        name,
        visibility,
        description,
        quota: Quota::default(),
        owner: owner(&of),
        object: marks::object(&object),
        built_in: false,
    }
}

/// A user of which some keys work and others do not is told as the other of what it should be, so that it is mended.
fn user_state(view: &View, mark: &UserMark, usage: Usage) -> UserState {
    let agrees =
        view.keys_of(&mark.login).filter(|key| key.mark.complete).all(|key| key.expired != mark.enabled);
    let enabled = if agrees { mark.enabled } else { !mark.enabled };
    let UserMark {
        login,
        tenant,
        owner: of,
        object,
        enabled: _,
        role,
        display_name,
        email,
        time_zone,
        description,
    } = mark.clone();
    UserState {
        id: login.clone(),
        login,
        tenant_id: tenant,
        display_name,
        email,
        time_zone,
        role,
        enabled,
        description,
        quota: Quota::default(),
        owner: owner(&of),
        object: marks::object(&object),
        usage,
    }
}
