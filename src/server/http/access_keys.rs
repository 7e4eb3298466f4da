//! `/v1/accessKeys`. The secret is in the answer that made the key, and in no other (rule 4).

use super::App;
use super::answer;
use super::body::Body;
use super::call::Call;
use super::change::{Deed, Done};
use super::list::Query;
use crate::server::domain::access::{self, Action, Collection, OwnerFacts, Target, may};
use crate::server::domain::{Refusal, keys as rules};
use crate::server::random;
use crate::server::store::keys as rows;
use crate::server::store::labels::Kind;
use crate::server::store::lists::Where;
use crate::server::store::{StoreError, buckets, users};
use crate::wire::{AccessKeyCreate, AccessKeyCreated, AccessKeyItem, AccessKeyPatch, Scope, UserItem};
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use rusqlite::Connection;
use std::collections::HashSet;
use std::sync::Arc;

pub async fn list(
    State(app): State<Arc<App>>,
    call: Call,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let query = Query::parse(query.as_deref(), &["tenant", "account", "user", "label"])?;
    let page = app
        .look(&call, move |connection, caller, _| {
            let principal = &caller.principal;
            let filter = Where::default()
                .visible_data(&access::visible(principal, Collection::Data)?, &principal.user_id)
                .and_if("u.tenant = ?", query.filter("tenant"))
                .and_if("u.account = ?", query.filter("account"))
                .and_if("k.user = ?", query.filter("user"));
            let items = rows::list(connection, &query.page, query.labels(Kind::AccessKey, filter)?)?;
            Ok(query.page(items, |item| item.access_key_id.clone()))
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
            let (key, _, owner) = existing(connection, &id)?;
            may(&caller.principal, Action::Read, Target::AccessKey(&owner))?;
            Ok(key)
        })
        .await?;
    answer::item(&call.headers, &item)
}

pub async fn create(
    State(app): State<Arc<App>>,
    call: Call,
    body: Body<AccessKeyCreate>,
) -> Result<Response, Refusal> {
    let deed = Deed::new("accessKey.create", &body.value.user_id, body.hash);
    app.change(call, deed, move |tx| {
        let wish = body.value;
        let (user, owner) = users::owner(tx.connection, &wish.user_id)?.ok_or_else(Refusal::not_found)?;
        may(&tx.caller.principal, Action::Create, Target::AccessKey(&owner))?;
        access::may_make_keys(&tx.caller.credential, tx.now)?;
        let known = known_buckets(tx.connection, &user.id, wish.buckets.as_deref().unwrap_or_default())?;
        let has = |name: &str| known.contains(name);
        let key = rules::create(random::access_key_id()?, &user, wish, has, tx.now)?;
        let secret_access_key = random::secret_access_key()?;
        rows::insert(tx.connection, &key, &tx.store.cipher().seal(secret_access_key.reveal())?)?;
        let id = key.access_key_id.clone();
        let created = AccessKeyCreated { key, secret_access_key };
        Done::created(&id, format!("/v1/accessKeys/{id}"), &created)
    })
    .await
}

pub async fn patch(
    State(app): State<Arc<App>>,
    call: Call,
    Path(id): Path<String>,
    body: Body<AccessKeyPatch>,
) -> Result<Response, Refusal> {
    let deed = Deed::new("accessKey.update", &id, body.hash);
    app.change(call, deed, move |tx| {
        tx.caller.needs(Scope::KeysWrite)?;
        let (before, _, owner) = existing(tx.connection, &id)?;
        may(&tx.caller.principal, Action::Edit, Target::AccessKey(&owner))?;
        tx.call.precondition(&before)?;
        let after = rules::patch(before, body.value)?;
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
    let deed = Deed::bare("accessKey.delete", &id);
    app.change(call, deed, move |tx| {
        tx.caller.needs(Scope::KeysWrite)?;
        let (key, user, owner) = existing(tx.connection, &id)?;
        may(&tx.caller.principal, Action::Delete, Target::AccessKey(&owner))?;
        tx.call.precondition(&key)?;
        rules::delete(&user)?;
        rows::delete(tx.connection, &id)?;
        Ok(Done::removed(&id))
    })
    .await
}

fn known_buckets(
    connection: &Connection,
    user: &str,
    names: &[String],
) -> Result<HashSet<String>, StoreError> {
    let mut known = HashSet::new();
    for name in names {
        if buckets::exists(connection, user, name)? {
            known.insert(name.clone());
        }
    }
    Ok(known)
}

fn existing(connection: &Connection, id: &str) -> Result<(AccessKeyItem, UserItem, OwnerFacts), Refusal> {
    let key = rows::get(connection, id)?.ok_or_else(Refusal::not_found)?;
    let (user, owner) = users::owner(connection, &key.user_id)?.ok_or_else(Refusal::not_found)?;
    Ok((key, user, owner))
}
