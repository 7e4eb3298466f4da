//! What the gateway can do for an operator with these credentials. What they lack is said before anything is tried.

use super::Client;
use super::failure::Failure;
use super::transport::{Ask, parse};
use crate::provider::{Capability, Description, ErrorKind};
use http::Method;
use serde::Deserialize;
use std::collections::BTreeSet;

/// The capabilities that an operator's user needs.
const NEEDED: [&str; 3] = ["users", "buckets", "metadata"];

#[derive(Deserialize)]
struct Own {
    user_id: String,
    #[serde(default)]
    caps: Vec<Cap>,
    #[serde(default)]
    system: Flag,
    #[serde(default)]
    admin: Flag,
}

#[derive(Deserialize)]
struct Cap {
    #[serde(rename = "type")]
    name: String,
    perm: String,
}

/// The gateway writes some flags as text.
#[derive(Default, Deserialize)]
#[serde(untagged)]
enum Flag {
    Text(String),
    Plain(bool),
    #[default]
    Absent,
}

impl Flag {
    fn is_set(&self) -> bool {
        match self {
            Self::Text(text) => text == "true",
            Self::Plain(set) => *set,
            Self::Absent => false,
        }
    }
}

/// What the operator's user may not do and must.
fn missing(own: &Own) -> Vec<String> {
    if own.system.is_set() || own.admin.is_set() {
        return Vec::new();
    }
    let has = |needed: &str| own.caps.iter().any(|cap| cap.name == needed && cap.perm == "*");
    NEEDED.into_iter().filter(|needed| !has(needed)).map(|needed| format!("{needed}=*")).collect()
}

/// Asks the gateway who the operator is there.
pub async fn describe(client: &Client) -> Result<Description, Failure> {
    let admin = &client.admin;
    let query = [("access-key", admin.credentials.access_key.clone())];
    let ask = Ask::new(Method::GET, "/admin/user", &query);
    let own: Own = parse(&admin.transport.send(&admin.credentials, &ask).await?)?;
    let missing = missing(&own);
    if !missing.is_empty() {
        let why = format!("user '{}' needs the capabilities '{}'", own.user_id, missing.join(";"));
        return Err(ErrorKind::Forbidden(why).into());
    }
    Ok(Description {
        name: "Ceph RGW".to_owned(),
        // The gateway does not tell.
        version: "unknown".to_owned(),
        account_id: own.user_id,
        capabilities: BTreeSet::from([
            Capability::ChosenPairs,
            Capability::ExactWrite,
            Capability::Versioning,
            Capability::ObjectLock,
            Capability::Quotas,
        ]),
    })
}

#[cfg(test)]
mod tests {
    use super::{Own, missing};

    #[test]
    fn every_capability_that_is_needed_and_missing_is_named() {
        let own = |text: &str| serde_json::from_str::<Own>(text).unwrap();
        let caps =
            r#"{"user_id":"s","caps":[{"type":"users","perm":"*"},{"type":"metadata","perm":"read"}]}"#;
        assert_eq!(missing(&own(caps)), ["buckets=*", "metadata=*"]);
        assert!(missing(&own(r#"{"user_id":"s","system":"true"}"#)).is_empty());
        assert!(missing(&own(r#"{"user_id":"s","admin":true}"#)).is_empty());
        assert_eq!(missing(&own(r#"{"user_id":"s","system":"false","admin":false}"#)).len(), 3);
    }
}
