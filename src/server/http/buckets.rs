//! `/v1/buckets`

use super::App;
use super::answer;
use super::body::Body;
use super::call::Call;
use super::change::{Deed, Done};
use super::list::Query;
use crate::server::domain::access::{self, Action, Collection, OwnerFacts, Target, may};
use crate::server::domain::{Refusal, buckets as rules};
use crate::server::store::buckets as rows;
use crate::server::store::labels::Kind;
use crate::server::store::lists::Where;
use crate::server::store::{keys, users};
use crate::wire::{BucketCreate, BucketItem, BucketPatch, ProblemType, Scope};
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use jiff::Timestamp;
use rusqlite::Connection;
use std::sync::Arc;

pub async fn list(
    State(app): State<Arc<App>>,
    call: Call,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let query = Query::parse(query.as_deref(), &["tenant", "account", "user", "name", "label"])?;
    let page = app
        .look(&call, move |connection, caller, now| {
            let principal = &caller.principal;
            let filter = Where::default()
                .visible_data(&access::visible(principal, Collection::Data)?, &principal.user_id)
                .and_if("u.tenant = ?", query.filter("tenant"))
                .and_if("u.account = ?", query.filter("account"))
                .and_if("b.user = ?", query.filter("user"))
                .and_if("b.name = ?", query.filter("name"));
            let items = rows::list(connection, &query.page, query.labels(Kind::Bucket, filter)?, now)?;
            Ok(query.page(items, |item| format!("{}/{}", item.user_id, item.name)))
        })
        .await?;
    answer::page(&call.headers, &page)
}

pub async fn get(
    State(app): State<Arc<App>>,
    call: Call,
    Path((user, name)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let item = app
        .look(&call, move |connection, caller, now| {
            let (bucket, owner) = existing(connection, &user, &name, now)?;
            may(&caller.principal, Action::Read, Target::Bucket(&owner))?;
            Ok(bucket)
        })
        .await?;
    answer::item(&call.headers, &item)
}

pub async fn create(
    State(app): State<Arc<App>>,
    call: Call,
    body: Body<BucketCreate>,
) -> Result<Response, Refusal> {
    let deed = Deed::new("bucket.create", &body.value.user_id, body.hash);
    app.change(call, deed, move |tx| {
        tx.caller.needs(Scope::Write)?;
        let found = users::owner(tx.connection, &body.value.user_id)?;
        let (user, owner) = found.ok_or_else(Refusal::not_found)?;
        may(&tx.caller.principal, Action::Create, Target::Bucket(&owner))?;
        let room = rows::room(tx.connection, &user)?;
        let bucket = rules::create(&user, body.value, room, tx.now)?;
        if rows::exists(tx.connection, &user.id, &bucket.name)? {
            let detail = format!("the user has a bucket named '{}'", bucket.name);
            return Err(Refusal::new(ProblemType::NameTaken, detail));
        }
        rows::insert(tx.connection, &bucket)?;
        let (made, _) = existing(tx.connection, &user.id, &bucket.name, tx.now)?;
        let id = format!("{}/{}", made.user_id, made.name);
        Done::created_item(&id, format!("/v1/buckets/{id}"), &made)
    })
    .await
}

pub async fn patch(
    State(app): State<Arc<App>>,
    call: Call,
    Path((user, name)): Path<(String, String)>,
    body: Body<BucketPatch>,
) -> Result<Response, Refusal> {
    let id = format!("{user}/{name}");
    let deed = Deed::new("bucket.update", &id, body.hash);
    app.change(call, deed, move |tx| {
        tx.caller.needs(Scope::Write)?;
        let (before, owner) = existing(tx.connection, &user, &name, tx.now)?;
        may(&tx.caller.principal, Action::Edit, Target::Bucket(&owner))?;
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
    Path((user, name)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let id = format!("{user}/{name}");
    let deed = Deed::bare("bucket.delete", &id);
    app.change(call, deed, move |tx| {
        tx.caller.needs(Scope::Write)?;
        let (bucket, owner) = existing(tx.connection, &user, &name, tx.now)?;
        may(&tx.caller.principal, Action::Delete, Target::Bucket(&owner))?;
        tx.call.precondition(&bucket)?;
        rules::delete(&bucket, keys::naming_bucket(tx.connection, &user, &name)?)?;
        rows::delete(tx.connection, &user, &name)?;
        Ok(Done::removed(&id))
    })
    .await
}

fn existing(
    connection: &Connection,
    user: &str,
    name: &str,
    now: Timestamp,
) -> Result<(BucketItem, OwnerFacts), Refusal> {
    let bucket = rows::get(connection, user, name, now)?.ok_or_else(Refusal::not_found)?;
    let (_, owner) = users::owner(connection, user)?.ok_or_else(Refusal::not_found)?;
    Ok((bucket, owner))
}
