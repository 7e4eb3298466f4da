//! `/v1/accounts`, and the rotation of an account's Root key.

use super::App;
use super::body::Body;
use super::call::{Call, Caller, tenant_facts};
use super::change::{Deed, Done, Tx};
use super::collection::{Collection, Patched, Removed};
use super::list::Query;
use crate::server::domain::access::{self, Action, Target, TenantFacts, may};
use crate::server::domain::{Refusal, accounts as rules, keys as key_rules};
use crate::server::random;
use crate::server::store::accounts as rows;
use crate::server::store::lists::Where;
use crate::server::store::{jobs, keys, users};
use crate::wire::{
    AccessKeyCreated, AccountCreate, AccountItem, AccountPatch, Page, ProblemType, Role, Scope, ShownSecret,
};
use axum::extract::{Path, State};
use axum::response::Response;
use jiff::Timestamp;
use rusqlite::Connection;
use std::sync::Arc;

/// Accounts.
pub struct Accounts;

impl Collection for Accounts {
    const FILTERS: &'static [&'static str] = &["tenant", "name"];
    const SCOPE: Scope = Scope::Write;
    type Id = String;
    type Item = AccountItem;
    type Facts = TenantFacts;

    fn name(id: &String) -> String {
        id.clone()
    }

    fn find(
        connection: &Connection,
        id: &String,
        _: Timestamp,
    ) -> Result<(AccountItem, TenantFacts), Refusal> {
        let account = rows::get(connection, id)?.ok_or_else(Refusal::not_found)?;
        let tenant = tenant_facts(connection, &account.tenant_id)?;
        Ok((account, tenant))
    }

    fn may(caller: &Caller, action: Action, _: &AccountItem, tenant: &TenantFacts) -> Result<(), Refusal> {
        may(&caller.principal, action, Target::Account(tenant))
    }

    fn page(
        connection: &Connection,
        caller: &Caller,
        query: &Query,
        _: Timestamp,
    ) -> Result<Page<AccountItem>, Refusal> {
        let filter = Where::default()
            .visible(&access::visible(&caller.principal, access::Collection::Accounts)?)
            .and_if("a.tenant = ?", query.filter("tenant"))
            .and_if("a.name = ?", query.filter("name"));
        let items = rows::list(connection, &query.page, filter)?;
        Ok(query.page(items, |item| item.id.clone()))
    }
}

impl Patched for Accounts {
    const UPDATE: &'static str = "account.update";
    type Change = AccountPatch;

    fn patch(
        tx: &Tx<'_>,
        before: AccountItem,
        _: TenantFacts,
        patch: AccountPatch,
    ) -> Result<AccountItem, Refusal> {
        let pinned = match patch.tenant_id.as_deref().filter(|new| *new != before.tenant_id) {
            None => rules::Pinned::default(),
            Some(new) => {
                let place = tenant_facts(tx.connection, new)?;
                may(&tx.caller.principal, Action::Create, Target::Account(&place))?;
                let foreign = || rows::users_of_other_tenants(tx.connection, &before.id, new);
                let foreign_users = if place.built_in { 0 } else { foreign()? };
                rules::Pinned { foreign_users, jobs: jobs::of_account(tx.connection, &before.id)? }
            }
        };
        let global = tx.caller.principal.role == Role::Administrator;
        let after = rules::patch(before, patch, global, pinned)?;
        rows::update(tx.connection, &after)?;
        Ok(after)
    }
}

impl Removed for Accounts {
    const DELETE: &'static str = "account.delete";

    fn remove(tx: &Tx<'_>, account: AccountItem, _: TenantFacts) -> Result<(), Refusal> {
        rules::delete(&account, rows::hanging(tx.connection, &account.id)?)?;
        Ok(rows::delete(tx.connection, &account)?)
    }
}

/// `POST /v1/accounts`
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

/// Rule 1: the old pair stops, the new one is shown in this answer and nowhere else.
pub async fn rotate_root_key(
    State(app): State<Arc<App>>,
    call: Call,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let deed = Deed::bare("rootKey.rotate", &id);
    app.change(call, deed, move |tx| {
        let (account, tenant) = Accounts::find(tx.connection, &id, tx.now)?;
        Accounts::may(tx.caller, Action::Edit, &account, &tenant)?;
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
