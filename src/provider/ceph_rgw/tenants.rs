//! Tenants. RGW knows nothing that groups users of several owners, so a tenant is a record: an RGW user that has no key,
//! may have no bucket and is refused. Users name the tenant that they belong to in their own records.

use super::Client;
use super::failure::Failure;
use super::keys::gather;
use super::names::Uid;
use super::record::{Of, Record};
use super::wire::User;
use crate::provider::{ErrorKind, Quota, TenantState, TenantWish};
use crate::wire::Visibility;
use http::StatusCode;

/// The tenant of administrators: it is always there, and nothing is written down of it.
const BUILT_IN: &str = "administrator";

impl Client {
    /// The tenant of that name.
    pub(super) async fn tenant(&self, name: &str) -> Result<Option<TenantState>, Failure> {
        if name == BUILT_IN {
            return Ok(Some(built_in()));
        }
        let entry = self.admin.user(&Uid::Tenant(name.to_owned()).text()).await?;
        Ok(entry.map(|entry| state(name, &entry.data)))
    }

    /// Makes a tenant; refused if there is one.
    pub(super) async fn make_tenant(&self, wish: &TenantWish) -> Result<TenantState, Failure> {
        let taken = || ErrorKind::NameTaken("there is a tenant of that name".to_owned());
        if wish.name == BUILT_IN {
            return Err(taken().into());
        }
        let uid = Uid::Tenant(wish.name.clone()).text();
        let _turn = self.turns.of(&uid).await;
        let name = format!("storekeeper tenant {}", wish.name);
        match self.admin.create_user(&uid, &name, &record_of(wish).among(&[])).await {
            Err(failure) if failure.is(StatusCode::CONFLICT, "UserAlreadyExists") => Err(taken().into()),
            Err(failure) => Err(failure),
            Ok(()) => self.read_tenant_back(&wish.name).await,
        }
    }

    /// Makes a tenant as wished, but for its name.
    pub(super) async fn change_tenant(&self, id: &str, wish: &TenantWish) -> Result<TenantState, Failure> {
        let uid = Uid::Tenant(id.to_owned()).text();
        let _turn = self.turns.of(&uid).await;
        let record = record_of(wish);
        self.admin.edit(&uid, |draft| draft.set_record(&record)).await?.ok_or(ErrorKind::NotFound)?;
        self.read_tenant_back(id).await
    }

    async fn read_tenant_back(&self, name: &str) -> Result<TenantState, Failure> {
        let there = self.tenant(name).await.map_err(Failure::after_a_write)?;
        there.ok_or_else(|| {
            ErrorKind::Failed("the tenant is not there, though the gateway said so".to_owned()).into()
        })
    }

    /// Removes a tenant that no user belongs to.
    pub(super) async fn remove_tenant(&self, id: &str) -> Result<(), Failure> {
        if id == BUILT_IN {
            return Err(ErrorKind::Refused("the tenant is built in".to_owned()).into());
        }
        let uid = Uid::Tenant(id.to_owned()).text();
        let _turn = self.turns.of(&uid).await;
        let owners = self.uids().await?.into_iter().filter(|uid| matches!(uid, Uid::User(_)));
        let users = gather(owners.map(|owner| self.belongs(owner, id)).collect()).await?.len();
        if users > 0 {
            return Err(ErrorKind::InUse(format!("users: {users}")).into());
        }
        self.admin.remove_user(&uid).await?;
        match self.admin.user(&uid).await? {
            None => Ok(()),
            Some(_) => Err(ErrorKind::Failed("the tenant is there after it was removed".to_owned()).into()),
        }
    }

    async fn belongs(&self, owner: Uid, tenant: &str) -> Result<Vec<()>, Failure> {
        let entry = self.admin.user(&owner.text()).await?;
        let record = entry.and_then(|entry| Record::of_tags(&entry.data.placement_tags));
        let belongs =
            record.is_some_and(|record| matches!(record.of, Of::User(written) if written.tenant == tenant));
        Ok(if belongs { vec![()] } else { Vec::new() })
    }
}

fn built_in() -> TenantState {
    TenantState {
        id: BUILT_IN.to_owned(),
        name: BUILT_IN.to_owned(),
        visibility: Visibility::default(),
        description: String::new(),
        quota: Quota::default(),
        owner: None,
        object: None,
        built_in: true,
    }
}

fn record_of(wish: &TenantWish) -> Record {
    let TenantWish { name: _, visibility, description, quota, owner, object } = wish;
    let Quota { buckets, size, objects } = *quota;
    let quota = [buckets, size, objects];
    Record::new(
        owner,
        object,
        Of::Tenant { visibility: *visibility, description: description.clone(), quota },
    )
}

fn state(name: &str, user: &User) -> TenantState {
    let record = Record::of_tags(&user.placement_tags);
    let owner = record.as_ref().and_then(Record::owner);
    let object = record.as_ref().map(Record::object);
    let (visibility, description, quota) = match record.map(|record| record.of) {
        Some(Of::Tenant { visibility, description, quota }) => (visibility, description, quota),
        Some(Of::User(_) | Of::Key { .. } | Of::Bucket { .. }) | None => {
            (Visibility::default(), String::new(), [None; 3])
        }
    };
    let [buckets, size, objects] = quota;
    TenantState {
        id: name.to_owned(),
        name: name.to_owned(),
        visibility,
        description,
        quota: Quota { buckets, size, objects },
        owner,
        object,
        built_in: false,
    }
}
