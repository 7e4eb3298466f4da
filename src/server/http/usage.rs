//! `/v1/usage`: what bills are made of (rule 9).

use super::App;
use super::answer;
use super::call::Call;
use super::list::Query;
use crate::server::domain::Refusal;
use crate::server::domain::access::{self, Collection};
use crate::server::domain::usage::{Span, roll_up};
use crate::server::store::usage::{self, Filter};
use crate::wire::{ProblemType, UsageGroup, UsageItem, UsageStep};
use axum::extract::{RawQuery, State};
use axum::response::Response;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// Its query parameters beside those of every list.
pub const FILTERS: &[&str] = &["from", "to", "step", "group", "tenant", "account", "user"];

/// `GET /v1/usage?from=&to=&step=Hour|Day&group=Account|User|AccessKey&tenant=&account=&user=`
pub async fn list(
    State(app): State<Arc<App>>,
    call: Call,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let query = Query::parse(query.as_deref(), FILTERS)?;
    let step = word(&query, "step", "'Hour' or 'Day'")?.unwrap_or(UsageStep::Day);
    let group = word(&query, "group", "'Account', 'User' or 'AccessKey'")?.unwrap_or(UsageGroup::Account);
    let (from, to) = (time(&query, "from")?, time(&query, "to")?);
    let span = Span::new(from, to, step, crate::clock::now())?;
    let page = app
        .look(&call, move |connection, caller, _| {
            let filter = Filter {
                from: span.from,
                to: span.to,
                tenant: query.filter("tenant"),
                account: query.filter("account"),
                user: query.filter("user"),
                visible: access::visible(&caller.principal, Collection::Accounts)?,
            };
            let requests = usage::requests(connection, &filter)?;
            let items = roll_up(span, group, requests, usage::stored(connection, &filter)?);
            let after = query.page.after.as_deref().unwrap_or_default();
            let rest = items.into_iter().filter(|item| key(item).as_str() > after);
            Ok(query.page(rest.take(query.page.limit + 1).collect(), key))
        })
        .await?;
    answer::page(&call.headers, &page)
}

/// What items are ordered by.
fn key(item: &UsageItem) -> String {
    let or_none = |id: &Option<String>| id.clone().unwrap_or_default();
    let hour = item.from.as_second() / 3600;
    format!("{hour:012} {} {} {}", item.account_id, or_none(&item.user_id), or_none(&item.access_key_id))
}

fn malformed(name: &str, what: &str) -> Refusal {
    Refusal::new(ProblemType::Malformed, format!("`{name}` must be {what}"))
}

fn word<T: DeserializeOwned>(query: &Query, name: &str, words: &str) -> Result<Option<T>, Refusal> {
    let value = query.filter(name).map(serde_json::Value::String);
    value.map(serde_json::from_value).transpose().map_err(|_| malformed(name, words))
}

fn time(query: &Query, name: &str) -> Result<Option<Timestamp>, Refusal> {
    let value = query.filter(name).map(|text| text.parse());
    value.transpose().map_err(|_: jiff::Error| malformed(name, "a time like '2030-01-31T00:00:00Z'"))
}
