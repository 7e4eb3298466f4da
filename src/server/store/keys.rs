//! Access keys: rows, sealed secrets, what the data plane needs to check a signature, and when a key was last used.

use super::columns::{Doc, Millis, Word, count, maybe};
use super::lists::{Page, Where};
use super::{Sealed, Store, StoreError, labels};
use crate::wire::{AccessKeyItem, Labels, Permission, Role, ShownSecret};
use jiff::Timestamp;
use rusqlite::{Connection, Row};

/// What the S3 side needs of a key: whose it is, what it may do, and the secret to check signatures with. No `Debug`.
pub struct SigningKey {
    /// The access key id.
    pub id: String,
    /// Whose it is, `us_…`: the only user whose buckets it reaches (rule 3).
    pub user_id: String,
    /// The Account ID that usage rolls up to (rule 9).
    pub account_id: String,
    /// The user's tenant.
    pub tenant_id: String,
    /// What it may do.
    pub permission: Permission,
    /// Names of the buckets that it is restricted to; `None`: all of the user's.
    pub buckets: Option<Vec<String>>,
    /// The secret.
    pub secret: ShownSecret,
}

/// The key of that id if it may be used now: `None` where there is none, where it was revoked or is suspended, where its
/// user is not enabled (rule 10), and where the user's role no longer allows its permission. Reads the database each time, so that
/// all of this holds from the moment of the change.
pub async fn find_for_signing(store: &Store, id: &str) -> Result<Option<SigningKey>, StoreError> {
    let wanted = id.to_owned();
    let opener = store.clone();
    store
        .read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT k.user, u.account, k.permission, k.buckets, k.sealed_secret, u.role, u.tenant FROM access_key k \
                 JOIN user u ON u.id = k.user WHERE k.id = ?1 AND k.active = 1 AND u.enabled = 1",
            )?;
            let found = maybe(statement.query_row([&wanted], |row| {
                let permission: Word<Permission> = row.get(2)?;
                let buckets: Option<Doc<Vec<String>>> = row.get(3)?;
                let role: Word<Role> = row.get(5)?;
                Ok((row.get(0)?, row.get(1)?, permission.0, buckets.map(|b| b.0), row.get(4)?, role.0, row.get(6)?))
            }))?;
            let Some((user_id, account_id, permission, buckets, sealed, role, tenant_id)) = found else {
                return Ok(None);
            };
            if !role.permissions().contains(&permission) {
                return Ok(None);
            }
            let secret = opener.cipher().open_sealed(&Sealed(sealed))?;
            Ok(Some(SigningKey { id: wanted, user_id, account_id, tenant_id, permission, buckets, secret }))
        })
        .await
}

/// The columns of [`item`].
const COLUMNS: &str =
    "k.id, k.user, k.permission, k.description, k.buckets, k.labels, k.created, k.last_used, k.active";

fn item(row: &Row<'_>) -> rusqlite::Result<AccessKeyItem> {
    let id: String = row.get(0)?;
    let buckets: Option<Doc<Vec<String>>> = row.get(4)?;
    let last_used: Option<Millis> = row.get(7)?;
    Ok(AccessKeyItem {
        hint: crate::server::domain::keys::hint(&id),
        access_key_id: id,
        user_id: row.get(1)?,
        permission: row.get::<_, Word<Permission>>(2)?.0,
        description: row.get(3)?,
        buckets: buckets.map(|b| b.0),
        active: row.get(8)?,
        labels: row.get::<_, Doc<Labels>>(5)?.0,
        created_at: row.get::<_, Millis>(6)?.0,
        last_used_at: last_used.map(|t| t.0),
    })
}

/// One key.
pub fn get(connection: &Connection, id: &str) -> Result<Option<AccessKeyItem>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM access_key k WHERE k.id = ?1");
    maybe(connection.prepare_cached(&sql)?.query_row([id], item))
}

/// Keys in the order of their ids.
pub fn list(connection: &Connection, page: &Page, filter: Where) -> Result<Vec<AccessKeyItem>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM access_key k JOIN user u ON u.id = k.user JOIN tenant t ON t.id = u.tenant"
    );
    filter.after("k.id", page).rows(connection, &sql, "k.id", page, item)
}

/// The keys of a user, by id.
pub fn of_user(connection: &Connection, user: &str) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT id FROM access_key WHERE user = ?1 ORDER BY id")?;
    let ids = statement.query_map([user], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(ids)
}

/// How many of a user's keys are restricted to this bucket.
pub fn naming_bucket(connection: &Connection, user: &str, bucket: &str) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT count(*) FROM access_key k WHERE k.user = ?1 AND k.buckets IS NOT NULL \
         AND EXISTS (SELECT 1 FROM json_each(k.buckets) b WHERE b.value = ?2)",
    )?;
    Ok(count(statement.query_row([user, bucket], |row| row.get(0))?))
}

/// Adds a key with its sealed secret.
pub fn insert(connection: &Connection, key: &AccessKeyItem, secret: &Sealed) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO access_key (id, user, permission, description, buckets, labels, sealed_secret, created) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute((
            &key.access_key_id,
            &key.user_id,
            Word(key.permission),
            &key.description,
            key.buckets.as_ref().map(Doc),
            Doc(&key.labels),
            &secret.0,
            Millis(key.created_at),
        ))?;
    labels::replace(connection, labels::Kind::AccessKey, &key.access_key_id, &key.labels)
}

/// Writes what of a key may change: description, labels, and whether it works.
pub fn update(connection: &Connection, key: &AccessKeyItem) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE access_key SET description = ?2, labels = ?3, active = ?4 WHERE id = ?1")?
        .execute((&key.access_key_id, &key.description, Doc(&key.labels), key.active))?;
    labels::replace(connection, labels::Kind::AccessKey, &key.access_key_id, &key.labels)
}

/// Removes a key: it stops at once.
pub fn delete(connection: &Connection, id: &str) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM access_key WHERE id = ?1")?.execute([id])?;
    labels::remove(connection, labels::Kind::AccessKey, id)
}

/// Writes down when keys were last used.
pub fn write_last_used(connection: &Connection, uses: &[(String, Timestamp)]) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "UPDATE access_key SET last_used = ?2 WHERE id = ?1 AND (last_used IS NULL OR last_used < ?2)",
    )?;
    for (id, time) in uses {
        statement.execute((id, Millis(*time)))?;
    }
    Ok(())
}
