//! How our own types lie in columns: enums as the plain word, documents as JSON, times as milliseconds.

use super::StoreError;
use jiff::Timestamp;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Value, ValueRef};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An enum whose JSON is one word, stored as that word.
pub struct Word<T>(pub T);

/// Anything with a JSON form, stored as that JSON.
pub struct Doc<T>(pub T);

/// A time, stored as milliseconds since 1970.
pub struct Millis(pub Timestamp);

fn unfit(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}

/// The word of an enum value; empty for what is no word.
pub fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(_) | Err(_) => String::new(),
    }
}

impl<T: Serialize> ToSql for Word<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(Value::Text(word(&self.0))))
    }
}

impl<T: DeserializeOwned> FromSql for Word<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = serde_json::Value::String(value.as_str()?.to_owned());
        serde_json::from_value(text).map(Self).map_err(FromSqlError::other)
    }
}

impl<T: Serialize> ToSql for Doc<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let text = serde_json::to_string(&self.0).map_err(unfit)?;
        Ok(ToSqlOutput::Owned(Value::Text(text)))
    }
}

impl<T: DeserializeOwned> FromSql for Doc<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Self).map_err(FromSqlError::other)
    }
}

impl ToSql for Millis {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(Value::Integer(self.0.as_millisecond())))
    }
}

impl FromSql for Millis {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Timestamp::from_millisecond(value.as_i64()?).map(Self).map_err(FromSqlError::other)
    }
}

/// A count as SQLite has it: never negative in our tables.
pub fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// The first row of a query, or `None`.
pub fn maybe<T>(result: rusqlite::Result<T>) -> Result<Option<T>, StoreError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
        Err(error) => Err(StoreError::from(error)),
    }
}

/// A time as answers show it: to the millisecond, as it is stored.
pub fn to_millis(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::{Doc, Millis, Word};
    use crate::wire::{Permission, Quota};
    use rusqlite::Connection;

    #[test]
    fn what_is_stored_is_read_back() {
        let connection = Connection::open_in_memory().unwrap();
        let time = jiff::Timestamp::from_millisecond(1_234).unwrap();
        let quota = Quota { buckets: Some(3), ..Quota::default() };
        let row = connection
            .query_row("SELECT ?1, ?2, ?3", (Word(Permission::ReadWrite), Doc(quota), Millis(time)), |row| {
                let text: String = row.get(0)?;
                let word: Word<Permission> = row.get(0)?;
                let doc: Doc<Quota> = row.get(1)?;
                let millis: Millis = row.get(2)?;
                Ok((text, word.0, doc.0, millis.0))
            })
            .unwrap();
        assert_eq!(row, ("ReadWrite".to_owned(), Permission::ReadWrite, quota, time));
    }
}
