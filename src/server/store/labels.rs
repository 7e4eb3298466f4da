//! The index of labels: one row a label, beside the JSON in the resource's own row, so that lists can be filtered.

use super::StoreError;
use crate::wire::Labels;
use rusqlite::Connection;

/// What a label is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A tenant, by its id.
    Tenant,
    /// A user, by its id.
    User,
    /// A key, by its access key id.
    AccessKey,
    /// A bucket, by `<user id>/<name>`.
    Bucket,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::User => "user",
            Self::AccessKey => "accessKey",
            Self::Bucket => "bucket",
        }
    }

    /// The condition of a list filtered by one label; its two parameters are the label's name and value.
    pub fn condition(self) -> &'static str {
        match self {
            Self::Tenant => "t.id IN (SELECT id FROM label WHERE kind = 'tenant' AND name = ? AND value = ?)",
            Self::User => "u.id IN (SELECT id FROM label WHERE kind = 'user' AND name = ? AND value = ?)",
            Self::AccessKey => {
                "k.id IN (SELECT id FROM label WHERE kind = 'accessKey' AND name = ? AND value = ?)"
            }
            Self::Bucket => {
                "b.user || '/' || b.name IN \
                 (SELECT id FROM label WHERE kind = 'bucket' AND name = ? AND value = ?)"
            }
        }
    }
}

/// Makes the index say what the resource says.
pub fn replace(connection: &Connection, kind: Kind, id: &str, labels: &Labels) -> Result<(), StoreError> {
    remove(connection, kind, id)?;
    let mut statement =
        connection.prepare_cached("INSERT INTO label (kind, id, name, value) VALUES (?1, ?2, ?3, ?4)")?;
    for (name, value) in labels {
        statement.execute((kind.word(), id, name, value))?;
    }
    Ok(())
}

/// Forgets the labels of what is removed.
pub fn remove(connection: &Connection, kind: Kind, id: &str) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM label WHERE kind = ?1 AND id = ?2")?.execute((kind.word(), id))?;
    Ok(())
}
