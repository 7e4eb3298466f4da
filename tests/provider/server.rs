//! A management server on a port of its own, and a client with a token of its administrator.

use serde_json::{Value, json};
use std::time::Duration;
use storekeeper::provider::management::{Client, Settings};
use storekeeper::server::http::{self, App, router};
use storekeeper::server::{first_start, store::Store};
use storekeeper::wire::ShownSecret;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

const PASSWORD: &str = "correct horse battery";

/// Stops when it is dropped, and its data goes with it.
pub struct Server {
    url: String,
    token: String,
    _tasks: JoinSet<()>,
    _folder: TempDir,
}

impl Server {
    pub async fn start(idempotency_keys: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let password = Some(ShownSecret::new(PASSWORD.to_owned()));
        first_start::fill(&store, password, storekeeper::clock::now(), |_| {}).await.unwrap();
        let settings = http::Settings {
            region: "storekeeper".to_owned(),
            idempotency_keys,
            rate_limit: 0,
            tls: false,
            body_time: http::BODY_TIME,
        };
        let router = router(&App::new(store, settings).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        let token = token(&url).await;
        Self { url, token, _tasks: tasks, _folder: folder }
    }

    /// The provider with the administrator's token.
    pub fn provider(&self) -> Client {
        self.with_token(&self.token)
    }

    pub fn with_token(&self, token: &str) -> Client {
        let settings = Settings {
            endpoint: self.url.clone(),
            token: ShownSecret::new(token.to_owned()),
            ca_pem: None,
            account_id: None,
            timeout: Duration::from_secs(30),
        };
        Client::new(settings).map_err(|error| error.to_string()).unwrap()
    }
}

/// An API token of the administrator, as a person would make one.
async fn token(url: &str) -> String {
    rustls::crypto::ring::default_provider().install_default().ok();
    let client = reqwest::Client::new();
    let post = async |path: &str, bearer: &str, body: Value| {
        let request = client.post(format!("{url}/v1/{path}")).bearer_auth(bearer).json(&body);
        let answer = request.send().await.unwrap().error_for_status().unwrap();
        answer.json::<Value>().await.unwrap_or_default()
    };
    let session = post("sessions", "", json!({ "login": "administrator", "password": PASSWORD })).await;
    let session = session["token"].as_str().unwrap().to_owned();
    post("sessions/verify", &session, json!({ "password": PASSWORD })).await;
    let scopes = json!({ "name": "operator", "scopes": ["read", "write", "keys:write"] });
    post("tokens", &session, scopes).await["token"].as_str().unwrap().to_owned()
}

/// Wishes with nothing special about them.
pub mod wish {
    use storekeeper::provider::{ObjectName, OwnerMark, Quota, TenantWish, UserWish};
    use storekeeper::wire::{Role, Visibility};

    pub fn tenant(name: &str, owner: OwnerMark) -> TenantWish {
        TenantWish {
            name: name.to_owned(),
            visibility: Visibility::Public,
            description: String::new(),
            quota: Quota::default(),
            owner,
            object: ObjectName { namespace: None, name: name.to_owned() },
        }
    }

    pub fn user(login: &str, tenant_id: &str, owner: OwnerMark) -> UserWish {
        UserWish {
            login: login.to_owned(),
            tenant_id: tenant_id.to_owned(),
            display_name: login.to_owned(),
            email: String::new(),
            time_zone: "UTC".to_owned(),
            role: Role::FullAccess,
            enabled: true,
            description: String::new(),
            quota: Quota::default(),
            owner,
            object: ObjectName { namespace: Some("team-a".to_owned()), name: login.to_owned() },
        }
    }
}
