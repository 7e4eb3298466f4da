//! Jobs through the API: conventions, whom they pin, and one with the runner at work.

use super::{Client, Server, id, text};
use serde_json::{Value, json};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

struct World {
    server: Server,
    admin: Client,
    tenant: String,
    user: String,
}

/// A tenant with a user who has the buckets `data` and `copy`, the latter with versions.
async fn world() -> World {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let tenant = admin.tenant("acme", "Public").await;
    let user = admin.user("u", "FullAccess", &tenant).await;
    admin.bucket(&user, "data").await;
    let copy = json!({"userId": user, "name": "copy", "versioning": "Enabled"});
    admin.post("/v1/buckets", copy).await.expect(201);
    World { server, admin, tenant, user }
}

impl World {
    fn backup(&self) -> Value {
        json!({
            "kind": "Backup",
            "source": {"userId": self.user, "name": "data"},
            "target": {"userId": self.user, "name": "copy"},
        })
    }

    async fn job(&self, body: Value) -> String {
        format!("/v1/jobs/{}", id(&self.admin.post("/v1/jobs", body).await.expect(201)))
    }
}

#[tokio::test]
async fn a_job_is_made_listed_changed_cancelled_and_removed_like_anything_else() {
    let world = world().await;
    let mut body = world.backup();
    body["schedule"] = json!("30 2 * * *");
    let made = world.admin.post("/v1/jobs", body).await;
    let (path, tag) = (made.header("location"), made.header("etag"));
    let made = made.expect(201);
    assert_eq!((text(&made, "state"), text(&made, "kind")), ("Queued".to_owned(), "Backup".to_owned()));
    assert!(made["nextRunAt"].is_string());
    for filter in ["kind=Backup", "state=Queued", &format!("bucket={}/data", world.user)] {
        assert_eq!(world.admin.items(&format!("/v1/jobs?{filter}")).await.len(), 1, "{filter}");
    }
    assert!(world.admin.items("/v1/jobs?state=Running").await.is_empty());

    let stale = world.admin.call("PATCH", &path, &[("if-match", "\"x\"")], Some(json!({}))).await;
    stale.problem(412, "precondition-failed");
    let off = json!({"schedule": null, "description": "nightly"});
    let off = world.admin.call("PATCH", &path, &[("if-match", &tag)], Some(off)).await.expect(200);
    assert_eq!(
        (text(&off, "state"), text(&off, "description")),
        ("Cancelled".to_owned(), "nightly".to_owned())
    );
    world.admin.post(&format!("{path}/cancel"), json!({})).await.problem(409, "wrong-state");
    let queued = world.admin.post(&format!("{path}/run"), json!({})).await.expect(200);
    assert_eq!(text(&queued, "state"), "Queued");
    world.admin.post(&format!("{path}/run"), json!({})).await.problem(409, "wrong-state");
    world.admin.post(&format!("{path}/cancel"), json!({})).await.expect(200);
    world.admin.delete(&path).await.expect(204);
    world.admin.get(&path).await.problem(404, "not-found");
}

#[tokio::test]
async fn what_a_job_may_not_be_made_of_is_refused() {
    let world = world().await;
    let other = world.admin.tenant("other", "Public").await;
    let stranger = world.admin.user("stranger", "FullAccess", &other).await;
    let theirs = json!({"userId": stranger, "name": "copy", "versioning": "Enabled"});
    world.admin.post("/v1/buckets", theirs).await.expect(201);
    let with = |field: &str, value: Value| {
        let mut body = world.backup();
        body[field] = value;
        body
    };
    for body in [
        with("target", json!({"userId": stranger, "name": "copy"})),
        with("target", json!({"userId": world.user, "name": "data"})),
        with("source", json!({"userId": world.user, "name": "copy"})),
        with("schedule", json!("whenever")),
        with("kind", json!("EmptyBucket")),
    ] {
        world.admin.post("/v1/jobs", body.clone()).await.problem(422, "rule-violated");
    }
    world.admin.post("/v1/jobs", with("kind", json!("Mirror"))).await.problem(400, "malformed");
    let missing = with("source", json!({"userId": world.user, "name": "none"}));
    world.admin.post("/v1/jobs", missing).await.problem(404, "not-found");
    let restore = json!({"kind": "Restore", "backupId": "jb_none"});
    world.admin.post("/v1/jobs", restore).await.problem(404, "not-found");

    world.job(world.backup()).await;
    world.admin.bucket(&world.user, "second").await;
    let second = with("source", json!({"userId": world.user, "name": "second"}));
    let detail = text(&world.admin.post("/v1/jobs", second).await.problem(422, "rule-violated"), "detail");
    assert!(detail.contains("already takes the backups of another bucket"), "{detail}");
}

