//! Schema versions, kept in `PRAGMA user_version`: forward only, backed up first, a newer one refused.

use super::StoreError;
use rusqlite::Connection;
use std::path::Path;

/// The scripts; the n-th makes schema n.
const SCRIPTS: [&str; 1] = [include_str!("schema_1.sql")];

/// Brings the database to the newest schema. A database that holds something is copied to `…before-<n>` first.
pub fn to_newest(connection: &mut Connection, file: &Path) -> Result<(), StoreError> {
    let known = u32::try_from(SCRIPTS.len()).unwrap_or(u32::MAX);
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > known {
        return Err(StoreError::NewerSchema { found, known });
    }
    if found > 0 && found < known {
        let copy = file.with_extension(format!("db.before-{known}"));
        connection.execute("VACUUM INTO ?1", [copy.to_string_lossy()])?;
    }
    for (version, script) in (1..).zip(SCRIPTS).skip(found as usize) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(script)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{SCRIPTS, to_newest};
    use crate::server::store::StoreError;
    use rusqlite::Connection;
    use std::path::Path;

    #[test]
    fn a_new_database_gets_the_newest_schema() {
        let mut connection = Connection::open_in_memory().unwrap();
        to_newest(&mut connection, Path::new("unused.db")).unwrap();
        let version: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        assert_eq!(version as usize, SCRIPTS.len());
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", 1_000).unwrap();
        let error = to_newest(&mut connection, Path::new("unused.db")).unwrap_err();
        assert!(matches!(error, StoreError::NewerSchema { found: 1_000, .. }));
    }
}
