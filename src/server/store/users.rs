//! Users: rows, what they have, and their password hashes.

use super::columns::{Doc, Millis, Word, count, maybe};
use super::lists::{Page, Where};
use super::{StoreError, labels};
use crate::server::domain::access::{OwnerFacts, TenantFacts};
use crate::wire::{Labels, Quota, Role, Usage, UserItem, Visibility};
use rusqlite::{Connection, Row};

const COLUMNS: &str = "u.id, u.login, u.name, u.email, u.time_zone, u.role, u.tenant, u.account, u.enabled, u.root, \
    u.description, u.quota, u.labels, u.created, \
    (SELECT count(*) FROM access_key k WHERE k.user = u.id), \
    (SELECT count(*) FROM bucket b WHERE b.user = u.id), \
    (SELECT coalesce(sum(b.used_bytes), 0) FROM bucket b WHERE b.user = u.id), \
    (SELECT coalesce(sum(b.used_objects), 0) FROM bucket b WHERE b.user = u.id)";

fn item(row: &Row<'_>) -> rusqlite::Result<UserItem> {
    Ok(UserItem {
        id: row.get(0)?,
        login: row.get(1)?,
        name: row.get(2)?,
        email: row.get(3)?,
        time_zone: row.get(4)?,
        role: row.get::<_, Word<Role>>(5)?.0,
        tenant_id: row.get(6)?,
        account_id: row.get(7)?,
        enabled: row.get(8)?,
        root: row.get(9)?,
        description: row.get(10)?,
        quota: row.get::<_, Doc<Quota>>(11)?.0,
        labels: row.get::<_, Doc<Labels>>(12)?.0,
        created_at: row.get::<_, Millis>(13)?.0,
        usage: Usage {
            access_keys: count(row.get(14)?),
            buckets: count(row.get(15)?),
            size: count(row.get(16)?),
            objects: count(row.get(17)?),
        },
    })
}

/// One user.
pub fn get(connection: &Connection, id: &str) -> Result<Option<UserItem>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM user u WHERE u.id = ?1");
    maybe(connection.prepare_cached(&sql)?.query_row([id], item))
}

/// One user with what the matrix needs of it as an owner.
pub fn owner(connection: &Connection, id: &str) -> Result<Option<(UserItem, OwnerFacts)>, StoreError> {
    let Some(user) = get(connection, id)? else { return Ok(None) };
    let mut statement = connection.prepare_cached(
        "SELECT t.id, t.visibility, t.built_in, u.made_by FROM user u JOIN tenant t ON t.id = u.tenant \
         WHERE u.id = ?1",
    )?;
    let facts = statement.query_row([id], |row| {
        let tenant = TenantFacts {
            id: row.get(0)?,
            visibility: row.get::<_, Word<Visibility>>(1)?.0,
            built_in: row.get(2)?,
        };
        Ok(OwnerFacts { user_id: user.id.clone(), tenant, made_by: row.get(3)? })
    })?;
    Ok(Some((user, facts)))
}

/// Who signs in: id, password hash if there is one, whether enabled.
pub fn for_sign_in(
    connection: &Connection,
    login: &str,
) -> Result<Option<(String, Option<String>, bool)>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT id, password, enabled FROM user WHERE login = ?1")?;
    maybe(statement.query_row([login], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))))
}

/// The password hash of a user, if it has one.
pub fn password(connection: &Connection, id: &str) -> Result<Option<String>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT password FROM user WHERE id = ?1")?;
    Ok(maybe(statement.query_row([id], |row| row.get(0)))?.flatten())
}

/// Whether there is a user of that login.
pub fn login_taken(connection: &Connection, login: &str) -> Result<bool, StoreError> {
    Ok(connection.prepare_cached("SELECT 1 FROM user WHERE login = ?1")?.exists([login])?)
}

/// Users in the order of their ids.
pub fn list(connection: &Connection, page: &Page, filter: Where) -> Result<Vec<UserItem>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM user u JOIN tenant t ON t.id = u.tenant");
    filter.after("u.id", page).rows(connection, &sql, "u.id", page, item)
}

/// Adds a user. `password` is a hash.
pub fn insert(
    connection: &Connection,
    user: &UserItem,
    password: Option<&str>,
    made_by: &str,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO user (id, login, name, email, time_zone, role, tenant, account, enabled, root, description, \
             quota, labels, password, made_by, created) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        )?
        .execute((
            &user.id,
            &user.login,
            &user.name,
            &user.email,
            &user.time_zone,
            Word(user.role),
            &user.tenant_id,
            &user.account_id,
            user.enabled,
            user.root,
            &user.description,
            Doc(user.quota),
            Doc(&user.labels),
            password,
            made_by,
            Millis(user.created_at),
        ))?;
    labels::replace(connection, labels::Kind::User, &user.id, &user.labels)
}

/// Writes what of a user may change; `password` is a new hash, which ends the user's sessions.
pub fn update(connection: &Connection, user: &UserItem, password: Option<&str>) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE user SET name = ?2, email = ?3, time_zone = ?4, role = ?5, tenant = ?6, enabled = ?7, \
             description = ?8, quota = ?9, labels = ?10, password = coalesce(?11, password) WHERE id = ?1",
        )?
        .execute((
            &user.id,
            &user.name,
            &user.email,
            &user.time_zone,
            Word(user.role),
            &user.tenant_id,
            user.enabled,
            &user.description,
            Doc(user.quota),
            Doc(&user.labels),
            password,
        ))?;
    if password.is_some() || !user.enabled {
        connection.prepare_cached("DELETE FROM session WHERE user = ?1")?.execute([&user.id])?;
    }
    labels::replace(connection, labels::Kind::User, &user.id, &user.labels)
}

/// Removes a user with its sessions and tokens.
pub fn delete(connection: &Connection, id: &str) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM user WHERE id = ?1")?.execute([id])?;
    labels::remove(connection, labels::Kind::User, id)
}
