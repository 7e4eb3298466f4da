//! Tenants: rows.

use super::columns::{Doc, Millis, Word, count, maybe};
use super::lists::{Page, Where};
use super::{StoreError, labels};
use crate::server::domain::tenants::Hanging;
use crate::wire::{Labels, Quota, TenantItem, Visibility};
use rusqlite::{Connection, Row};

const COLUMNS: &str = "t.id, t.name, t.visibility, t.description, t.quota, t.labels, t.built_in, t.created";

fn item(row: &Row<'_>) -> rusqlite::Result<TenantItem> {
    Ok(TenantItem {
        id: row.get(0)?,
        name: row.get(1)?,
        visibility: row.get::<_, Word<Visibility>>(2)?.0,
        description: row.get(3)?,
        quota: row.get::<_, Doc<Quota>>(4)?.0,
        labels: row.get::<_, Doc<Labels>>(5)?.0,
        built_in: row.get(6)?,
        created_at: row.get::<_, Millis>(7)?.0,
    })
}

/// One tenant.
pub fn get(connection: &Connection, id: &str) -> Result<Option<TenantItem>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM tenant t WHERE t.id = ?1");
    maybe(connection.prepare_cached(&sql)?.query_row([id], item))
}

/// Whether there is a tenant of that name.
pub fn name_taken(connection: &Connection, name: &str) -> Result<bool, StoreError> {
    Ok(connection.prepare_cached("SELECT 1 FROM tenant WHERE name = ?1")?.exists([name])?)
}

/// Tenants in the order of their ids.
pub fn list(connection: &Connection, page: &Page, filter: Where) -> Result<Vec<TenantItem>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM tenant t");
    filter.after("t.id", page).rows(connection, &sql, "t.id", page, item)
}

/// What hangs on a tenant. Root users hang on their account.
pub fn hanging(connection: &Connection, id: &str) -> Result<Hanging, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT (SELECT count(*) FROM user WHERE tenant = ?1 AND root = 0), \
         (SELECT count(*) FROM account WHERE tenant = ?1)",
    )?;
    let (users, accounts) = statement.query_row([id], |row| Ok((count(row.get(0)?), count(row.get(1)?))))?;
    Ok(Hanging { users, accounts, jobs: super::jobs::of_tenant(connection, id)? })
}

/// Adds a tenant.
pub fn insert(connection: &Connection, tenant: &TenantItem) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO tenant (id, name, visibility, description, quota, labels, built_in, created) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute((
            &tenant.id,
            &tenant.name,
            Word(tenant.visibility),
            &tenant.description,
            Doc(tenant.quota),
            Doc(&tenant.labels),
            tenant.built_in,
            Millis(tenant.created_at),
        ))?;
    labels::replace(connection, labels::Kind::Tenant, &tenant.id, &tenant.labels)
}

/// Writes what of a tenant may change.
pub fn update(connection: &Connection, tenant: &TenantItem) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE tenant SET visibility = ?2, description = ?3, quota = ?4, labels = ?5 WHERE id = ?1",
        )?
        .execute((
            &tenant.id,
            Word(tenant.visibility),
            &tenant.description,
            Doc(tenant.quota),
            Doc(&tenant.labels),
        ))?;
    labels::replace(connection, labels::Kind::Tenant, &tenant.id, &tenant.labels)
}

/// Removes a tenant.
pub fn delete(connection: &Connection, id: &str) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM tenant WHERE id = ?1")?.execute([id])?;
    labels::remove(connection, labels::Kind::Tenant, id)
}
