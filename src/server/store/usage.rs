//! What was used, for bills: rows by hour. Adding them up to days and accounts is `domain::usage`'s.

use super::columns::word;
use super::{Store, StoreError, keys};
use crate::server::domain::access::Visible;
use crate::server::domain::usage::{Requests, Stored};
use crate::wire::Visibility;
use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

/// Which rows: of hours from `from` to before `to`, since 1970.
#[derive(Clone, Debug)]
pub struct Filter {
    /// The first hour.
    pub from: i64,
    /// The first hour that is not meant.
    pub to: i64,
    /// Of this tenant only.
    pub tenant: Option<String>,
    /// Of this account only.
    pub account: Option<String>,
    /// Of this user only.
    pub user: Option<String>,
    /// What the principal may see.
    pub visible: Visible,
}

impl Filter {
    /// The conditions on a table with the columns `hour`, `user`, `account` and `tenant`, joined with its tenant as `t`.
    fn text(&self, from_the_beginning: bool) -> (String, Vec<Value>) {
        let mut text = String::from("r.hour < ?");
        let mut values = vec![Value::Integer(self.to)];
        if !from_the_beginning {
            text.push_str(" AND r.hour >= ?");
            values.push(Value::Integer(self.from));
        }
        let named = [("tenant", &self.tenant), ("account", &self.account), ("user", &self.user)];
        for (column, value) in named.into_iter().filter_map(|(column, value)| Some((column, value.clone()?)))
        {
            text.push_str(" AND r.");
            text.push_str(column);
            text.push_str(" = ?");
            values.push(Value::Text(value));
        }
        match &self.visible {
            Visible::All => {}
            Visible::Tenant(own) => {
                text.push_str(" AND r.tenant = ?");
                values.push(Value::Text(own.clone()));
            }
            Visible::PublicOr { own } => {
                text.push_str(" AND (t.visibility = ? OR r.tenant = ?)");
                values.push(Value::Text(word(&Visibility::Public)));
                values.push(Value::Text(own.clone()));
            }
        }
        (text, values)
    }
}

/// Requests of those hours, by hour and key.
pub fn requests(connection: &Connection, filter: &Filter) -> Result<Vec<Requests>, StoreError> {
    let (conditions, values) = filter.text(false);
    let sql = format!(
        "SELECT r.hour, r.account, r.user, r.access_key, r.requests, r.egress FROM usage.request_hour r \
         LEFT JOIN tenant t ON t.id = r.tenant WHERE {conditions}"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| {
        Ok(Requests {
            hour: row.get(0)?,
            account: row.get(1)?,
            user: row.get(2)?,
            access_key: row.get(3)?,
            requests: row.get(4)?,
            egress: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Changes of what is stored, up to the last of those hours; what came before the first is one row of the hour before.
pub fn stored(connection: &Connection, filter: &Filter) -> Result<Vec<Stored>, StoreError> {
    let (conditions, mut values) = filter.text(true);
    let sql = format!(
        "SELECT max(r.hour, ?) AS at, r.account, r.user, sum(r.bytes), sum(r.objects) FROM stored_hour r \
         LEFT JOIN tenant t ON t.id = r.tenant WHERE {conditions} GROUP BY at, r.account, r.user"
    );
    values.insert(0, Value::Integer(filter.from - 1));
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| {
        Ok(Stored {
            hour: row.get(0)?,
            account: row.get(1)?,
            user: row.get(2)?,
            bytes: row.get(3)?,
            objects: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Forgets the hours before this one. What was stored then goes into one row of this hour: its sum is what is stored.
pub fn forget_before(connection: &Connection, hour: i64) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO stored_hour (hour, user, account, tenant, bytes, objects) \
             SELECT ?1, user, account, tenant, sum(bytes), sum(objects) FROM stored_hour WHERE hour < ?1 \
             GROUP BY user, account, tenant HAVING sum(bytes) <> 0 OR sum(objects) <> 0 \
             ON CONFLICT (hour, user, tenant) \
             DO UPDATE SET bytes = bytes + excluded.bytes, objects = objects + excluded.objects",
        )?
        .execute([hour])?;
    connection.prepare_cached("DELETE FROM stored_hour WHERE hour < ?1")?.execute([hour])?;
    Ok(())
}

/// Writes down when keys were last used that a server which was killed had counted but not written down.
pub async fn recover_last_used(store: &Store) -> Result<(), StoreError> {
    let uses = store
        .read(|connection| {
            let mut statement = connection.prepare(
                "SELECT access_key, max(last_used) FROM usage.request_hour \
                 WHERE hour >= (SELECT max(hour) FROM usage.request_hour) - 1 GROUP BY access_key",
            )?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))?;
            Ok::<Vec<(String, i64)>, StoreError>(rows.collect::<Result<_, _>>()?)
        })
        .await?;
    let uses: Vec<_> = uses
        .into_iter()
        .filter_map(|(key, time)| Some((key, Timestamp::from_millisecond(time).ok()?)))
        .collect();
    store.write(move |connection| keys::write_last_used(connection, &uses)).await
}
