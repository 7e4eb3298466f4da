//! Sessions: cookies and CSRF tokens, and what ends with `enabled: false`.

use super::{Client, PASSWORD, Reply, Server, settings, text};
use crate::server::http::Settings;
use serde_json::{Value, json};

/// A browser: sends back the cookie that it got.
struct Browser {
    client: Client,
    cookie: String,
    csrf: String,
}

async fn browser(server: &Server) -> (Browser, Reply) {
    let body = json!({"login": "administrator", "password": PASSWORD, "cookie": true});
    let reply = server.anyone().post("/v1/sessions", body).await;
    let cookie = reply.header("set-cookie").split(';').next().unwrap().to_owned();
    let csrf = text(&reply.body, "csrfToken");
    (Browser { client: server.anyone(), cookie, csrf }, reply)
}

impl Browser {
    async fn call(&self, method: &str, path: &str, csrf: Option<&str>, body: Option<Value>) -> Reply {
        let mut headers = vec![("cookie", self.cookie.as_str())];
        headers.extend(csrf.map(|token| ("x-csrf-token", token)));
        self.client.call(method, path, &headers, body).await
    }
}

#[tokio::test]
async fn a_cookie_session_is_out_of_reach_of_scripts_and_of_other_sites() {
    for (tls, name, end) in [
        (false, "storekeeper=sks_", "; Path=/; HttpOnly; SameSite=Strict"),
        (true, "__Host-storekeeper=sks_", "; Path=/; HttpOnly; SameSite=Strict; Secure"),
    ] {
        let server = Server::with(Settings { tls, ..settings() }).await;
        let (browser, reply) = browser(&server).await;
        let set = reply.header("set-cookie");
        assert!(set.starts_with(name) && set.ends_with(end), "{set}");
        assert!(reply.body.get("token").is_none(), "the token is in the cookie only");
        browser.call("GET", "/v1/users", None, None).await.expect(200);
    }
}

#[tokio::test]
async fn a_change_by_a_cookie_session_needs_its_csrf_token() {
    let server = Server::start().await;
    let (browser, _) = browser(&server).await;
    let body = || Some(json!({"name": "acme"}));
    let before = server.dump();
    for wrong in [None, Some(""), Some("0000"), Some(PASSWORD)] {
        browser.call("POST", "/v1/tenants", wrong, body()).await.problem(403, "csrf-token-required");
    }
    assert_eq!(server.dump(), before);
    let made = browser.call("POST", "/v1/tenants", Some(&browser.csrf), body()).await;
    let path = made.header("location");
    made.expect(201);
    for method in ["PATCH", "DELETE"] {
        browser.call(method, &path, None, Some(json!({}))).await.problem(403, "csrf-token-required");
    }
    let again = browser.call("GET", "/v1/sessions", None, None).await.expect(200);
    assert_eq!(text(&again, "csrfToken"), browser.csrf, "a page that was loaded anew has it again");
    assert!(again.get("verifiedAt").is_none());

    let verify = Some(json!({"password": PASSWORD}));
    browser.call("POST", "/v1/sessions/verify", Some(&browser.csrf), verify).await.expect(204);
    let verified = browser.call("GET", "/v1/sessions", None, None).await.expect(200);
    assert!(verified["verifiedAt"].is_string());
    let out = browser.call("DELETE", "/v1/sessions", Some(&browser.csrf), None).await;
    assert!(out.header("set-cookie").starts_with("storekeeper=; Max-Age=0"));
    out.expect(204);
    browser.call("GET", "/v1/users", None, None).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn every_sign_in_that_is_looked_at_costs_one_verification_whoever_it_is() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let tenant = admin.tenant("acme", "Public").await;
    let disabled = admin.user("disabled", "FullAccess", &tenant).await;
    admin.patch(&format!("/v1/users/{disabled}"), json!({"enabled": false})).await.expect(200);
    let no_password = json!({"login": "no-password", "role": "FullAccess", "tenantId": tenant});
    admin.post("/v1/users", no_password).await.expect(201);
    let verifications = async || {
        let metrics = admin.get("/metrics").await.expect(200);
        let lines = metrics.as_str().unwrap().lines();
        let mut found =
            lines.filter_map(|line| line.strip_prefix("storekeeper_server_password_verifications_total "));
        found.next().unwrap().parse::<u64>().unwrap()
    };
    for login in ["administrator", "nobody", "disabled", "no-password"] {
        for (password, status) in
            [(PASSWORD, if login == "administrator" { 201 } else { 401 }), ("wrong password", 401)]
        {
            let before = verifications().await;
            let body = json!({"login": login, "password": password});
            server.anyone().post("/v1/sessions", body).await.expect(status);
            assert_eq!(verifications().await, before + 1, "{login}");
        }
    }
    let wrong = json!({"login": "nobody", "password": "wrong password"});
    for _ in 0..3 {
        server.anyone().post("/v1/sessions", wrong.clone()).await.expect(401);
    }
    let before = verifications().await;
    server.anyone().post("/v1/sessions", wrong).await.problem(429, "too-many-requests");
    assert_eq!(verifications().await, before, "who is locked out costs nothing");
}

#[tokio::test]
async fn a_bearer_token_needs_no_csrf_token_and_is_not_helped_by_a_cookie() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    admin.tenant("acme", "Public").await;
    let session = admin.get("/v1/sessions").await.expect(200);
    assert!(session.get("csrfToken").is_none());
    let (browser, _) = browser(&server).await;
    let headers = [("cookie", browser.cookie.as_str()), ("authorization", "Bearer wrong")];
    server.anyone().call("GET", "/v1/users", &headers, None).await.problem(401, "unauthenticated");
    let token = admin.token(&["read"]).await;
    token.get("/v1/sessions").await.problem(403, "forbidden");
}
