//! Accounts: rows, and the usage that rolls up to them (rule 9).

use super::StoreError;
use super::columns::{Millis, count, maybe};
use super::lists::{Page, Where};
use crate::server::domain::accounts::Hanging;
use crate::wire::{AccountItem, Usage};
use rusqlite::{Connection, Row};

const COLUMNS: &str = "a.id, a.name, a.tenant, a.description, a.is_default, \
    (SELECT r.id FROM user r WHERE r.account = a.id AND r.root = 1), a.created, \
    (SELECT count(*) FROM access_key k JOIN user x ON x.id = k.user WHERE x.account = a.id), \
    (SELECT count(*) FROM bucket b JOIN user x ON x.id = b.user WHERE x.account = a.id), \
    (SELECT coalesce(sum(b.used_bytes), 0) FROM bucket b JOIN user x ON x.id = b.user WHERE x.account = a.id), \
    (SELECT coalesce(sum(b.used_objects), 0) FROM bucket b JOIN user x ON x.id = b.user WHERE x.account = a.id)";

fn item(row: &Row<'_>) -> rusqlite::Result<AccountItem> {
    Ok(AccountItem {
        id: row.get(0)?,
        name: row.get(1)?,
        tenant_id: row.get(2)?,
        description: row.get(3)?,
        default: row.get(4)?,
        root_user_id: row.get(5)?,
        created_at: row.get::<_, Millis>(6)?.0,
        usage: Usage {
            access_keys: count(row.get(7)?),
            buckets: count(row.get(8)?),
            size: count(row.get(9)?),
            objects: count(row.get(10)?),
        },
    })
}

/// One account.
pub fn get(connection: &Connection, id: &str) -> Result<Option<AccountItem>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM account a WHERE a.id = ?1");
    maybe(connection.prepare_cached(&sql)?.query_row([id], item))
}

/// The default account.
pub fn default_one(connection: &Connection) -> Result<Option<AccountItem>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM account a WHERE a.is_default = 1");
    maybe(connection.prepare_cached(&sql)?.query_row([], item))
}

/// Whether there is an account of that name.
pub fn name_taken(connection: &Connection, name: &str) -> Result<bool, StoreError> {
    Ok(connection.prepare_cached("SELECT 1 FROM account WHERE name = ?1")?.exists([name])?)
}

/// Accounts in the order of their ids.
pub fn list(connection: &Connection, page: &Page, filter: Where) -> Result<Vec<AccountItem>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM account a JOIN tenant t ON t.id = a.tenant");
    filter.after("a.id", page).rows(connection, &sql, "a.id", page, item)
}

/// What hangs on an account.
pub fn hanging(connection: &Connection, id: &str) -> Result<Hanging, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT (SELECT count(*) FROM user WHERE account = ?1 AND root = 0), \
         (SELECT count(*) FROM bucket b JOIN user u ON u.id = b.user WHERE u.account = ?1 AND u.root = 1)",
    )?;
    let (users, root_buckets) =
        statement.query_row([id], |row| Ok((count(row.get(0)?), count(row.get(1)?))))?;
    Ok(Hanging { users, root_buckets, jobs: super::jobs::of_account(connection, id)? })
}

/// How many of an account's users, its Root user aside, belong to other tenants than this one.
pub fn users_of_other_tenants(connection: &Connection, id: &str, tenant: &str) -> Result<u64, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT count(*) FROM user WHERE account = ?1 AND root = 0 AND tenant <> ?2")?;
    Ok(count(statement.query_row([id, tenant], |row| row.get(0))?))
}

/// Adds an account; its Root user is added right after it.
pub fn insert(connection: &Connection, account: &AccountItem) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO account (id, name, tenant, description, is_default, created) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((
            &account.id,
            &account.name,
            &account.tenant_id,
            &account.description,
            account.default,
            Millis(account.created_at),
        ))?;
    Ok(())
}

/// Writes what of an account may change. Its Root user moves with it; a new default takes the place of the old one.
pub fn update(connection: &Connection, account: &AccountItem) -> Result<(), StoreError> {
    if account.default {
        connection
            .prepare_cached("UPDATE account SET is_default = 0 WHERE is_default = 1 AND id <> ?1")?
            .execute([&account.id])?;
    }
    connection
        .prepare_cached("UPDATE account SET tenant = ?2, description = ?3, is_default = ?4 WHERE id = ?1")?
        .execute((&account.id, &account.tenant_id, &account.description, account.default))?;
    connection
        .prepare_cached("UPDATE user SET tenant = ?2 WHERE account = ?1 AND root = 1")?
        .execute((&account.id, &account.tenant_id))?;
    Ok(())
}

/// Removes an account with its Root user and the Root user's key.
pub fn delete(connection: &Connection, account: &AccountItem) -> Result<(), StoreError> {
    for key in super::keys::of_user(connection, &account.root_user_id)? {
        super::keys::delete(connection, &key)?;
    }
    super::users::delete(connection, &account.root_user_id)?;
    connection.prepare_cached("DELETE FROM account WHERE id = ?1")?.execute([&account.id])?;
    Ok(())
}
