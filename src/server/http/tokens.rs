//! `/v1/tokens`: each user makes and sees its own; administrators see and remove those of the users that they manage.

use super::App;
use super::body::Body;
use super::call::{Call, Caller, tenant_facts};
use super::change::{Deed, Done, Tx};
use super::collection::{Collection, Removed};
use super::list::Query;
use crate::server::domain::access::{self, Action, Target, TenantFacts, may};
use crate::server::domain::{Refusal, tokens as rules};
use crate::server::random;
use crate::server::store::credentials as rows;
use crate::server::store::lists::Where;
use crate::server::store::users;
use crate::wire::{Page, Role, Scope, TokenCreate, TokenCreated, TokenItem};
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use rusqlite::Connection;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// API tokens.
pub struct Tokens;

impl Collection for Tokens {
    const FILTERS: &'static [&'static str] = &["user", "name"];
    const SCOPE: Scope = Scope::Write;
    type Id = String;
    type Item = TokenItem;
    /// Tenant and role of the token's user.
    type Facts = (TenantFacts, Role);

    fn name(id: &String) -> String {
        id.clone()
    }

    fn find(
        connection: &Connection,
        id: &String,
        _: Timestamp,
    ) -> Result<(TokenItem, (TenantFacts, Role)), Refusal> {
        let token = rows::get_token(connection, id)?.ok_or_else(Refusal::not_found)?;
        let user = users::get(connection, &token.user_id)?.ok_or_else(Refusal::not_found)?;
        let tenant = tenant_facts(connection, &user.tenant_id)?;
        Ok((token, (tenant, user.role)))
    }

    /// A token of one's own, or of a user that one may do this to.
    fn may(
        caller: &Caller,
        action: Action,
        token: &TokenItem,
        (tenant, role): &(TenantFacts, Role),
    ) -> Result<(), Refusal> {
        if token.user_id == caller.principal.user_id {
            return Ok(());
        }
        may(&caller.principal, action, Target::User(tenant, *role))
    }

    fn page(
        connection: &Connection,
        caller: &Caller,
        query: &Query,
        _: Timestamp,
    ) -> Result<Page<TokenItem>, Refusal> {
        let all = match access::visible(&caller.principal, access::Collection::Users) {
            Ok(visible) => Where::default().visible(&visible),
            Err(_) => Where::default().and("c.user = ?", [caller.principal.user_id.clone()]),
        };
        let filter =
            all.and_if("c.user = ?", query.filter("user")).and_if("c.name = ?", query.filter("name"));
        let items = rows::list_tokens(connection, &query.page, filter)?;
        Ok(query.page(items, |item| item.id.clone()))
    }
}

impl Removed for Tokens {
    const DELETE: &'static str = "token.delete";

    fn remove(tx: &Tx<'_>, token: TokenItem, _: (TenantFacts, Role)) -> Result<(), Refusal> {
        Ok(rows::delete_token(tx.connection, &token.id)?)
    }
}

/// `POST /v1/tokens`
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
