//! `/v1/users`

use super::App;
use super::body::Body;
use super::call::{Call, Caller, tenant_facts};
use super::change::{Deed, Done, Tx};
use super::collection::{self, Collection, Patched, Removed};
use super::list::Query;
use crate::server::domain::access::{self, Action, Target, TenantFacts, may};
use crate::server::domain::jobs::rules as job_rules;
use crate::server::domain::users::{self as rules, Hanging, Place};
use crate::server::domain::{Refusal, fields};
use crate::server::random;
use crate::server::store::labels::Kind;
use crate::server::store::lists::Where;
use crate::server::store::users as rows;
use crate::server::store::{accounts, jobs};
use crate::wire::{Page, ProblemType, Scope, ShownSecret, UserCreate, UserItem, UserPatch};
use axum::extract::{Path, State};
use axum::response::Response;
use jiff::Timestamp;
use rusqlite::Connection;
use std::sync::Arc;

/// Users.
pub struct Users;

impl Collection for Users {
    const FILTERS: &'static [&'static str] = &["tenant", "account", "login", "label"];
    const SCOPE: Scope = Scope::Write;
    type Id = String;
    type Item = UserItem;
    type Facts = TenantFacts;

    fn name(id: &String) -> String {
        id.clone()
    }

    fn find(connection: &Connection, id: &String, _: Timestamp) -> Result<(UserItem, TenantFacts), Refusal> {
        let user = rows::get(connection, id)?.ok_or_else(Refusal::not_found)?;
        let tenant = tenant_facts(connection, &user.tenant_id)?;
        Ok((user, tenant))
    }

    fn may(caller: &Caller, action: Action, user: &UserItem, tenant: &TenantFacts) -> Result<(), Refusal> {
        may(&caller.principal, action, Target::User(tenant, user.role))
    }

    /// Rule 6: login, Account ID, bucket count, storage used and key count of each, Root users included.
    fn page(
        connection: &Connection,
        caller: &Caller,
        query: &Query,
        _: Timestamp,
    ) -> Result<Page<UserItem>, Refusal> {
        let filter = Where::default()
            .visible(&access::visible(&caller.principal, access::Collection::Users)?)
            .and_if("u.tenant = ?", query.filter("tenant"))
            .and_if("u.account = ?", query.filter("account"))
            .and_if("u.login = ?", query.filter("login"));
        let items = rows::list(connection, &query.page, query.labels(Kind::User, filter)?)?;
        Ok(query.page(items, |item| item.id.clone()))
    }
}

impl Patched for Users {
    const UPDATE: &'static str = "user.update";
    /// With the hash of the new password.
    type Change = (UserPatch, Option<String>);

    fn patch(
        tx: &Tx<'_>,
        before: UserItem,
        tenant: TenantFacts,
        (patch, hash): (UserPatch, Option<String>),
    ) -> Result<UserItem, Refusal> {
        let tenant = match patch.tenant_id.as_deref().filter(|new| *new != before.tenant_id) {
            None => tenant,
            Some(new) => {
                let new = tenant_facts(tx.connection, new)?;
                may(&tx.caller.principal, Action::Create, Target::User(&new, before.role))?;
                new
            }
        };
        let account_tenant = account_tenant(tx.connection, &before.account_id)?;
        let jobs = jobs::of_user(tx.connection, &before.id)?;
        let place = Place { tenant, account: before.account_id.clone(), account_tenant, jobs };
        let time_zone = before.time_zone.clone();
        let after = rules::patch(&tx.caller.principal, before, patch, &place)?;
        rows::update(tx.connection, &after, hash.as_deref())?;
        if after.time_zone != time_zone {
            for job in jobs::scheduled(tx.connection, &after.id)? {
                jobs::update(tx.connection, &job_rules::moved(job, &after.time_zone, tx.now)?)?;
            }
        }
        Ok(after)
    }
}

impl Removed for Users {
    const DELETE: &'static str = "user.delete";

    fn remove(tx: &Tx<'_>, user: UserItem, _: TenantFacts) -> Result<(), Refusal> {
        let hanging = Hanging {
            buckets: user.usage.buckets,
            access_keys: user.usage.access_keys,
            jobs: jobs::of_user(tx.connection, &user.id)?,
        };
        rules::delete(&tx.caller.principal, &user, hanging)?;
        Ok(rows::delete(tx.connection, &user.id)?)
    }
}

/// `POST /v1/users`
pub async fn create(
    State(app): State<Arc<App>>,
    call: Call,
    body: Body<UserCreate>,
) -> Result<Response, Refusal> {
    let wish = body.value;
    let hash = password_hash(&app, wish.password.as_ref()).await?;
    let deed = Deed::new("user.create", &wish.tenant_id, body.hash);
    app.change(call, deed, move |tx| {
        tx.caller.needs(Scope::Write)?;
        let tenant = tenant_facts(tx.connection, &wish.tenant_id)?;
        may(&tx.caller.principal, Action::Create, Target::User(&tenant, wish.role))?;
        let place = place_for(tx, tenant, wish.account_id.as_deref())?;
        let user = rules::create(&tx.caller.principal, random::id("us_")?, &wish, &place, tx.now)?;
        if rows::login_taken(tx.connection, &user.login)? {
            let detail = format!("the login '{}' is taken", user.login);
            return Err(Refusal::new(ProblemType::NameTaken, detail));
        }
        rows::insert(tx.connection, &user, hash.as_deref(), &tx.caller.principal.user_id)?;
        Done::created_item(&user.id, format!("/v1/users/{}", user.id), &user)
    })
    .await
}

/// `PATCH /v1/users/{id}`
pub async fn patch(
    State(app): State<Arc<App>>,
    call: Call,
    Path(id): Path<String>,
    body: Body<UserPatch>,
) -> Result<Response, Refusal> {
    let hash = password_hash(&app, body.value.password.as_ref()).await?;
    let answer = collection::change::<Users>(&app, call, id, body.hash, (body.value, hash)).await?;
    // Jobs of the user may be due earlier than the runner knows.
    app.jobs.ring();
    Ok(answer)
}

/// Hashed before the transaction, which must not wait for it.
async fn password_hash(app: &App, password: Option<&ShownSecret>) -> Result<Option<String>, Refusal> {
    let Some(password) = password else { return Ok(None) };
    fields::password(password.reveal())?;
    Ok(Some(app.passwords.hash(password.clone()).await?))
}

/// The account that a new user is in: the one named, which the caller must be able to see, or the default one.
fn place_for(tx: &Tx<'_>, tenant: TenantFacts, named: Option<&str>) -> Result<Place, Refusal> {
    let account = match named {
        Some(id) => accounts::get(tx.connection, id)?,
        None => accounts::default_one(tx.connection)?,
    };
    let account = account.ok_or_else(Refusal::not_found)?;
    let account_tenant = account_tenant(tx.connection, &account.id)?;
    if !account.default {
        may(&tx.caller.principal, Action::Read, Target::Account(&account_tenant))?;
    }
    Ok(Place { tenant, account: account.id, account_tenant, jobs: 0 })
}

fn account_tenant(connection: &Connection, account: &str) -> Result<TenantFacts, Refusal> {
    let account = accounts::get(connection, account)?.ok_or_else(Refusal::not_found)?;
    tenant_facts(connection, &account.tenant_id)
}
