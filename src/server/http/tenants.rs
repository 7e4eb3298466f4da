//! `/v1/tenants`

use super::App;
use super::body::Body;
use super::call::{Call, Caller};
use super::change::{Deed, Done, Tx};
use super::collection::{Collection, Patched, Removed};
use super::list::Query;
use crate::server::domain::access::{self, Action, Target, may};
use crate::server::domain::{Refusal, tenants as rules};
use crate::server::random;
use crate::server::store::labels::Kind;
use crate::server::store::lists::Where;
use crate::server::store::tenants as rows;
use crate::wire::{Page, ProblemType, Scope, TenantCreate, TenantItem, TenantPatch, Visibility};
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use rusqlite::Connection;
use std::sync::Arc;

/// Tenants.
pub struct Tenants;

impl Collection for Tenants {
    const FILTERS: &'static [&'static str] = &["name", "visibility", "label"];
    const SCOPE: Scope = Scope::Write;
    type Id = String;
    type Item = TenantItem;
    type Facts = ();

    fn name(id: &String) -> String {
        id.clone()
    }

    fn find(connection: &Connection, id: &String, _: Timestamp) -> Result<(TenantItem, ()), Refusal> {
        Ok((rows::get(connection, id)?.ok_or_else(Refusal::not_found)?, ()))
    }

    fn may(caller: &Caller, action: Action, tenant: &TenantItem, (): &()) -> Result<(), Refusal> {
        may(&caller.principal, action, Target::Tenant(&rules::facts(tenant)))
    }

    fn page(
        connection: &Connection,
        caller: &Caller,
        query: &Query,
        _: Timestamp,
    ) -> Result<Page<TenantItem>, Refusal> {
        let filter = Where::default()
            .visible(&access::visible(&caller.principal, access::Collection::Tenants)?)
            .and_if("t.name = ?", query.filter("name"))
            .and_if("t.visibility = ?", query.filter("visibility"));
        let items = rows::list(connection, &query.page, query.labels(Kind::Tenant, filter)?)?;
        Ok(query.page(items, |item| item.id.clone()))
    }
}

impl Patched for Tenants {
    const UPDATE: &'static str = "tenant.update";
    type Change = TenantPatch;

    fn patch(tx: &Tx<'_>, before: TenantItem, (): (), patch: TenantPatch) -> Result<TenantItem, Refusal> {
        let after = rules::patch(before, patch)?;
        rows::update(tx.connection, &after)?;
        Ok(after)
    }
}

impl Removed for Tenants {
    const DELETE: &'static str = "tenant.delete";

    fn remove(tx: &Tx<'_>, tenant: TenantItem, (): ()) -> Result<(), Refusal> {
        rules::delete(&tenant, rows::hanging(tx.connection, &tenant.id)?)?;
        Ok(rows::delete(tx.connection, &tenant.id)?)
    }
}

/// `POST /v1/tenants`
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
