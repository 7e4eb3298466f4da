//! The one shape of all collections: a list, an item, its change, its removal. Each collection says how its items are
//! found, who may do what to them, and how rules and rows are asked; what is around that is here once.

use super::App;
use super::answer;
use super::body::Body;
use super::call::{Call, Caller};
use super::change::{Deed, Done, Tx};
use super::list::Query;
use super::tag::Tagged;
use crate::server::domain::Refusal;
use crate::server::domain::access::Action;
use crate::wire::{Page, Scope};
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use jiff::Timestamp;
use rusqlite::Connection;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// What is listed and shown.
pub trait Collection: 'static {
    /// The filters that its list has.
    const FILTERS: &'static [&'static str];
    /// What a token must be allowed for a change.
    const SCOPE: Scope;
    /// What an item is addressed by.
    type Id: DeserializeOwned + Send + 'static;
    /// An item.
    type Item: Tagged + Send + 'static;
    /// What rules need to know beside the item.
    type Facts: Send + 'static;

    /// The id as the audit log has it.
    fn name(id: &Self::Id) -> String;

    /// The item of that id, whoever asks.
    fn find(
        connection: &Connection,
        id: &Self::Id,
        now: Timestamp,
    ) -> Result<(Self::Item, Self::Facts), Refusal>;

    /// Whether the caller may do this to it.
    fn may(caller: &Caller, action: Action, item: &Self::Item, facts: &Self::Facts) -> Result<(), Refusal>;

    /// A page of what the caller may see.
    fn page(
        connection: &Connection,
        caller: &Caller,
        query: &Query,
        now: Timestamp,
    ) -> Result<Page<Self::Item>, Refusal>;
}

/// What is changed by a merge patch.
pub trait Patched: Collection {
    /// What the audit log calls it.
    const UPDATE: &'static str;
    /// The patch, prepared.
    type Change: Send + 'static;

    /// Asks the rules and writes the item.
    fn patch(
        tx: &Tx<'_>,
        item: Self::Item,
        facts: Self::Facts,
        change: Self::Change,
    ) -> Result<Self::Item, Refusal>;
}

/// What is removed by its id.
pub trait Removed: Collection {
    /// What the audit log calls it.
    const DELETE: &'static str;

    /// Asks the rules and removes the item.
    fn remove(tx: &Tx<'_>, item: Self::Item, facts: Self::Facts) -> Result<(), Refusal>;
}

/// `GET /v1/<collection>`
pub async fn list<C: Collection>(
    State(app): State<Arc<App>>,
    call: Call,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let query = Query::parse(query.as_deref(), C::FILTERS)?;
    let page =
        app.look(&call, move |connection, caller, now| C::page(connection, caller, &query, now)).await?;
    answer::page(&call.headers, &page)
}

/// `GET /v1/<collection>/{id}`
pub async fn get<C: Collection>(
    State(app): State<Arc<App>>,
    call: Call,
    Path(id): Path<C::Id>,
) -> Result<Response, Refusal> {
    let item = app
        .look(&call, move |connection, caller, now| {
            let (item, facts) = C::find(connection, &id, now)?;
            C::may(caller, Action::Read, &item, &facts)?;
            Ok(item)
        })
        .await?;
    answer::item(&call.headers, &item)
}

/// `PATCH /v1/<collection>/{id}`
pub async fn patch<C>(
    State(app): State<Arc<App>>,
    call: Call,
    Path(id): Path<C::Id>,
    body: Body<C::Change>,
) -> Result<Response, Refusal>
where
    C: Patched,
    C::Change: DeserializeOwned,
{
    change::<C>(&app, call, id, body.hash, body.value).await
}

/// The same with a change that had to be prepared.
pub async fn change<C: Patched>(
    app: &App,
    call: Call,
    id: C::Id,
    body_hash: [u8; 32],
    change: C::Change,
) -> Result<Response, Refusal> {
    let deed = Deed::new(C::UPDATE, &C::name(&id), body_hash);
    app.change(call, deed, move |tx| {
        tx.caller.needs(C::SCOPE)?;
        let (item, facts) = C::find(tx.connection, &id, tx.now)?;
        C::may(tx.caller, Action::Edit, &item, &facts)?;
        tx.call.precondition(&item)?;
        let after = C::patch(tx, item, facts, change)?;
        Done::changed(&C::name(&id), &after)
    })
    .await
}

/// `DELETE /v1/<collection>/{id}`
pub async fn delete<C: Removed>(
    State(app): State<Arc<App>>,
    call: Call,
    Path(id): Path<C::Id>,
) -> Result<Response, Refusal> {
    let name = C::name(&id);
    let deed = Deed::bare(C::DELETE, &name);
    app.change(call, deed, move |tx| {
        tx.caller.needs(C::SCOPE)?;
        let (item, facts) = C::find(tx.connection, &id, tx.now)?;
        C::may(tx.caller, Action::Delete, &item, &facts)?;
        tx.call.precondition(&item)?;
        C::remove(tx, item, facts)?;
        Ok(Done::removed(&name))
    })
    .await
}
