//! Sessions and API tokens: stored as SHA-256 of the bearer token, never as the token.

use super::StoreError;
use super::columns::{Doc, Millis, Word, maybe};
use super::lists::{Page, Where};
use crate::server::domain::access::{Credential, Principal};
use crate::wire::{Role, Scope, TokenItem};
use jiff::Timestamp;
use rusqlite::{Connection, Row};

/// The hash that a bearer token is stored and found by.
pub type TokenHash = [u8; 32];

/// Who a bearer token belongs to, if it is in force at this time and its user is enabled (rule 10).
pub fn authenticate(
    connection: &Connection,
    hash: &TokenHash,
    now: Timestamp,
) -> Result<Option<(Principal, Credential)>, StoreError> {
    let principal = |row: &Row<'_>| -> rusqlite::Result<Principal> {
        Ok(Principal { user_id: row.get(1)?, role: row.get::<_, Word<Role>>(2)?.0, tenant_id: row.get(3)? })
    };
    let mut tokens = connection.prepare_cached(
        "SELECT c.scopes, u.id, u.role, u.tenant FROM token c JOIN user u ON u.id = c.user \
         WHERE c.token_hash = ?1 AND (c.expires IS NULL OR c.expires > ?2) AND u.enabled = 1",
    )?;
    let token = maybe(tokens.query_row((hash, Millis(now)), |row| {
        let scopes = row.get::<_, Doc<Vec<Scope>>>(0)?.0;
        Ok((principal(row)?, Credential::Token { scopes }))
    }))?;
    if token.is_some() {
        return Ok(token);
    }
    let mut sessions = connection.prepare_cached(
        "SELECT c.verified, u.id, u.role, u.tenant FROM session c JOIN user u ON u.id = c.user \
         WHERE c.token_hash = ?1 AND c.expires > ?2 AND u.enabled = 1",
    )?;
    maybe(sessions.query_row((hash, Millis(now)), |row| {
        let verified = row.get::<_, Option<Millis>>(0)?.map(|t| t.0);
        Ok((principal(row)?, Credential::Session { verified }))
    }))
}

/// Begins a session. Sessions that have ended are forgotten on this occasion.
pub fn insert_session(
    connection: &Connection,
    hash: &TokenHash,
    user: &str,
    now: Timestamp,
    expires: Timestamp,
) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM session WHERE expires <= ?1")?.execute([Millis(now)])?;
    connection
        .prepare_cached("INSERT INTO session (token_hash, user, expires, created) VALUES (?1, ?2, ?3, ?4)")?
        .execute((hash, user, Millis(expires), Millis(now)))?;
    Ok(())
}

/// Notes that a session's password was verified (rule 5).
pub fn verify_session(connection: &Connection, hash: &TokenHash, now: Timestamp) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE session SET verified = ?2 WHERE token_hash = ?1")?
        .execute((hash, Millis(now)))?;
    Ok(())
}

/// Ends a session.
pub fn delete_session(connection: &Connection, hash: &TokenHash) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM session WHERE token_hash = ?1")?.execute([hash])?;
    Ok(())
}

const COLUMNS: &str = "c.id, c.user, c.name, c.scopes, c.expires, c.created";

fn item(row: &Row<'_>) -> rusqlite::Result<TokenItem> {
    Ok(TokenItem {
        id: row.get(0)?,
        user_id: row.get(1)?,
        name: row.get(2)?,
        scopes: row.get::<_, Doc<Vec<Scope>>>(3)?.0,
        expires_at: row.get::<_, Option<Millis>>(4)?.map(|t| t.0),
        created_at: row.get::<_, Millis>(5)?.0,
    })
}

/// One token.
pub fn get_token(connection: &Connection, id: &str) -> Result<Option<TokenItem>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM token c WHERE c.id = ?1");
    maybe(connection.prepare_cached(&sql)?.query_row([id], item))
}

/// Tokens in the order of their ids.
pub fn list_tokens(
    connection: &Connection,
    page: &Page,
    filter: Where,
) -> Result<Vec<TokenItem>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM token c JOIN user u ON u.id = c.user JOIN tenant t ON t.id = u.tenant"
    );
    filter.after("c.id", page).rows(connection, &sql, "c.id", page, item)
}

/// Adds a token.
pub fn insert_token(connection: &Connection, token: &TokenItem, hash: &TokenHash) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO token (id, token_hash, user, name, scopes, expires, created) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((
            &token.id,
            hash,
            &token.user_id,
            &token.name,
            Doc(&token.scopes),
            token.expires_at.map(Millis),
            Millis(token.created_at),
        ))?;
    Ok(())
}

/// Removes a token: it stops at once.
pub fn delete_token(connection: &Connection, id: &str) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM token WHERE id = ?1")?.execute([id])?;
    Ok(())
}
