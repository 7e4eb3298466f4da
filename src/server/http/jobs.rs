//! `/v1/jobs`: Backup, Restore and EmptyBucket.

use super::App;
use super::body::Body;
use super::call::{Call, Caller};
use super::change::{Deed, Done, Tx};
use super::collection::{Collection, Patched, Removed};
use super::list::Query;
use crate::server::domain::Refusal;
use crate::server::domain::access::{self, Action, OwnerFacts, Target, may};
use crate::server::domain::jobs::{life, rules};
use crate::server::random;
use crate::server::store::jobs as rows;
use crate::server::store::lists::Where;
use crate::server::store::{buckets, users};
use crate::wire::{BucketRef, JobCreate, JobItem, JobKind, JobPatch, Page, Scope, UserItem};
use axum::extract::{Path, State};
use axum::response::Response;
use jiff::Timestamp;
use rusqlite::Connection;
use std::sync::Arc;

/// Jobs. Whose tenant a job is of, its source bucket says.
pub struct Jobs;

impl Collection for Jobs {
    const FILTERS: &'static [&'static str] = &["tenant", "account", "user", "bucket", "kind", "state"];
    const SCOPE: Scope = Scope::Write;
    type Id = String;
    type Item = JobItem;
    type Facts = OwnerFacts;

    fn name(id: &String) -> String {
        id.clone()
    }

    fn find(connection: &Connection, id: &String, _: Timestamp) -> Result<(JobItem, OwnerFacts), Refusal> {
        let job = rows::get(connection, id)?.ok_or_else(Refusal::not_found)?;
        let (_, owner) = users::owner(connection, &job.source.user_id)?.ok_or_else(Refusal::not_found)?;
        Ok((job, owner))
    }

    fn may(caller: &Caller, action: Action, job: &JobItem, owner: &OwnerFacts) -> Result<(), Refusal> {
        may(&caller.principal, action, Target::Job(owner, job.kind))
    }

    fn page(
        connection: &Connection,
        caller: &Caller,
        query: &Query,
        _: Timestamp,
    ) -> Result<Page<JobItem>, Refusal> {
        let principal = &caller.principal;
        let filter = Where::default()
            .visible_data(&access::visible(principal, access::Collection::Data)?, &principal.user_id)
            .and_if("u.tenant = ?", query.filter("tenant"))
            .and_if("u.account = ?", query.filter("account"))
            .and_if("j.owner = ?", query.filter("user"))
            .and_if("j.source_user || '/' || j.source_bucket = ?", query.filter("bucket"))
            .and_if("j.kind = ?", query.filter("kind"))
            .and_if("j.state = ?", query.filter("state"));
        let items = rows::list(connection, &query.page, filter)?;
        Ok(query.page(items, |item| item.id.clone()))
    }
}

impl Patched for Jobs {
    const UPDATE: &'static str = "job.update";
    type Change = JobPatch;

    fn patch(tx: &Tx<'_>, before: JobItem, _: OwnerFacts, patch: JobPatch) -> Result<JobItem, Refusal> {
        let owner = owner(tx, &before.user_id)?;
        let after = rules::patch(before, patch, &owner.time_zone, tx.now)?;
        rows::update(tx.connection, &after)?;
        Ok(after)
    }
}

impl Removed for Jobs {
    const DELETE: &'static str = "job.delete";

    fn remove(tx: &Tx<'_>, job: JobItem, _: OwnerFacts) -> Result<(), Refusal> {
        rules::delete(&job, rows::restores_of(tx.connection, &job.id)?)?;
        Ok(rows::delete(tx.connection, &job.id)?)
    }
}

/// `POST /v1/jobs`
pub async fn create(
    State(app): State<Arc<App>>,
    call: Call,
    body: Body<JobCreate>,
) -> Result<Response, Refusal> {
    let deed = Deed::new("job.create", body.value.backup_id.as_deref().unwrap_or_default(), body.hash);
    let answer = app
        .change(call, deed, move |tx| {
            tx.caller.needs(Scope::Write)?;
            let wish = body.value;
            let backup = backup(tx, &wish)?;
            let (source, target) = rules::buckets(&wish, backup.as_ref())?;
            let source = side(tx, wish.kind, source)?;
            let target = target.map(|target| side(tx, wish.kind, target)).transpose()?;
            if let (JobKind::Backup, Some(target)) = (wish.kind, &target) {
                let others = rows::backups_from_elsewhere(tx.connection, &source.bucket, &target.bucket)?;
                rules::check_sole_source(others)?;
            }
            let owner = owner(tx, &tx.caller.principal.user_id)?;
            let job = rules::create(random::id("jb_")?, &owner, wish, &source, target.as_ref(), tx.now)?;
            rows::insert(tx.connection, &job)?;
            Done::created_item(&job.id, format!("/v1/jobs/{}", job.id), &job)
        })
        .await?;
    app.jobs.ring();
    Ok(answer)
}

/// `POST /v1/jobs/{id}/run`
pub async fn run(
    State(app): State<Arc<App>>,
    call: Call,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    act(&app, call, id, "job.run", life::run).await
}

/// `POST /v1/jobs/{id}/cancel`
pub async fn cancel(
    State(app): State<Arc<App>>,
    call: Call,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    act(&app, call, id, "job.cancel", life::cancel).await
}

async fn act(
    app: &App,
    call: Call,
    id: String,
    action: &'static str,
    rule: fn(JobItem, Timestamp) -> Result<JobItem, Refusal>,
) -> Result<Response, Refusal> {
    let deed = Deed::bare(action, &id);
    let answer = app
        .change(call, deed, move |tx| {
            tx.caller.needs(Scope::Write)?;
            let (before, owner) = Jobs::find(tx.connection, &id, tx.now)?;
            Jobs::may(tx.caller, Action::Edit, &before, &owner)?;
            tx.call.precondition(&before)?;
            let after = rule(before, tx.now)?;
            rows::update(tx.connection, &after)?;
            Done::changed(&id, &after)
        })
        .await?;
    app.jobs.ring();
    Ok(answer)
}

/// The Backup job that a Restore names; one that the caller may not see is not there.
fn backup(tx: &Tx<'_>, wish: &JobCreate) -> Result<Option<JobItem>, Refusal> {
    let Some(id) = &wish.backup_id else { return Ok(None) };
    let (job, owner) = Jobs::find(tx.connection, id, tx.now)?;
    Jobs::may(tx.caller, Action::Read, &job, &owner)?;
    Ok(Some(job))
}

/// A bucket that a new job names, which the caller must be allowed to have such jobs on.
fn side(tx: &Tx<'_>, kind: JobKind, named: BucketRef) -> Result<rules::Side, Refusal> {
    let (user, facts) = users::owner(tx.connection, &named.user_id)?.ok_or_else(Refusal::not_found)?;
    may(&tx.caller.principal, Action::Create, Target::Job(&facts, kind))?;
    let found = buckets::get(tx.connection, &named.user_id, &named.name, tx.now)?;
    let versioning = found.ok_or_else(Refusal::not_found)?.versioning;
    Ok(rules::Side { bucket: named, tenant_id: user.tenant_id, root: user.root, versioning })
}

fn owner(tx: &Tx<'_>, id: &str) -> Result<UserItem, Refusal> {
    users::get(tx.connection, id)?.ok_or_else(Refusal::not_found)
}