#[tokio::test]
async fn rules_11_and_12_a_job_pins_its_tenant_account_users_and_buckets() {
    let world = world().await;
    let World { admin, tenant, user, .. } = &world;
    let other = admin.tenant("other", "Public").await;
    let account = json!({"name": "acme", "tenantId": tenant});
    let account = format!("/v1/accounts/{}", id(&admin.post("/v1/accounts", account).await.expect(201)));
    let root = text(&admin.get(&account).await.expect(200), "rootUserId");
    admin.bucket(&root, "data").await;
    let of_root = json!({"kind": "EmptyBucket", "source": {"userId": root, "name": "data"}});
    let (of_root, of_user) = (world.job(of_root).await, world.job(world.backup()).await);

    let in_use = async |method: &str, path: &str, body: Option<Value>, what: &str| {
        let before = world.server.dump();
        let refused = admin.call(method, path, &[], body).await.problem(409, "in-use");
        let detail = text(&refused, "detail");
        assert!(detail.contains(what), "{method} {path}: {detail}");
        assert_eq!(world.server.dump(), before, "{method} {path}");
    };
    in_use("DELETE", &format!("/v1/tenants/{tenant}"), None, "jobs: 2").await;
    in_use("PATCH", &account, Some(json!({"tenantId": other})), "jobs: 1").await;
    in_use("DELETE", &account, None, "jobs: 1").await;
    in_use("PATCH", &format!("/v1/users/{user}"), Some(json!({"tenantId": other})), "jobs: 1").await;
    in_use("DELETE", &format!("/v1/users/{user}"), None, "jobs: 1").await;
    in_use("DELETE", &format!("/v1/buckets/{user}/data"), None, "jobs that are going to run: 1").await;
    in_use("DELETE", &format!("/v1/buckets/{user}/copy"), None, "jobs that are going to run: 1").await;

    admin.post(&format!("{of_user}/cancel"), json!({})).await.expect(200);
    admin.delete(&format!("/v1/buckets/{user}/data")).await.expect(204);
    in_use("DELETE", &format!("/v1/users/{user}"), None, "jobs: 1").await;
    for path in [of_user, of_root, format!("/v1/buckets/{root}/data")] {
        admin.delete(&path).await.expect(204);
    }
    admin.patch(&account, json!({"tenantId": other})).await.expect(200);
    admin.patch(&format!("/v1/users/{user}"), json!({"tenantId": other})).await.expect(200);
    admin.delete(&account).await.expect(204);
    admin.delete(&format!("/v1/tenants/{tenant}")).await.expect(204);
}

#[tokio::test]
async fn a_user_who_made_a_job_is_not_deleted_before_it() {
    let world = world().await;
    let maker = world.admin.user("maker", "Backup", &world.tenant).await;
    let client = world.server.sign_in("maker", super::PASSWORD).await;
    let made = client.post("/v1/jobs", world.backup()).await.expect(201);
    assert_eq!(text(&made, "userId"), maker);
    let path = format!("/v1/users/{maker}");
    let detail = text(&world.admin.delete(&path).await.problem(409, "in-use"), "detail");
    assert!(detail.contains("jobs: 1"), "{detail}");
    client.delete(&format!("/v1/jobs/{}", id(&made))).await.expect(204);
    world.admin.delete(&path).await.expect(204);
}

