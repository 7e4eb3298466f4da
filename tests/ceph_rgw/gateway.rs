//! The gateway under test: the client, requests past it, and wishes with nothing special about them.

use crate::sign::{Credentials, Parts, path, query, sign};
use std::time::Duration;
use storekeeper::provider::ceph_rgw::{Client, Settings};
use storekeeper::provider::{
    BucketWish, ClusterId, Error, KeyPair, KeyWish, ObjectName, OwnerMark, Provider, Quota, RANDOM_BYTES,
    UserState, UserWish,
};
use storekeeper::wire::{Permission, Role, ShownSecret, Versioning};

/// Where the gateway is, and the operator's key there.
pub struct Gateway {
    pub endpoint: String,
    pub operator: Credentials,
}

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub struct Came {
    pub status: u16,
    pub body: String,
}

impl Came {
    pub fn is(&self, status: u16, code: &str) -> bool {
        self.status == status && self.body.contains(code)
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("`{name}` must be set: run `make test-providers`"))
}

impl Gateway {
    pub fn new() -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let secret_key = ShownSecret::new(variable("STOREKEEPER_RGW_SECRET_KEY"));
        let operator = Credentials { access_key: variable("STOREKEEPER_RGW_ACCESS_KEY"), secret_key };
        Self { endpoint: variable("STOREKEEPER_RGW_ENDPOINT"), operator }
    }

    pub fn client(&self) -> Client {
        Self::client_at(&self.endpoint, &self.operator)
    }

    pub fn client_at(endpoint: &str, who: &Credentials) -> Client {
        let settings = Settings {
            endpoint: endpoint.to_owned(),
            access_key: who.access_key.clone(),
            secret_key: who.secret_key.clone(),
            region: None,
            ca_pem: None,
            timeout: Duration::from_secs(30),
        };
        Client::new(settings).map_err(|error| error.to_string()).unwrap()
    }

    /// A request past the client.
    pub async fn ask(
        &self,
        who: &Credentials,
        method: &str,
        at: &str,
        pairs: &[(&str, &str)],
        body: &str,
    ) -> Came {
        self.ask_with(who, method, at, pairs, &[], body).await
    }

    pub async fn ask_with(
        &self,
        who: &Credentials,
        method: &str,
        at: &str,
        pairs: &[(&str, &str)],
        headers: &[(&'static str, String)],
        body: &str,
    ) -> Came {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let query = query(&pairs);
        let host = self.endpoint.strip_prefix("http://").unwrap();
        let parts = Parts { method, host, path: at, query: &query, headers, body: body.as_bytes() };
        let signature = sign(who, "default", storekeeper::clock::now(), &parts);
        let url = format!("{}{}?{query}", self.endpoint, path(at));
        let mut request = reqwest::Client::new().request(method.parse().unwrap(), url);
        for (name, value) in headers.iter().chain(&signature) {
            request = request.header(*name, value);
        }
        let answer = request.body(body.to_owned()).send().await.unwrap();
        Came { status: answer.status().as_u16(), body: answer.text().await.unwrap() }
    }

    /// The same as the operator, of the Admin Ops API.
    pub async fn admin(&self, method: &str, what: &str, pairs: &[(&str, &str)]) -> Came {
        self.ask(&self.operator, method, &format!("/admin/{what}"), pairs, "").await
    }

    /// A request to the part that speaks IAM.
    pub async fn iam(&self, who: &Credentials, pairs: &[(&str, &str)]) -> Came {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let form = [("content-type", "application/x-www-form-urlencoded".to_owned())];
        self.ask_with(who, "POST", "/", &[], &form, &query(&pairs)).await
    }

    /// The gateway's log, once it has that text.
    pub async fn log_with(&self, text: &str) -> String {
        let path = variable("STOREKEEPER_RGW_LOG");
        let written = async {
            loop {
                let log = std::fs::read_to_string(&path).unwrap();
                if log.contains(text) {
                    return log;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), written).await.unwrap()
    }

    /// An RGW user as the metadata API has it.
    pub async fn rgw_user(&self, uid: &str) -> serde_json::Value {
        let came = self.admin("GET", "metadata/user", &[("key", uid)]).await;
        serde_json::from_str(&came.body).unwrap()
    }

    /// An object that is put with these credentials.
    pub async fn put(&self, who: &Credentials, bucket: &str, key: &str) -> u16 {
        self.ask(who, "PUT", &format!("/{bucket}/{key}"), &[], "data").await.status
    }

    pub async fn get(&self, who: &Credentials, bucket: &str, key: &str) -> u16 {
        self.ask(who, "GET", &format!("/{bucket}/{key}"), &[], "").await.status
    }

    pub async fn delete(&self, who: &Credentials, bucket: &str, key: &str) -> u16 {
        self.ask(who, "DELETE", &format!("/{bucket}/{key}"), &[], "").await.status
    }

    /// A user and one bucket `data` of its.
    pub async fn user_with_bucket(&self, names: &Names) -> (Client, UserState) {
        let client = self.client();
        let user = client.create_user(&names.user()).await.unwrap();
        client.create_bucket(&names.bucket(&user, "data")).await.unwrap();
        (client, user)
    }
}

/// Names that no other test has.
pub struct Names {
    pub cluster: ClusterId,
    pub login: String,
}

impl Names {
    pub fn new() -> Self {
        Self { cluster: ClusterId(uuid()), login: format!("team-a_{}", uuid()) }
    }

    pub fn owner(&self, uid: &str) -> OwnerMark {
        OwnerMark { cluster: self.cluster.clone(), uid: uid.to_owned() }
    }

    pub fn user(&self) -> UserWish {
        UserWish {
            login: self.login.clone(),
            tenant_id: "acme".to_owned(),
            display_name: "Zoë & <co>, \"app\"".to_owned(),
            email: "a@example.com".to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
            role: Role::FullAccess,
            enabled: true,
            description: "for tests".to_owned(),
            quota: Quota::default(),
            owner: self.owner("sku"),
            object: ObjectName { namespace: Some("team-a".to_owned()), name: "app".to_owned() },
        }
    }

    pub fn bucket(&self, user: &UserState, name: &str) -> BucketWish {
        BucketWish {
            user_id: user.id.clone(),
            name: name.to_owned(),
            versioning: Versioning::Disabled,
            object_lock: None,
            quota: Quota::default(),
            owner: self.owner("skb"),
            object: ObjectName { namespace: Some("team-a".to_owned()), name: name.to_owned() },
        }
    }

    /// A key of an AccessKey of its own.
    pub fn key(&self, user: &UserState, permission: Permission) -> KeyWish {
        KeyWish {
            user_id: user.id.clone(),
            permission,
            description: "CI".to_owned(),
            buckets: None,
            owner: self.owner(&uuid()),
            object: ObjectName { namespace: Some("team-a".to_owned()), name: "ci".to_owned() },
            secret: "ci-keys".to_owned(),
            epoch: 1,
            nonce: uuid().replace('-', ""),
        }
    }
}

pub fn uuid() -> String {
    let bits = rand::random::<u128>();
    let digits = format!("{bits:032x}");
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

pub fn pair(client: &Client, wish: &KeyWish) -> KeyPair {
    let mut random = [0; RANDOM_BYTES];
    rand::fill(&mut random);
    client.choose_pair(wish, &random).unwrap()
}

/// Chooses a pair and puts it.
pub async fn made(client: &Client, wish: &KeyWish) -> Credentials {
    let pair = pair(client, wish);
    client.put_key(wish, &pair).await.unwrap();
    credentials(&pair)
}

pub fn credentials(pair: &KeyPair) -> Credentials {
    Credentials { access_key: pair.access_key_id.clone(), secret_key: pair.secret_access_key.clone() }
}

/// The keys of an AccessKey: id, and whether it is complete.
pub async fn listed(client: &Client, wish: &KeyWish) -> Result<Vec<(String, bool)>, Error> {
    let keys = client.list_keys(&wish.owner.cluster, Some(&wish.owner)).await?;
    Ok(keys.into_iter().map(|key| (key.access_key_id, key.complete)).collect())
}
