//! Schema versions, kept in `PRAGMA user_version`: forward only, backed up first, a newer one refused.

use super::StoreError;
use rusqlite::Connection;
use std::path::Path;

/// The scripts; the n-th makes schema n.
const SCRIPTS: [&str; 5] = [
    include_str!("schema_1.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
    include_str!("schema_5.sql"),
];

/// Brings the database to the newest schema. A database that holds something is copied to `…db.before-<n>` first.
pub fn to_newest(connection: &mut Connection, file: &Path) -> Result<(), StoreError> {
    run(connection, file, &SCRIPTS)
}

/// Runs the scripts that the database has not seen, each in a transaction with the new version.
fn run(connection: &mut Connection, file: &Path, scripts: &[&str]) -> Result<(), StoreError> {
    let known = u32::try_from(scripts.len()).unwrap_or(u32::MAX);
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > known {
        return Err(StoreError::NewerSchema { found, known });
    }
    if found > 0 && found < known {
        back_up(connection, &file.with_extension(format!("db.before-{known}")))?;
    }
    for (version, script) in (1..).zip(scripts).skip(found as usize) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(script)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

/// A copy that an earlier attempt left is older than the database is now, and is replaced.
fn back_up(connection: &Connection, copy: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(copy) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            return Err(StoreError::File { op: "replace", path: copy.to_owned(), source });
        }
        Ok(()) | Err(_) => {}
    }
    connection.execute("VACUUM INTO ?1", [copy.to_string_lossy()])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{SCRIPTS, run, to_newest};
    use crate::server::store::StoreError;
    use rusqlite::Connection;
    use std::path::Path;

    fn version(connection: &Connection) -> i64 {
        connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_new_database_gets_the_newest_schema() {
        let mut connection = Connection::open_in_memory().unwrap();
        to_newest(&mut connection, Path::new("unused.db")).unwrap();
        assert_eq!(version(&connection), i64::try_from(SCRIPTS.len()).unwrap());
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", 1_000).unwrap();
        let error = to_newest(&mut connection, Path::new("unused.db")).unwrap_err();
        assert!(matches!(error, StoreError::NewerSchema { found: 1_000, .. }));
    }

    #[test]
    fn an_older_database_is_copied_first_and_a_script_that_fails_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.db");
        let copy = folder.path().join("a.db.before-2");
        let mut connection = Connection::open(&file).unwrap();
        let first = "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (7)";
        run(&mut connection, &file, &[first]).unwrap();
        assert!(!copy.exists(), "an empty database needs no copy");

        run(&mut connection, &file, &[first, "DROP TABLE a; SELECT nothing"]).unwrap_err();
        assert_eq!(version(&connection), 1);
        connection.execute("UPDATE a SET x = 8", []).unwrap();
        run(&mut connection, &file, &[first, "DROP TABLE a"]).unwrap();
        assert_eq!(version(&connection), 2);

        let copy = Connection::open(copy).unwrap();
        let kept: i64 = copy.query_row("SELECT x FROM a", [], |row| row.get(0)).unwrap();
        assert_eq!((version(&copy), kept), (1, 8));
    }
}
