//! The server that is measured, as a process.

use super::client::{self, Place};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const PASSWORD: &str = "correct horse battery staple";

/// A running `storekeeper server`, with one user, its bucket and its key.
pub struct Server {
    running: Running,
    /// Its bucket.
    pub place: Place,
    /// Who makes access keys.
    pub keys: Keys,
}

/// A client of the management API. No `Debug`: it holds a token.
#[derive(Clone)]
pub struct Keys {
    http: reqwest::Client,
    url: String,
    token: String,
    user: String,
}

impl Keys {
    pub async fn make(&self) {
        let body = json!({"userId": self.user, "permission": "Read"}).to_string();
        let request = self.http.post(&self.url).bearer_auth(&self.token);
        let answer = request.header("content-type", "application/json").body(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
        answer.bytes().await.unwrap();
    }
}

fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

async fn call(url: &str, token: Option<&str>, body: &Value) -> Value {
    let request =
        reqwest::Client::new().post(url).header("content-type", "application/json").body(body.to_string());
    let request = token.into_iter().fold(request, reqwest::RequestBuilder::bearer_auth);
    let answer = request.send().await.unwrap();
    assert!(answer.status().is_success(), "{url}: {}", answer.status());
    let text = answer.text().await.unwrap();
    if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().expect(field).to_owned()
}

impl Server {
    pub async fn start(folder: &Path) -> Self {
        let password = folder.join("password");
        std::fs::write(&password, PASSWORD).unwrap();
        let (management, s3) = (free_address(), free_address());
        let binary = PathBuf::from(std::env::var_os("STOREKEEPER_BIN").expect("STOREKEEPER_BIN"));
        let child = Command::new(binary)
            .args(["server", "--log-level", "warn", "--rate-limit", "0"])
            .args(["--listen", &management, "--s3-listen", &s3])
            .arg("--data-dir")
            .arg(folder.join("data"))
            .arg("--admin-password-file")
            .arg(password)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("the server");
        // From here on it is ended, whatever happens.
        let mut running = Running(child);
        let (place, keys) =
            set_up(&mut running, &format!("http://{management}"), &format!("http://{s3}")).await;
        Self { running, place, keys }
    }

    /// Memory that it has, MiB.
    pub fn resident_mib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.running.0.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
        line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).expect("a number") / 1024.0
    }
}

/// The process; it ends with this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

async fn set_up(running: &mut Running, management: &str, s3: &str) -> (Place, Keys) {
    let ready = format!("{management}/readyz");
    while reqwest::get(&ready).await.is_err() {
        assert!(running.0.try_wait().unwrap().is_none(), "the server ended");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let at = |path: &str| format!("{management}/v1/{path}");
    let sign_in = json!({"login": "administrator", "password": PASSWORD});
    let session = text(&call(&at("sessions"), None, &sign_in).await, "token");
    call(&at("sessions/verify"), Some(&session), &json!({"password": PASSWORD})).await;
    let scopes = json!({"name": "bench", "scopes": ["read", "write", "keys:write"]});
    let token = text(&call(&at("tokens"), Some(&session), &scopes).await, "token");
    let tenant = text(&call(&at("tenants"), Some(&token), &json!({"name": "bench"})).await, "id");
    let user = json!({"login": "bench", "role": "FullAccess", "tenantId": tenant});
    let user = text(&call(&at("users"), Some(&token), &user).await, "id");
    call(&at("buckets"), Some(&token), &json!({"userId": user, "name": "bench"})).await;
    let key = json!({"userId": user, "permission": "Full"});
    let key = call(&at("accessKeys"), Some(&token), &key).await;
    let place = Place {
        name: "storekeeper".to_owned(),
        endpoint: s3.to_owned(),
        region: "storekeeper".to_owned(),
        bucket: "bench".to_owned(),
        access_key: text(&key, "accessKeyId"),
        secret_key: text(&key, "secretAccessKey"),
    };
    (place, Keys { http: client::connections(), url: at("accessKeys"), token, user })
}
