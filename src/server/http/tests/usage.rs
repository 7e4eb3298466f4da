//! Rule 9: what bills are made of.

use super::{Client, PASSWORD, Server};
use crate::server::store::{Payer, StoreError};
use serde_json::{Value, json};
use std::sync::Arc;

/// Two tenants with a user each, who store a kilobyte a user and ask three times with one key.
async fn busy(server: &Server, admin: &Client, visibility: &str) -> [String; 2] {
    let mut users = Vec::new();
    for (name, visibility) in [("acme", "Public"), ("other", visibility)] {
        let tenant = admin.tenant(name, visibility).await;
        let user = admin.user(name, "FullAccess", &tenant).await;
        let token = admin.user(&format!("{name}-admin"), "TenantAdministrator", &tenant).await;
        assert!(token.starts_with("us_"));
        if visibility == "Public" {
            admin.bucket(&user, "data").await;
        }
        let (of_user, tenant_of) = (user.clone(), tenant.clone());
        let store = &server.app.store;
        store
            .write(move |c| {
                c.execute(
                    "UPDATE bucket SET used_bytes = 1000, used_objects = 1 WHERE user = ?1",
                    [&of_user],
                )?;
                Ok::<_, StoreError>(())
            })
            .await
            .unwrap();
        let key = format!("SK{name}");
        let payer = Arc::new(Payer { key, user: user.clone(), account: "1".to_owned(), tenant: tenant_of });
        for _ in 0..3 {
            store.meter().count(&payer, 10, crate::clock::now()).await;
        }
        users.push(user);
    }
    users.try_into().unwrap()
}

fn sums(items: &[Value], field: &str) -> u64 {
    items.iter().map(|item| item[field].as_u64().unwrap()).sum()
}

#[tokio::test]
async fn usage_is_remembered_for_400_days_and_what_is_stored_since_then_is_not_forgotten() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let [user, _] = busy(&server, &admin, "Public").await;
    let store = &server.app.store;
    let now = crate::clock::now();
    let days = |days: i64| jiff::SignedDuration::from_hours(24 * days);
    let (kept, old) = (now - days(399), now - days(401));
    let payer = Arc::new(Payer {
        key: "SK".to_owned(),
        user: user.clone(),
        account: "1".to_owned(),
        tenant: "tn".to_owned(),
    });
    for time in [kept, old] {
        store.meter().count(&payer, 7, time).await;
    }
    // What is stored came in two pieces long ago.
    let hours = [401, 500].map(|n| (now - days(n)).as_second() / 3600);
    store
        .write(move |c| {
            let [recent, older] = hours;
            c.execute("UPDATE stored_hour SET hour = ?1, bytes = bytes - 400", [recent])?;
            c.execute(
                "INSERT INTO stored_hour SELECT ?1, user, account, tenant, 400, 0 FROM stored_hour",
                [older],
            )?;
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
    let stored = async || {
        let items = admin.items(&format!("/v1/usage?group=User&user={user}")).await;
        // The requests above are another account's; the stored bytes of the day are in the item of this one's.
        items.iter().filter_map(|item| item["stored"]["size"].as_u64()).max().unwrap()
    };
    assert_eq!(stored().await, 1000);
    crate::server::s3::tidy(store, now).await.unwrap();
    assert_eq!(stored().await, 1000, "what is stored is the same");
    // The meter works through what it is asked in order.
    store.meter().count(&payer, 7, now).await;
    let read = |c: &rusqlite::Connection| {
        let oldest = |table: &str| {
            c.query_row(&format!("SELECT min(hour) FROM {table}"), [], |row| row.get::<_, i64>(0))
        };
        Ok::<_, StoreError>((oldest("usage.request_hour")?, oldest("stored_hour")?))
    };
    let (requests, stored_since) = store.read(read).await.unwrap();
    assert_eq!(requests, kept.as_second() / 3600);
    assert_eq!(stored_since, (now - days(400)).as_second() / 3600);
}

#[tokio::test]
async fn rule_9_usage_is_told_by_account_user_and_key_and_hour() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let [user, _] = busy(&server, &admin, "Public").await;
    for step in ["Hour", "Day"] {
        let of_user = format!("/v1/usage?group=User&step={step}&user={user}");
        let items = admin.items(&of_user).await;
        assert_eq!((sums(&items, "requests"), sums(&items, "egress")), (3, 30), "{step}");
        let keys = admin.items(&format!("/v1/usage?group=AccessKey&step={step}")).await;
        assert_eq!(sums(&keys, "requests"), 6);
        assert!(keys.iter().all(|item| item.get("stored").is_none()));
    }
    let items = admin.items("/v1/usage?group=Account").await;
    let stored = items.iter().find_map(|item| item["stored"]["size"].as_u64().filter(|size| *size > 0));
    assert_eq!(stored, Some(2000));
    let first = admin.get("/v1/usage?group=AccessKey&limit=1").await.expect(200);
    let next = first["next"].as_str().unwrap();
    let rest = admin.items(&format!("/v1/usage?group=AccessKey&after={next}")).await;
    assert_eq!(rest.len(), 1);
    assert_ne!(rest[0]["accessKeyId"], first["items"][0]["accessKeyId"]);
}

#[tokio::test]
async fn rule_11_usage_is_seen_by_those_who_see_the_account() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    busy(&server, &admin, "Isolated").await;
    assert_eq!(sums(&admin.items("/v1/usage").await, "requests"), 3, "isolated tenants are hidden");
    let own = server.sign_in("other-admin", PASSWORD).await;
    assert_eq!(sums(&own.items("/v1/usage").await, "requests"), 3, "its own administrator sees it");
    let user = server.sign_in("acme", PASSWORD).await;
    user.get("/v1/usage").await.problem(403, "forbidden");
}

#[tokio::test]
async fn a_user_that_moves_takes_what_it_stores_to_the_new_tenants_bill() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let [user, _] = busy(&server, &admin, "Public").await;
    let tenants = admin.items("/v1/tenants").await;
    let other = tenants.iter().find(|item| item["name"] == "other").unwrap()["id"].clone();
    let stored = async || {
        let items = admin.items(&format!("/v1/usage?group=User&tenant={}", other.as_str().unwrap())).await;
        items.iter().map(|item| item["stored"]["size"].as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!(stored().await, 1000);
    admin.patch(&format!("/v1/users/{user}"), json!({"tenantId": other})).await.expect(200);
    assert_eq!(stored().await, 2000);
}

#[tokio::test]
async fn what_is_asked_of_usage_has_its_bounds() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    for bad in [
        "step=Year",
        "group=Tenant",
        "from=yesterday",
        "from=2990-01-01T00:00:00Z",
        "step=Hour&from=2000-01-01T00:00:00Z",
    ] {
        admin.get(&format!("/v1/usage?{bad}")).await.problem(400, "malformed");
    }
}
