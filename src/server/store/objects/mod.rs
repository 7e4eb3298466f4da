//! The rows of the data plane: versions of objects, multipart uploads and their parts, and what of a bucket S3 changes.
//!
//! Only SQL lives here: which row may be written, replaced or removed is decided by the callers.

pub mod buckets;
pub mod quotas;
pub mod uploads;
pub mod versions;

use super::{BlobName, StoreError};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

impl ToSql for BlobName {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.as_str().as_bytes())))
    }
}

impl FromSql for BlobName {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::parse(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}

/// All rows, or the first failure.
fn all<T>(
    rows: rusqlite::MappedRows<'_, impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>>,
) -> Result<Vec<T>, StoreError> {
    Ok(rows.collect::<Result<_, _>>()?)
}
