//! `/v1/buckets`

use super::App;
use super::body::Body;
use super::call::{Call, Caller};
use super::change::{Deed, Done, Tx};
use super::collection::{Collection, Patched, Removed};
use super::list::Query;
use crate::server::domain::access::{self, Action, OwnerFacts, Target, may};
use crate::server::domain::{Refusal, buckets as rules};
use crate::server::store::buckets as rows;
use crate::server::store::labels::Kind;
use crate::server::store::lists::Where;
use crate::server::store::{jobs, keys, users};
use crate::wire::{BucketCreate, BucketItem, BucketPatch, Page, ProblemType, Scope};
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use rusqlite::Connection;
use std::sync::Arc;

/// Buckets, by owner and name.
pub struct Buckets;

impl Collection for Buckets {
    const FILTERS: &'static [&'static str] = &["tenant", "account", "user", "name", "label"];
    const SCOPE: Scope = Scope::Write;
    type Id = (String, String);
    type Item = BucketItem;
    type Facts = OwnerFacts;

    fn name((user, name): &(String, String)) -> String {
        format!("{user}/{name}")
    }

    fn find(
        connection: &Connection,
        (user, name): &(String, String),
        now: Timestamp,
    ) -> Result<(BucketItem, OwnerFacts), Refusal> {
        let bucket = rows::get(connection, user, name, now)?.ok_or_else(Refusal::not_found)?;
        let (_, owner) = users::owner(connection, user)?.ok_or_else(Refusal::not_found)?;
        Ok((bucket, owner))
    }

    fn may(caller: &Caller, action: Action, _: &BucketItem, owner: &OwnerFacts) -> Result<(), Refusal> {
        may(&caller.principal, action, Target::Bucket(owner))
    }

    fn page(
        connection: &Connection,
        caller: &Caller,
        query: &Query,
        now: Timestamp,
    ) -> Result<Page<BucketItem>, Refusal> {
        let principal = &caller.principal;
        let filter = Where::default()
            .visible_data(&access::visible(principal, access::Collection::Data)?, &principal.user_id)
            .and_if("u.tenant = ?", query.filter("tenant"))
            .and_if("u.account = ?", query.filter("account"))
            .and_if("b.user = ?", query.filter("user"))
            .and_if("b.name = ?", query.filter("name"));
        let items = rows::list(connection, &query.page, query.labels(Kind::Bucket, filter)?, now)?;
        Ok(query.page(items, |item| format!("{}/{}", item.user_id, item.name)))
    }
}

impl Patched for Buckets {
    const UPDATE: &'static str = "bucket.update";
    type Change = BucketPatch;

    fn patch(
        tx: &Tx<'_>,
        before: BucketItem,
        _: OwnerFacts,
        patch: BucketPatch,
    ) -> Result<BucketItem, Refusal> {
        let after = rules::patch(before, patch)?;
        rows::update(tx.connection, &after)?;
        Ok(after)
    }
}

impl Removed for Buckets {
    const DELETE: &'static str = "bucket.delete";

    fn remove(tx: &Tx<'_>, bucket: BucketItem, _: OwnerFacts) -> Result<(), Refusal> {
        let (user, name) = (&bucket.user_id, &bucket.name);
        let keys = keys::naming_bucket(tx.connection, user, name)?;
        rules::delete(&bucket, keys, jobs::of_bucket(tx.connection, user, name)?)?;
        Ok(rows::delete(tx.connection, user, name)?)
    }
}

/// `POST /v1/buckets`
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
        let id = (user.id, bucket.name);
        let (made, _) = Buckets::find(tx.connection, &id, tx.now)?;
        let id = Buckets::name(&id);
        Done::created_item(&id, format!("/v1/buckets/{id}"), &made)
    })
    .await
}
