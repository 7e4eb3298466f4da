//! The audit log: appended to in the transaction of the change, or of the refusal; never changed
//! (triggers of the database refuse that).

use super::StoreError;
use super::columns::Millis;
use super::lists::{Page, Where};
use crate::wire::AuditEvent;
use jiff::Timestamp;
use rusqlite::Connection;

/// What is to be written down. Never a secret, nor what a caller typed where a secret might stand.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// When.
    pub time: Timestamp,
    /// Who: a user's id, or `system`.
    pub principal: &'a str,
    /// The principal's tenant; empty for the system.
    pub tenant: &'a str,
    /// What: `accessKey.create`, …
    pub action: &'a str,
    /// On what: an id.
    pub target: &'a str,
    /// `ok`, or a problem type.
    pub outcome: &'a str,
    /// The request.
    pub request_id: &'a str,
}

/// Appends an event.
pub fn append(connection: &Connection, entry: &Entry<'_>) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO audit (time, principal, tenant, action, target, outcome, request_id) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((
            Millis(entry.time),
            entry.principal,
            entry.tenant,
            entry.action,
            entry.target,
            entry.outcome,
            entry.request_id,
        ))?;
    Ok(())
}

/// Events, oldest first. `page.after` is a sequence number in 20 digits.
pub fn list(connection: &Connection, page: &Page, filter: Where) -> Result<Vec<AuditEvent>, StoreError> {
    let sql = "SELECT e.sequence, e.time, e.principal, e.action, e.target, e.outcome, e.request_id FROM audit e \
               LEFT JOIN tenant t ON t.id = e.tenant";
    filter.after("e.sequence", page).rows(connection, sql, "e.sequence", page, |row| {
        Ok(AuditEvent {
            sequence: row.get(0)?,
            time: row.get::<_, Millis>(1)?.0,
            principal: row.get(2)?,
            action: row.get(3)?,
            target: row.get(4)?,
            outcome: row.get(5)?,
            request_id: row.get(6)?,
        })
    })
}
