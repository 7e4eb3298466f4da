//! `/v1/tokens`: each user makes and sees its own; administrators see and remove those of the users that they manage.

use super::App;
use super::answer;
use super::body::Body;
use super::call::{Call, Caller, tenant_facts};
use super::change::{Deed, Done};
use super::list::Query;
use crate::server::domain::access::{self, Action, Collection, Target, may};
use crate::server::domain::{Refusal, tokens as rules};
use crate::server::random;
use crate::server::store::credentials as rows;
use crate::server::store::lists::Where;
use crate::server::store::users;
use crate::wire::{Scope, TokenCreate, TokenCreated, TokenItem};
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use rusqlite::Connection;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

pub async fn list(
    State(app): State<Arc<App>>,
    call: Call,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let query = Query::parse(query.as_deref(), &["user", "name"])?;
    let page = app
        .look(&call, move |connection, caller, _| {
            let all = match access::visible(&caller.principal, Collection::Users) {
                Ok(visible) => Where::default().visible(&visible),
                Err(_) => Where::default().and("c.user = ?", [caller.principal.user_id.clone()]),
            };
            let filter =
                all.and_if("c.user = ?", query.filter("user")).and_if("c.name = ?", query.filter("name"));
            let items = rows::list_tokens(connection, &query.page, filter)?;
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
    let item =
        app.look(&call, move |connection, caller, _| existing(connection, caller, Action::Read, &id)).await?;
    answer::item(&call.headers, &item)
}

pub async fn create(
    State(app): State<Arc<App>>,
    call: Call,
    body: Body<TokenCreate>,
) -> Result<Response, Refusal> {
    let deed = Deed::new("token.create", "", body.hash);
    app.change(call, deed, move |tx| {
        tx.caller.needs(Scope::Write)?;
        let Caller { principal, credential, .. } = tx.caller;
        let user_id = principal.user_id.clone();
        let item = rules::create(random::id("tk_")?, user_id, credential, body.value, tx.now)?;
        let token = random::bearer_token("skt_")?;
        rows::insert_token(tx.connection, &item, &Sha256::digest(token.reveal().as_bytes()).into())?;
        let id = item.id.clone();
        Done::created(&id, format!("/v1/tokens/{id}"), &TokenCreated { item, token })
    })
    .await
}

pub async fn delete(
    State(app): State<Arc<App>>,
    call: Call,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let deed = Deed::bare("token.delete", &id);
    app.change(call, deed, move |tx| {
        tx.caller.needs(Scope::Write)?;
        let token = existing(tx.connection, tx.caller, Action::Delete, &id)?;
        tx.call.precondition(&token)?;
        rows::delete_token(tx.connection, &id)?;
        Ok(Done::removed(&id))
    })
    .await
}

/// A token of one's own, or of a user that one may do this to.
fn existing(
    connection: &Connection,
    caller: &Caller,
    action: Action,
    id: &str,
) -> Result<TokenItem, Refusal> {
    let token = rows::get_token(connection, id)?.ok_or_else(Refusal::not_found)?;
    if token.user_id != caller.principal.user_id {
        let user = users::get(connection, &token.user_id)?.ok_or_else(Refusal::not_found)?;
        let tenant = tenant_facts(connection, &user.tenant_id)?;
        may(&caller.principal, action, Target::User(&tenant, user.role))?;
    }
    Ok(token)
}
