//! What was answered is there after a restart; a folder is opened by one server, with its own key.

use super::{PASSWORD, Server, text};
use crate::server::store::{Store, StoreError, keys};
use rusqlite::Connection;
use serde_json::json;
use std::os::unix::fs::PermissionsExt as _;

#[tokio::test]
async fn a_restart_keeps_everything() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let tenant = admin.tenant("acme", "Public").await;
    let user = admin.user("u", "FullAccess", &tenant).await;
    admin.bucket(&user, "data").await;
    let key = admin.key(&user, "Full").await;
    let before = server.dump();
    drop(admin);
    let server = server.restart().await;
    assert_eq!(server.dump(), before);
    let found = keys::find_for_signing(&server.app.store, &text(&key, "accessKeyId")).await.unwrap().unwrap();
    assert_eq!(found.secret.reveal(), text(&key, "secretAccessKey"));
    server.sign_in("u", PASSWORD).await.get("/v1/buckets").await.expect(200);
}

#[tokio::test]
async fn a_folder_is_opened_by_one_server_at_a_time() {
    let server = Server::start().await;
    let error = Store::open(server.folder.path()).err().unwrap();
    assert!(matches!(error, StoreError::Locked(_)), "{error}");
    let Server { folder, app, router } = server;
    drop((app, router));
    assert!(Store::open(folder.path()).is_ok());
}

#[tokio::test]
async fn a_wrong_or_missing_key_file_is_refused_and_the_file_is_private() {
    let server = Server::start().await;
    let Server { folder, app, router } = server;
    drop((app, router));
    let file = folder.path().join("storekeeper.key");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let key = std::fs::read(&file).unwrap();
    for wrong in [Some(vec![7; 32]), Some(vec![7; 5]), None] {
        match &wrong {
            Some(bytes) => std::fs::write(&file, bytes).unwrap(),
            None => std::fs::remove_file(&file).unwrap(),
        }
        let error = Store::open(folder.path()).err().unwrap();
        assert!(matches!(error, StoreError::WrongKey(_)), "{error}");
        assert!(wrong.is_some() || !file.exists(), "a lost key must not be replaced by a new one");
    }
    std::fs::write(&file, key).unwrap();
    assert!(Store::open(folder.path()).is_ok());
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let server = Server::start().await;
    let Server { folder, app, router } = server;
    drop((app, router));
    let connection = rusqlite::Connection::open(folder.path().join("storekeeper.db")).unwrap();
    connection.pragma_update(None, "user_version", 1_000).unwrap();
    drop(connection);
    let error = Store::open(folder.path()).err().unwrap();
    assert!(matches!(error, StoreError::NewerSchema { found: 1_000, .. }), "{error}");
}

#[tokio::test]
async fn the_database_is_in_wal_mode_and_writes_through() {
    let server = Server::start().await;
    let modes = server.app.store.write(|connection| {
        let journal: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
        let synchronous: i64 = connection.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
        let foreign_keys: i64 = connection.query_row("PRAGMA foreign_keys", [], |row| row.get(0))?;
        Ok::<_, StoreError>((journal, synchronous, foreign_keys))
    });
    assert_eq!(modes.await.unwrap(), ("wal".to_owned(), 2, 1));
}

#[tokio::test]
async fn writes_that_share_a_commit_do_not_share_a_failure() {
    let server = Server::start().await;
    let store = &server.app.store;
    let write = |n: i64| {
        store.write(move |connection| {
            connection.execute("INSERT INTO meta (name, value) VALUES (?1, x'00')", [format!("n{n}")])?;
            if n % 3 == 0 { Err(StoreError::Corrupt("on purpose".to_owned())) } else { Ok(n) }
        })
    };
    let results = futures::future::join_all((0..60).map(write)).await;
    for (n, result) in (0..).zip(results) {
        assert_eq!(result.is_err(), n % 3 == 0, "{n}");
    }
    let count: i64 = store
        .read(|connection| {
            let count =
                connection
                    .query_row("SELECT count(*) FROM meta WHERE name LIKE 'n%'", [], |row| row.get(0))?;
            Ok::<_, StoreError>(count)
        })
        .await
        .unwrap();
    assert_eq!(count, 40);
}

#[tokio::test]
async fn a_write_that_fails_in_the_database_leaves_the_server_working() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let failed = server.app.store.write(|connection| {
        connection.execute("INSERT INTO tenant (id) VALUES ('x')", [])?;
        Ok::<_, StoreError>(())
    });
    assert!(matches!(failed.await, Err(StoreError::Database(_))));
    admin.post("/v1/tenants", json!({"name": "acme"})).await.expect(201);
}

#[tokio::test]
async fn a_password_that_was_made_up_is_announced_and_works() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut announced = None;
    let fill = crate::server::first_start::fill(&store, None, crate::clock::now(), |first| {
        announced = first.generated_password.clone();
    });
    fill.await.unwrap();
    assert!(!crate::server::first_start::is_due(&store).await.unwrap());
    let app = super::App::new(store, super::settings()).unwrap();
    let server = Server { router: super::router(&app), folder, app };
    server.sign_in("administrator", announced.unwrap().reveal()).await;
}

#[tokio::test]
async fn the_audit_log_is_only_ever_appended_to() {
    let server = Server::start().await;
    server.administrator().await.tenant("acme", "Public").await;
    let connection = Connection::open(server.folder.path().join("storekeeper.db")).unwrap();
    let count =
        || connection.query_row("SELECT count(*) FROM audit", [], |row| row.get::<_, i64>(0)).unwrap();
    let before = count();
    assert!(before > 0);
    for change in [
        "UPDATE audit SET outcome = 'ok'",
        "UPDATE audit SET sequence = sequence + 1000",
        "DELETE FROM audit WHERE sequence = 1",
        "DELETE FROM audit",
        "REPLACE INTO audit SELECT * FROM audit WHERE sequence = 1",
    ] {
        let refused = connection.execute(change, []).unwrap_err().to_string();
        assert_eq!(refused, "the audit log is append-only", "{change}");
    }
    assert_eq!(count(), before);
}

#[tokio::test]
async fn a_503_was_not_executed_and_is_done_when_it_is_repeated() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let other = Connection::open(server.folder.path().join("storekeeper.db")).unwrap();
    // Longer than the writer waits for a lock.
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let before = server.dump();
    let body = json!({"name": "acme"});
    let reply = admin.post("/v1/tenants", body.clone()).await;
    assert_eq!(reply.header("retry-after"), "1");
    reply.problem(503, "unavailable");
    admin.get("/v1/tenants").await.expect(200);
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(server.dump(), before);
    admin.post("/v1/tenants", body).await.expect(201);
}
