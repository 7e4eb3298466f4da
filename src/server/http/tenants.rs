//! `/v1/tenants`

use super::App;
use super::answer;
use super::body::Body;
use super::call::Call;
use super::change::{Deed, Done};
use super::list::Query;
use crate::server::domain::access::{self, Action, Collection, Target, may};
use crate::server::domain::{Refusal, tenants as rules};
use crate::server::random;
use crate::server::store::labels::Kind;
use crate::server::store::lists::Where;
use crate::server::store::tenants as rows;
use crate::wire::{ProblemType, Scope, TenantCreate, TenantItem, TenantPatch, Visibility};
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use rusqlite::Connection;
use std::sync::Arc;

pub async fn list(
    State(app): State<Arc<App>>,
    call: Call,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let query = Query::parse(query.as_deref(), &["name", "visibility", "label"])?;
    let page = app
        .look(&call, move |connection, caller, _| {
            let filter = Where::default()
                .visible(&access::visible(&caller.principal, Collection::Tenants)?)
                .and_if("t.name = ?", query.filter("name"))
                .and_if("t.visibility = ?", query.filter("visibility"));
            let items = rows::list(connection, &query.page, query.labels(Kind::Tenant, filter)?)?;
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
            let tenant = existing(connection, &id)?;
            may(&caller.principal, Action::Read, Target::Tenant(&rules::facts(&tenant)))?;
            Ok(tenant)
        })
        .await?;
    answer::item(&call.headers, &item)
}

pub async fn create(
    State(app): State<Arc<App>>,
    call: Call,
    body: Body<TenantCreate>,
) -> Result<Response, Refusal> {
    let deed = Deed::new("tenant.create", "", body.hash);
    app.change(call, deed, move |tx| {
        tx.caller.needs(Scope::Write)?;
        let id = random::id("tn_")?;
        let place = access::TenantFacts { id: id.clone(), visibility: Visibility::Public, built_in: false };
        may(&tx.caller.principal, Action::Create, Target::Tenant(&place))?;
        let tenant = rules::create(id, body.value, tx.now)?;
        if rows::name_taken(tx.connection, &tenant.name)? {
            let detail = format!("there is a tenant named '{}'", tenant.name);
            return Err(Refusal::new(ProblemType::NameTaken, detail));
        }
        rows::insert(tx.connection, &tenant)?;
        Done::created_item(&tenant.id, format!("/v1/tenants/{}", tenant.id), &tenant)
    })
    .await
}

pub async fn patch(
    State(app): State<Arc<App>>,
    call: Call,
    Path(id): Path<String>,
    body: Body<TenantPatch>,
) -> Result<Response, Refusal> {
    let deed = Deed::new("tenant.update", &id, body.hash);
    app.change(call, deed, move |tx| {
        tx.caller.needs(Scope::Write)?;
        let before = existing(tx.connection, &id)?;
        may(&tx.caller.principal, Action::Edit, Target::Tenant(&rules::facts(&before)))?;
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
    let deed = Deed::bare("tenant.delete", &id);
    app.change(call, deed, move |tx| {
        tx.caller.needs(Scope::Write)?;
        let tenant = existing(tx.connection, &id)?;
        may(&tx.caller.principal, Action::Delete, Target::Tenant(&rules::facts(&tenant)))?;
        tx.call.precondition(&tenant)?;
        rules::delete(&tenant, rows::hanging(tx.connection, &id)?)?;
        rows::delete(tx.connection, &id)?;
        Ok(Done::removed(&id))
    })
    .await
}

fn existing(connection: &Connection, id: &str) -> Result<TenantItem, Refusal> {
    rows::get(connection, id)?.ok_or_else(Refusal::not_found)
}
