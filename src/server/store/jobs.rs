//! Jobs: rows, which are due, and whom they pin.

use super::StoreError;
use super::columns::{Doc, Millis, Word, count, maybe};
use super::lists::{Page, Where};
use crate::wire::{BucketRef, HoldUp, JobItem, JobKind, JobProgress, JobState};
use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

const COLUMNS: &str = "j.id, j.kind, j.owner, j.source_user, j.source_bucket, j.target_user, j.target_bucket, \
    j.backup, j.up_to, j.description, j.schedule, j.state, j.next_run, j.started, j.finished, j.retries, j.message, \
    j.progress, j.hold_up, j.created";

/// The condition of a job that has not ended, or comes again.
const GOING_TO_RUN: &str = "j.next_run IS NOT NULL";

fn item(row: &Row<'_>) -> rusqlite::Result<JobItem> {
    let time = |column| row.get::<_, Option<Millis>>(column).map(|time| time.map(|t| t.0));
    let target: (Option<String>, Option<String>) = (row.get(5)?, row.get(6)?);
    Ok(JobItem {
        id: row.get(0)?,
        kind: row.get::<_, Word<JobKind>>(1)?.0,
        user_id: row.get(2)?,
        source: BucketRef { user_id: row.get(3)?, name: row.get(4)? },
        target: target.0.zip(target.1).map(|(user_id, name)| BucketRef { user_id, name }),
        backup_id: row.get(7)?,
        up_to: time(8)?,
        description: row.get(9)?,
        schedule: row.get(10)?,
        state: row.get::<_, Word<JobState>>(11)?.0,
        next_run_at: time(12)?,
        started_at: time(13)?,
        finished_at: time(14)?,
        retries: row.get(15)?,
        message: row.get(16)?,
        progress: row.get::<_, Doc<JobProgress>>(17)?.0,
        hold_up: row.get::<_, Option<Doc<HoldUp>>>(18)?.map(|h| h.0),
        created_at: row.get::<_, Millis>(19)?.0,
    })
}

/// One job.
pub fn get(connection: &Connection, id: &str) -> Result<Option<JobItem>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM job j WHERE j.id = ?1");
    maybe(connection.prepare_cached(&sql)?.query_row([id], item))
}

/// Jobs in the order of their ids.
pub fn list(connection: &Connection, page: &Page, filter: Where) -> Result<Vec<JobItem>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM job j JOIN user u ON u.id = j.source_user JOIN tenant t ON t.id = u.tenant"
    );
    filter.after("j.id", page).rows(connection, &sql, "j.id", page, item)
}

/// Jobs of a user that have a schedule and are going to run.
pub fn scheduled(connection: &Connection, owner: &str) -> Result<Vec<JobItem>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM job j WHERE j.owner = ?1 AND j.schedule IS NOT NULL AND {GOING_TO_RUN}"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_map([owner], item)?.collect::<Result<_, _>>()?)
}

/// Ids of jobs that are due, the longest waiting first.
pub fn due(connection: &Connection, now: Timestamp) -> Result<Vec<String>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT id FROM job WHERE next_run <= ?1 ORDER BY next_run, id LIMIT 1000")?;
    Ok(statement.query_map([Millis(now)], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// When the next job that is not due yet will be.
pub fn next_due(connection: &Connection, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT min(next_run) FROM job WHERE next_run > ?1")?;
    Ok(statement.query_row([Millis(now)], |row| row.get::<_, Option<Millis>>(0))?.map(|time| time.0))
}

/// Adds a job.
pub fn insert(connection: &Connection, job: &JobItem) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO job (id, kind, owner, source_user, source_bucket, target_user, target_bucket, backup, up_to, \
             created, description, state, retries, progress) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, '', '', 0, '')",
        )?
        .execute(params![
            job.id,
            Word(job.kind),
            job.user_id,
            job.source.user_id,
            job.source.name,
            job.target.as_ref().map(|target| &target.user_id),
            job.target.as_ref().map(|target| &target.name),
            job.backup_id,
            job.up_to.map(Millis),
            Millis(job.created_at),
        ])?;
    update(connection, job)
}

/// Writes what of a job may change.
pub fn update(connection: &Connection, job: &JobItem) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE job SET description = ?2, schedule = ?3, state = ?4, next_run = ?5, started = ?6, finished = ?7, \
             retries = ?8, message = ?9, progress = ?10, hold_up = ?11 WHERE id = ?1",
        )?
        .execute(params![
            job.id,
            job.description,
            job.schedule,
            Word(job.state),
            job.next_run_at.map(Millis),
            job.started_at.map(Millis),
            job.finished_at.map(Millis),
            job.retries,
            job.message,
            Doc(&job.progress),
            job.hold_up.as_ref().map(Doc),
        ])?;
    Ok(())
}

/// Removes a job; what it copied stays.
pub fn delete(connection: &Connection, id: &str) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM job WHERE id = ?1")?.execute([id])?;
    Ok(())
}

fn count_where(connection: &Connection, condition: &str, values: &[&str]) -> Result<u64, StoreError> {
    let sql = format!("SELECT count(*) FROM job j WHERE {condition}");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(count(statement.query_row(rusqlite::params_from_iter(values), |row| row.get(0))?))
}

/// Jobs on buckets of users of a tenant.
pub fn of_tenant(connection: &Connection, tenant: &str) -> Result<u64, StoreError> {
    let condition =
        "EXISTS (SELECT 1 FROM user u WHERE u.tenant = ?1 AND u.id IN (j.source_user, j.target_user))";
    count_where(connection, condition, &[tenant])
}

/// Jobs on buckets of users of an account.
pub fn of_account(connection: &Connection, account: &str) -> Result<u64, StoreError> {
    let condition =
        "EXISTS (SELECT 1 FROM user u WHERE u.account = ?1 AND u.id IN (j.source_user, j.target_user))";
    count_where(connection, condition, &[account])
}

/// Jobs that a user made, or that work on its buckets.
pub fn of_user(connection: &Connection, user: &str) -> Result<u64, StoreError> {
    count_where(connection, "?1 IN (j.owner, j.source_user, j.target_user)", &[user])
}

/// Jobs that are going to work on a bucket.
pub fn of_bucket(connection: &Connection, user: &str, name: &str) -> Result<u64, StoreError> {
    let condition = format!(
        "{GOING_TO_RUN} AND ((j.source_user = ?1 AND j.source_bucket = ?2) \
         OR (j.target_user = ?1 AND j.target_bucket = ?2))"
    );
    count_where(connection, &condition, &[user, name])
}

/// Restore jobs that are going to read what a Backup job copied.
pub fn restores_of(connection: &Connection, backup: &str) -> Result<u64, StoreError> {
    count_where(connection, &format!("{GOING_TO_RUN} AND j.backup = ?1"), &[backup])
}

/// Backup jobs that write into `target` from elsewhere than `source`.
pub fn backups_from_elsewhere(
    connection: &Connection,
    source: &BucketRef,
    target: &BucketRef,
) -> Result<u64, StoreError> {
    let condition = "j.kind = 'Backup' AND j.target_user = ?1 AND j.target_bucket = ?2 \
                     AND NOT (j.source_user = ?3 AND j.source_bucket = ?4)";
    count_where(connection, condition, &[&target.user_id, &target.name, &source.user_id, &source.name])
}
