//! `/v1/users`

use super::App;
use super::answer;
use super::body::Body;
use super::call::{Call, tenant_facts};
use super::change::{Deed, Done, Tx};
use super::list::Query;
use crate::server::domain::access::{self, Action, Collection, Target, TenantFacts, may};
use crate::server::domain::users::{self as rules, Hanging, Place};
use crate::server::domain::{Refusal, fields};
use crate::server::random;
use crate::server::store::accounts;
use crate::server::store::labels::Kind;
use crate::server::store::lists::Where;
use crate::server::store::users as rows;
use crate::wire::{ProblemType, Scope, ShownSecret, UserCreate, UserItem, UserPatch};
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use rusqlite::Connection;
use std::sync::Arc;

/// Rule 6: login, Account ID, bucket count, storage used and key count of each, Root users included.
pub async fn list(
    State(app): State<Arc<App>>,
    call: Call,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let query = Query::parse(query.as_deref(), &["tenant", "account", "login", "label"])?;
    let page = app
        .look(&call, move |connection, caller, _| {
            let filter = Where::default()
                .visible(&access::visible(&caller.principal, Collection::Users)?)
                .and_if("u.tenant = ?", query.filter("tenant"))
                .and_if("u.account = ?", query.filter("account"))
                .and_if("u.login = ?", query.filter("login"));
            let items = rows::list(connection, &query.page, query.labels(Kind::User, filter)?)?;
            Ok(query.page(items, |item| item.id.clone()))
        })
        .await?;
    answer::page(&call.headers, &page)
}

pub async fn get(
    State(app): State<Arc<App>>,
    call: Call,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let item = app
        .look(&call, move |connection, caller, _| {
            let (user, tenant) = existing(connection, &id)?;
            may(&caller.principal, Action::Read, Target::User(&tenant, user.role))?;
            Ok(user)
        })
        .await?;
    answer::item(&call.headers, &item)
}

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

pub async fn patch(
    State(app): State<Arc<App>>,
    call: Call,
    Path(id): Path<String>,
    body: Body<UserPatch>,
) -> Result<Response, Refusal> {
    let patch = body.value;
    let hash = password_hash(&app, patch.password.as_ref()).await?;
    let deed = Deed::new("user.update", &id, body.hash);
    app.change(call, deed, move |tx| {
        tx.caller.needs(Scope::Write)?;
        let (before, tenant) = existing(tx.connection, &id)?;
        may(&tx.caller.principal, Action::Edit, Target::User(&tenant, before.role))?;
        tx.call.precondition(&before)?;
        let tenant = match patch.tenant_id.as_deref().filter(|new| *new != before.tenant_id) {
            None => tenant,
            Some(new) => {
                let new = tenant_facts(tx.connection, new)?;
                may(&tx.caller.principal, Action::Create, Target::User(&new, before.role))?;
                new
            }
        };
        let account_tenant = account_tenant(tx.connection, &before.account_id)?;
        let place = Place { tenant, account: before.account_id.clone(), account_tenant };
        let after = rules::patch(&tx.caller.principal, before, patch, &place)?;
        rows::update(tx.connection, &after, hash.as_deref())?;
        Done::changed(&id, &after)
    })
    .await
}

pub async fn delete(
    State(app): State<Arc<App>>,
    call: Call,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let deed = Deed::bare("user.delete", &id);
    app.change(call, deed, move |tx| {
        tx.caller.needs(Scope::Write)?;
        let (user, tenant) = existing(tx.connection, &id)?;
        may(&tx.caller.principal, Action::Delete, Target::User(&tenant, user.role))?;
        tx.call.precondition(&user)?;
        let hanging = Hanging { buckets: user.usage.buckets, access_keys: user.usage.access_keys };
        rules::delete(&tx.caller.principal, &user, hanging)?;
        rows::delete(tx.connection, &id)?;
        Ok(Done::removed(&id))
    })
    .await
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
    Ok(Place { tenant, account: account.id, account_tenant })
}

fn account_tenant(connection: &Connection, account: &str) -> Result<TenantFacts, Refusal> {
    let account = accounts::get(connection, account)?.ok_or_else(Refusal::not_found)?;
    tenant_facts(connection, &account.tenant_id)
}

fn existing(connection: &Connection, id: &str) -> Result<(UserItem, TenantFacts), Refusal> {
    let user = rows::get(connection, id)?.ok_or_else(Refusal::not_found)?;
    let tenant = tenant_facts(connection, &user.tenant_id)?;
    Ok((user, tenant))
}
