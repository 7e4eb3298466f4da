//! `/v1/accessKeys`. The secret is in the answer that made the key, and in no other (rule 4).

use super::App;
use super::body::Body;
use super::call::{Call, Caller};
use super::change::{Deed, Done, Tx};
use super::collection::{Collection, Patched, Removed};
use super::list::Query;
use crate::server::domain::access::{self, Action, OwnerFacts, Target, may};
use crate::server::domain::{Refusal, keys as rules};
use crate::server::random;
use crate::server::store::keys as rows;
use crate::server::store::labels::Kind;
use crate::server::store::lists::Where;
use crate::server::store::{StoreError, buckets, users};
use crate::wire::{AccessKeyCreate, AccessKeyCreated, AccessKeyItem, AccessKeyPatch, Page, Scope, UserItem};
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use rusqlite::Connection;
use std::collections::HashSet;
use std::sync::Arc;

/// Access keys.
pub struct AccessKeys;

impl Collection for AccessKeys {
    const FILTERS: &'static [&'static str] = &["tenant", "account", "user", "label"];
    const SCOPE: Scope = Scope::KeysWrite;
    type Id = String;
    type Item = AccessKeyItem;
    type Facts = (UserItem, OwnerFacts);

    fn name(id: &String) -> String {
        id.clone()
    }

    fn find(
        connection: &Connection,
        id: &String,
        _: Timestamp,
    ) -> Result<(AccessKeyItem, (UserItem, OwnerFacts)), Refusal> {
        let key = rows::get(connection, id)?.ok_or_else(Refusal::not_found)?;
        let owner = users::owner(connection, &key.user_id)?.ok_or_else(Refusal::not_found)?;
        Ok((key, owner))
    }

    fn may(
        caller: &Caller,
        action: Action,
        _: &AccessKeyItem,
        (_, owner): &(UserItem, OwnerFacts),
    ) -> Result<(), Refusal> {
        may(&caller.principal, action, Target::AccessKey(owner))
    }

    fn page(
        connection: &Connection,
        caller: &Caller,
        query: &Query,
        _: Timestamp,
    ) -> Result<Page<AccessKeyItem>, Refusal> {
        let principal = &caller.principal;
        let filter = Where::default()
            .visible_data(&access::visible(principal, access::Collection::Data)?, &principal.user_id)
            .and_if("u.tenant = ?", query.filter("tenant"))
            .and_if("u.account = ?", query.filter("account"))
            .and_if("k.user = ?", query.filter("user"));
        let items = rows::list(connection, &query.page, query.labels(Kind::AccessKey, filter)?)?;
        Ok(query.page(items, |item| item.access_key_id.clone()))
    }
}

impl Patched for AccessKeys {
    const UPDATE: &'static str = "accessKey.update";
    type Change = AccessKeyPatch;

    fn patch(
        tx: &Tx<'_>,
        before: AccessKeyItem,
        (user, _): (UserItem, OwnerFacts),
        patch: AccessKeyPatch,
    ) -> Result<AccessKeyItem, Refusal> {
        let after = rules::patch(before, &user, patch)?;
        rows::update(tx.connection, &after)?;
        Ok(after)
    }
}

impl Removed for AccessKeys {
    const DELETE: &'static str = "accessKey.delete";

    fn remove(tx: &Tx<'_>, key: AccessKeyItem, (user, _): (UserItem, OwnerFacts)) -> Result<(), Refusal> {
        rules::delete(&user)?;
        Ok(rows::delete(tx.connection, &key.access_key_id)?)
    }
}

/// `POST /v1/accessKeys`
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