#[tokio::test]
async fn rule_3_no_job_carries_data_between_a_root_user_and_another() {
    let world = world().await;
    let account = &world.admin.items("/v1/accounts").await[0];
    let root = text(account, "rootUserId");
    let administrator = text(&world.admin.items("/v1/users?login=administrator").await[0], "id");
    for owner in [&root, &administrator] {
        let body = json!({"userId": owner, "name": "data", "versioning": "Enabled"});
        world.admin.post("/v1/buckets", body).await.expect(201);
    }
    for (from, to) in [(&root, &administrator), (&administrator, &root)] {
        let body = json!({
            "kind": "Backup", "source": {"userId": from, "name": "data"}, "target": {"userId": to, "name": "data"},
        });
        let refused = world.admin.post("/v1/jobs", body).await.problem(422, "rule-violated");
        assert!(text(&refused, "detail").contains("Root user"), "{refused}");
    }
}

#[tokio::test]
async fn the_runner_takes_up_what_is_made_and_metrics_count_it() {
    let world = world().await;
    let stop = CancellationToken::new();
    let runner = tokio::spawn(world.server.app.runner().run(stop.clone()));
    let path = world.job(world.backup()).await;
    let ended = async {
        loop {
            let job = world.admin.get(&path).await.expect(200);
            if !["Queued", "Running"].contains(&job["state"].as_str().unwrap()) {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let job = tokio::time::timeout(Duration::from_mins(1), ended).await.unwrap();
    assert_eq!(
        (text(&job, "state"), job["progress"]["versions"].as_u64()),
        ("Succeeded".to_owned(), Some(0))
    );
    assert!(job["finishedAt"].is_string() && job.get("nextRunAt").is_none());
    let events = world.admin.items("/v1/auditEvents?action=job.end").await;
    assert_eq!((text(&events[0], "target"), text(&events[0], "outcome")), (id(&job), "succeeded".to_owned()));
    stop.cancel();
    runner.await.unwrap();
    let metrics = world.admin.get("/metrics").await.expect(200);
    let line = r#"storekeeper_server_job_runs_ended_total{kind="Backup",outcome="succeeded"} 1"#;
    assert!(metrics.as_str().unwrap().contains(line), "{metrics}");
}

#[tokio::test]
async fn a_new_time_zone_moves_the_next_run() {
    let World { server, admin, tenant, user } = world().await;
    let ta = admin.user("ta", "TenantAdministrator", &tenant).await;
    let client = server.sign_in("ta", super::PASSWORD).await;
    let mut body = json!({
        "kind": "Backup",
        "source": {"userId": user, "name": "data"},
        "target": {"userId": user, "name": "copy"},
    });
    body["schedule"] = json!("30 2 * * *");
    let made = async |body: &Value| {
        let made = client.post("/v1/jobs", body.clone()).await.expect(201);
        format!("/v1/jobs/{}", id(&made))
    };
    let (path, cancelled) = (made(&body).await, made(&body).await);
    client.post(&format!("{cancelled}/cancel"), json!({})).await.expect(200);
    body["schedule"] = Value::Null;
    let due = made(&body).await;
    let next = async |path: &str| client.get(path).await.expect(200)["nextRunAt"].clone();
    let due_before = next(&due).await;
    assert!(text(&json!({"next": next(&path).await}), "next").ends_with("T02:30:00Z"));

    let me = format!("/v1/users/{ta}");
    client.patch(&me, json!({"timeZone": "Asia/Kolkata"})).await.expect(200);
    assert!(text(&json!({"next": next(&path).await}), "next").ends_with("T21:00:00Z"));
    assert_eq!(next(&cancelled).await, Value::Null, "what was cancelled stays so");
    assert_eq!(next(&due).await, due_before, "what is due without a schedule is due");
}
