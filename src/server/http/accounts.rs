//! `/v1/accounts`, and the rotation of an account's Root key.

use super::App;
use super::answer;
use super::body::Body;
use super::call::{Call, tenant_facts};
use super::change::{Deed, Done, Tx};
use super::list::Query;
use crate::server::domain::access::{self, Action, Collection, Target, TenantFacts, may};
use crate::server::domain::{Refusal, accounts as rules, keys as key_rules};
use crate::server::random;
use crate::server::store::accounts as rows;
use crate::server::store::lists::Where;
use crate::server::store::{keys, users};
use crate::wire::{
    AccessKeyCreated, AccountCreate, AccountItem, AccountPatch, ProblemType, Role, Scope, ShownSecret,
};
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use rusqlite::Connection;
use std::sync::Arc;

pub async fn list(
    State(app): State<Arc<App>>,
    call: Call,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let query = Query::parse(query.as_deref(), &["tenant", "name"])?;
    let page = app
        .look(&call, move |connection, caller, _| {
            let filter = Where::default()
                .visible(&access::visible(&caller.principal, Collection::Accounts)?)
                .and_if("a.tenant = ?", query.filter("tenant"))
                .and_if("a.name = ?", query.filter("name"));
            let items = rows::list(connection, &query.page, filter)?;
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
            let (account, tenant) = existing(connection, &id)?;
            may(&caller.principal, Action::Read, Target::Account(&tenant))?;
            Ok(account)
        })
        .await?;
    answer::item(&call.headers, &item)
}

pub async fn create(
    State(app): State<Arc<App>>,
    call: Call,
    body: Body<AccountCreate>,
) -> Result<Response, Refusal> {
    let deed = Deed::new("account.create", &body.value.tenant_id, body.hash);
    app.change(call, deed, move |tx| {
        tx.caller.needs(Scope::Write)?;
        let tenant = tenant_facts(tx.connection, &body.value.tenant_id)?;
        may(&tx.caller.principal, Action::Create, Target::Account(&tenant))?;
        let account = rules::create(free_id(tx.connection)?, random::id("us_")?, body.value, tx.now)?;
        if rows::name_taken(tx.connection, &account.name)? {
            let detail = format!("there is an account named '{}'", account.name);
            return Err(Refusal::new(ProblemType::NameTaken, detail));
        }
        rows::insert(tx.connection, &account)?;
        users::insert(tx.connection, &rules::root_user(&account), None, "system")?;
        add_root_key(tx, &account)?;
        Done::created_item(&account.id, format!("/v1/accounts/{}", account.id), &account)
    })
    .await
}

pub async fn patch(
    State(app): State<Arc<App>>,
    call: Call,
    Path(id): Path<String>,
    body: Body<AccountPatch>,
) -> Result<Response, Refusal> {
    let deed = Deed::new("account.update", &id, body.hash);
    app.change(call, deed, move |tx| {
        tx.caller.needs(Scope::Write)?;
        let (before, tenant) = existing(tx.connection, &id)?;
        may(&tx.caller.principal, Action::Edit, Target::Account(&tenant))?;
        tx.call.precondition(&before)?;
        let foreign = match body.value.tenant_id.as_deref().filter(|new| *new != before.tenant_id) {
            None => 0,
            Some(new) => {
                let place = tenant_facts(tx.connection, new)?;
                may(&tx.caller.principal, Action::Create, Target::Account(&place))?;
                if place.built_in { 0 } else { rows::users_of_other_tenants(tx.connection, &id, new)? }
            }
        };
        let global = tx.caller.principal.role == Role::Administrator;
        let after = rules::patch(before, body.value, global, foreign)?;
        rows::update(tx.connection, &after)?;
        Done::changed(&id, &after)
    })
    .await
}

pub async fn delete(
    State(app): State<Arc<App>>,
    call: Call,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let deed = Deed::bare("account.delete", &id);
    app.change(call, deed, move |tx| {
        tx.caller.needs(Scope::Write)?;
        let (account, tenant) = existing(tx.connection, &id)?;
        may(&tx.caller.principal, Action::Delete, Target::Account(&tenant))?;
        tx.call.precondition(&account)?;
        rules::delete(&account, rows::hanging(tx.connection, &id)?)?;
        rows::delete(tx.connection, &account)?;
        Ok(Done::removed(&id))
    })
    .await
}

/// Rule 1: the old pair stops, the new one is shown in this answer and nowhere else.
pub async fn rotate_root_key(
    State(app): State<Arc<App>>,
    call: Call,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let deed = Deed::bare("rootKey.rotate", &id);
    app.change(call, deed, move |tx| {
        let (account, tenant) = existing(tx.connection, &id)?;
        may(&tx.caller.principal, Action::Edit, Target::Account(&tenant))?;
        access::may_make_keys(&tx.caller.credential, tx.now)?;
        for old in keys::of_user(tx.connection, &account.root_user_id)? {
            keys::delete(tx.connection, &old)?;
        }
        let created = add_root_key(tx, &account)?;
        let key_id = created.key.access_key_id.clone();
        Done::created(&key_id, format!("/v1/accessKeys/{key_id}"), &created)
    })
    .await
}

fn add_root_key(tx: &Tx<'_>, account: &AccountItem) -> Result<AccessKeyCreated, Refusal> {
    let key = key_rules::root_key(random::access_key_id()?, account.root_user_id.clone(), tx.now);
    let secret_access_key: ShownSecret = random::secret_access_key()?;
    keys::insert(tx.connection, &key, &tx.store.cipher().seal(secret_access_key.reveal())?)?;
    Ok(AccessKeyCreated { key, secret_access_key })
}

/// An Account ID that is not taken: twelve digits are few enough to meet again.
fn free_id(connection: &Connection) -> Result<String, Refusal> {
    loop {
        let id = random::account_id()?;
        if rows::get(connection, &id)?.is_none() {
            return Ok(id);
        }
    }
}

fn existing(connection: &Connection, id: &str) -> Result<(AccountItem, TenantFacts), Refusal> {
    let account = rows::get(connection, id)?.ok_or_else(Refusal::not_found)?;
    let tenant = tenant_facts(connection, &account.tenant_id)?;
    Ok((account, tenant))
}
