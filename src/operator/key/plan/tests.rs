use super::{Admitted, Surroundings, admit};
use crate::api::{AccessKey, Bucket, Reason, StorageAccount, StorageUser, Tenant};
use crate::operator::runtime::Verdict;
use crate::provider::Capability;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

fn of<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn ready() -> Value {
    json!([{"type": "Ready", "status": "True", "reason": "Ready", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}])
}

fn not_ready(reason: &str) -> Value {
    json!([{"type": "Ready", "status": "False", "reason": reason, "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}])
}

/// A valid world, as JSON, so that each case changes one thing.
struct Fixture {
    key: Value,
    user: Option<Value>,
    tenant: Option<Value>,
    account: Option<Value>,
    connected: bool,
    capabilities: BTreeSet<Capability>,
    buckets: Vec<Value>,
    keys: Vec<Value>,
}

fn key(name: &str) -> Value {
    json!({
        "apiVersion": "storekeeper.dev/v1alpha1", "kind": "AccessKey",
        "metadata": {"name": name, "namespace": "team-a", "uid": format!("uid-{name}"), "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"userRef": {"name": "backup"}, "permission": "ReadWrite"},
    })
}

fn bucket(name: &str, user: &str) -> Value {
    json!({
        "apiVersion": "storekeeper.dev/v1alpha1", "kind": "Bucket",
        "metadata": {"name": name, "namespace": "team-a", "uid": name},
        "spec": {"userRef": {"name": user}},
        "status": {"conditions": ready(), "bucketName": format!("{name}-at-provider")},
    })
}

fn fixture() -> Fixture {
    Fixture {
        key: key("app"),
        user: Some(json!({
            "apiVersion": "storekeeper.dev/v1alpha1", "kind": "StorageUser",
            "metadata": {"name": "backup", "namespace": "team-a", "uid": "u"},
            "spec": {"tenantRef": {"name": "acme"}},
            "status": {"conditions": ready(), "account": "main", "userId": "us_1"},
        })),
        tenant: Some(json!({
            "apiVersion": "storekeeper.dev/v1alpha1", "kind": "Tenant", "metadata": {"name": "acme"},
            "spec": {"allowedNamespaces": {"names": ["team-a"]}},
        })),
        account: Some(json!({
            "apiVersion": "storekeeper.dev/v1alpha1", "kind": "StorageAccount", "metadata": {"name": "main"},
            "spec": {"provider": {}, "s3": {"endpoint": "https://s3.example.com"}},
            "status": {"conditions": ready()},
        })),
        connected: true,
        capabilities: BTreeSet::from([Capability::KeyBuckets]),
        buckets: vec![bucket("data", "backup"), bucket("other", "web")],
        keys: vec![],
    }
}

impl Fixture {
    fn admit(self) -> Result<Admitted, Verdict> {
        let Self { key, user, tenant, account, connected, capabilities, buckets, keys } = self;
        let around = Surroundings {
            user: user.map(|user| Arc::new(of::<StorageUser>(user))),
            tenant: tenant.map(|tenant| Arc::new(of::<Tenant>(tenant))),
            namespace_labels: BTreeMap::new(),
            account: account.map(|account| Arc::new(of::<StorageAccount>(account))),
            capabilities: connected.then_some(capabilities),
            buckets: buckets.into_iter().map(|bucket| Arc::new(of::<Bucket>(bucket))).collect(),
            keys: keys.into_iter().map(|key| Arc::new(of::<AccessKey>(key))).collect(),
        };
        admit(&of::<AccessKey>(key), &around)
    }
}

/// Why the fixture is refused after one change.
fn refused(change: impl FnOnce(&mut Fixture)) -> (bool, Reason, String) {
    let mut fixture = fixture();
    change(&mut fixture);
    match fixture.admit() {
        Err(Verdict::Waiting(reason, message)) => (false, reason, message),
        Err(Verdict::Blocked(reason, message)) => (true, reason, message),
        other => panic!("not refused: {other:?}"),
    }
}

fn user(fixture: &mut Fixture) -> &mut Value {
    fixture.user.as_mut().unwrap()
}

fn account(fixture: &mut Fixture) -> &mut Value {
    fixture.account.as_mut().unwrap()
}

type Change = Box<dyn FnOnce(&mut Fixture)>;

#[test]
fn a_valid_world_admits_the_key_with_the_users_only_bucket_in_its_secret() {
    let admitted = fixture().admit().unwrap();
    let expected = Admitted {
        account: "main".to_owned(),
        user_id: "us_1".to_owned(),
        buckets: None,
        bucket: Some("data-at-provider".to_owned()),
    };
    assert_eq!(admitted, expected);
}

#[test]
#[allow(clippy::too_many_lines)] // one table
fn each_thing_that_is_not_as_it_must_be_refuses_the_key() {
    let identity =
        |user: &str| json!({"identity": {"user": user, "permission": "ReadWrite", "secret": "app"}});
    let cases: Vec<(bool, Reason, Change)> = vec![
        (true, Reason::IdentityChanged, Box::new(move |f| f.key["status"] = identity("web"))),
        (false, Reason::UserNotFound, Box::new(|f| f.user = None)),
        (
            false,
            Reason::UserNotReady,
            Box::new(|f| user(f)["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z")),
        ),
        (false, Reason::TenantNotFound, Box::new(|f| f.tenant = None)),
        (
            true,
            Reason::NamespaceNotAllowed,
            Box::new(|f| f.tenant.as_mut().unwrap()["spec"]["allowedNamespaces"] = json!({})),
        ),
        (
            true,
            Reason::PermissionNotAllowed,
            Box::new(|f| f.tenant.as_mut().unwrap()["spec"]["allowedPermissions"] = json!(["Read"])),
        ),
        (true, Reason::RoleNotAllowed, Box::new(|f| user(f)["spec"]["role"] = json!("Backup"))),
        (
            true,
            Reason::QuotaExceeded,
            Box::new(|f| f.tenant.as_mut().unwrap()["spec"]["quota"] = json!({"accessKeysPerUser": 0})),
        ),
        (false, Reason::UserNotReady, Box::new(|f| user(f)["status"]["conditions"] = not_ready("NameTaken"))),
        (false, Reason::UserNotReady, Box::new(|f| user(f)["status"] = json!({}))),
        (false, Reason::AccountNotFound, Box::new(|f| f.account = None)),
        (
            false,
            Reason::AccountNotReady,
            Box::new(|f| account(f)["status"]["conditions"] = not_ready("AccountUnreachable")),
        ),
        (false, Reason::AccountNotReady, Box::new(|f| f.connected = false)),
        (
            true,
            Reason::NotSupportedByProvider,
            Box::new(|f| {
                f.key["spec"]["bucketRefs"] = json!([{"name": "data"}]);
                f.capabilities.clear();
            }),
        ),
        (
            false,
            Reason::BucketNotFound,
            Box::new(|f| f.key["spec"]["bucketRefs"] = json!([{"name": "none"}])),
        ),
        (
            true,
            Reason::BucketNotReady,
            Box::new(|f| f.key["spec"]["bucketRefs"] = json!([{"name": "other"}])),
        ),
        (
            false,
            Reason::BucketNotReady,
            Box::new(|f| {
                f.key["spec"]["bucketRefs"] = json!([{"name": "data"}]);
                f.buckets[0]["status"]["conditions"] = not_ready("NameTaken");
            }),
        ),
        (
            false,
            Reason::BucketRequired,
            Box::new(|f| {
                f.key["spec"]["secret"] = json!({"format": "Loki"});
                f.buckets = vec![bucket("of-another", "web")];
            }),
        ),
        (
            true,
            Reason::BucketRequired,
            Box::new(|f| {
                f.key["spec"]["secret"] = json!({"format": "Loki"});
                f.buckets.push(bucket("more", "backup"));
            }),
        ),
    ];
    for (number, (blocked, reason, change)) in cases.into_iter().enumerate() {
        let (found_blocked, found, message) = refused(change);
        assert_eq!((found_blocked, found), (blocked, reason), "{number}: {message}");
    }
}

#[test]
fn messages_name_things_as_the_user_did() {
    let (_, _, message) = refused(|f| f.user = None);
    assert_eq!(message, "StorageUser 'backup' does not exist in namespace 'team-a'. Waiting for it.");
    let (_, _, message) = refused(|f| {
        f.key["status"] = json!({"identity": {"user": "backup", "permission": "ReadWrite", "secret": "old"}});
    });
    assert_eq!(
        message,
        "`spec.secret.name` was 'old' and must not change to 'app'. Change it back, or make a new AccessKey."
    );
    let (_, _, message) = refused(|f| user(f)["status"]["conditions"] = not_ready("NameTaken"));
    assert_eq!(message, "StorageUser 'backup' is not Ready: NameTaken. Waiting for it.");
    let (_, _, message) = refused(|f| user(f)["spec"]["role"] = json!("ReadOnly"));
    assert_eq!(
        message,
        "StorageUser 'backup' has role ReadOnly, whose keys may be Read only; this key asks for ReadWrite. Ask who manages the users of the Tenant to change `spec.role`."
    );
}

#[test]
fn a_secret_may_not_have_a_type_that_kubernetes_gives_a_meaning() {
    for type_ in ["kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token", "kubernetes.io/tls"]
    {
        let (blocked, reason, message) = refused(|f| f.key["spec"]["secret"] = json!({"type": type_}));
        assert_eq!((blocked, reason), (true, Reason::InvalidSpec), "{type_}");
        assert!(message.contains(&format!("'{type_}'")), "{message}");
    }
    for type_ in ["Opaque", "servicebinding.io/s3", "notkubernetes.io/x"] {
        let mut fixture = fixture();
        fixture.key["spec"]["secret"] = json!({"type": type_});
        assert!(fixture.admit().is_ok(), "{type_}");
    }
}

#[test]
fn a_restricted_key_names_the_buckets_as_the_provider_does() {
    let mut fixture = fixture();
    fixture.key["spec"]["bucketRefs"] = json!([{"name": "data"}]);
    let admitted = fixture.admit().unwrap();
    assert_eq!(admitted.buckets, Some(vec!["data-at-provider".to_owned()]));
    assert_eq!(admitted.bucket.as_deref(), Some("data-at-provider"));
}

#[test]
fn the_quota_goes_to_keys_that_were_begun_and_then_to_the_oldest() {
    let other = |name: &str, made: &str, begun: bool, user: &str| {
        let mut other = key(name);
        other["metadata"]["creationTimestamp"] = json!(made);
        other["spec"]["userRef"]["name"] = json!(user);
        if begun {
            other["status"] = json!({"issue": {"epoch": 1, "attempt": 1, "nonce": "0".repeat(32)}});
        }
        other
    };
    for (others, begun, admitted) in [
        (vec![], false, true),
        (vec![other("old", "2025-01-01T00:00:00Z", false, "backup")], false, false),
        (vec![other("new", "2027-01-01T00:00:00Z", false, "backup")], false, true),
        (vec![other("new", "2027-01-01T00:00:00Z", true, "backup")], false, false),
        (vec![other("old", "2025-01-01T00:00:00Z", true, "web")], false, true),
        (vec![other("old", "2025-01-01T00:00:00Z", true, "backup")], true, true),
    ] {
        let mut fixture = fixture();
        fixture.tenant.as_mut().unwrap()["spec"]["quota"] = json!({"accessKeysPerUser": 1});
        if begun {
            fixture.key["status"] = json!({"issue": {"epoch": 1, "attempt": 1, "nonce": "0".repeat(32)}});
        }
        fixture.keys = others.clone();
        fixture.keys.push(fixture.key.clone());
        assert_eq!(fixture.admit().is_ok(), admitted, "{others:?} {begun}");
    }
}

#[test]
fn a_key_that_could_delete_too_needs_leave_of_whoever_manages_the_account() {
    let garage = |allowed: bool| json!({"garage": {"endpoint": "https://g", "credentialsSecretRef": {"name": "x"}, "allowWriteToDelete": allowed}});
    for (exact, allowed, admitted) in [(true, false, true), (false, true, true), (false, false, false)] {
        let mut fixture = fixture();
        fixture.key["spec"]["permission"] = json!("Write");
        account(&mut fixture)["spec"]["provider"] = garage(allowed);
        if exact {
            fixture.capabilities.insert(Capability::ExactWrite);
        }
        match fixture.admit() {
            Ok(_) => assert!(admitted, "{exact} {allowed}"),
            Err(Verdict::Blocked(reason, message)) => {
                assert!(!admitted && reason == Reason::NotSupportedByProvider, "{exact} {allowed}");
                assert!(message.contains("delete") && message.contains("allowWriteToDelete"), "{message}");
            }
            other => panic!("{other:?}"),
        }
    }
}
