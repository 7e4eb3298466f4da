//! How a published key stands with its tenant.

use super::{Around, Standing, as_before, cannot, standing, suspended};
use crate::api::key::{AccessKey, Permission};
use crate::api::tenant::OnWithdrawal;
use crate::api::{Reason, StorageUser, Tenant, TenantSpec};
use crate::operator::runtime::Blocked;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

fn key() -> AccessKey {
    let condition = json!({"type": "Suspended", "status": "True", "reason": "QuotaExceeded", "message": "m",
        "lastTransitionTime": "2026-01-01T00:00:00Z"});
    serde_json::from_value(json!({
        "apiVersion": "storekeeper.dev/v1alpha1", "kind": "AccessKey",
        "metadata": {"name": "app", "namespace": "team-a", "uid": "k"},
        "spec": {"userRef": {"name": "elsewhere"}, "permission": "Read"},
        "status": {
            "identity": {"user": "backup", "permission": "Full", "secret": "app"},
            "published": {"epoch": 1, "nonce": "0".repeat(32), "accessKeyId": "SK1",
                "secret": {"name": "app", "uid": "s"}, "time": "2026-01-01T00:00:00Z"},
            "conditions": [condition],
        },
    }))
    .unwrap()
}

fn around() -> Around {
    let user: StorageUser = serde_json::from_value(json!({
        "apiVersion": "storekeeper.dev/v1alpha1", "kind": "StorageUser",
        "metadata": {"name": "backup", "namespace": "team-a", "uid": "u"},
        "spec": {"tenantRef": {"name": "acme"}}, "status": {"userId": "us_1", "tenant": "acme"},
    }))
    .unwrap();
    let mut tenant = Tenant::new("acme", TenantSpec::default());
    tenant.spec.on_withdrawal = OnWithdrawal::Suspend;
    tenant.spec.allowed_namespaces.names = vec!["team-a".to_owned()];
    let (user, tenant) = (Some(Arc::new(user)), Some(Arc::new(tenant)));
    Around { user, tenant, labels: Some(BTreeMap::new()), ..Around::default() }
}

fn tenant(around: &mut Around) -> &mut Tenant {
    Arc::make_mut(around.tenant.as_mut().unwrap())
}

#[test]
fn a_key_stands_as_its_user_does_and_then_by_what_it_was_made_as() {
    type Change = fn(&mut AccessKey, &mut Around);
    let cases: [(&str, Change, &str); 8] = [
        ("all is allowed", |_, _| (), "works"),
        ("not published", |key, _| key.status.as_mut().unwrap().published = None, "unknown"),
        ("no user", |_, around| around.user = None, "unknown"),
        ("no tenant", |_, around| around.tenant = None, "unknown"),
        (
            "permission",
            |_, around| tenant(around).spec.allowed_permissions = Some(vec![Permission::Read]),
            "suspended PermissionNotAllowed",
        ),
        (
            "namespace",
            |_, around| tenant(around).spec.allowed_namespaces.names.clear(),
            "with its user NamespaceNotAllowed",
        ),
        (
            "both",
            |_, around| {
                tenant(around).spec.allowed_namespaces.names.clear();
                tenant(around).spec.allowed_permissions = Some(vec![]);
            },
            "with its user NamespaceNotAllowed",
        ),
        (
            "kept",
            |_, around| {
                tenant(around).spec.allowed_namespaces.names.clear();
                tenant(around).spec.on_withdrawal = OnWithdrawal::Keep;
            },
            "works",
        ),
    ];
    for (what, change, expected) in cases {
        let (mut key, mut around) = (key(), around());
        change(&mut key, &mut around);
        let found = match standing(&key, &around) {
            Standing::Unknown => "unknown".to_owned(),
            Standing::Works => "works".to_owned(),
            Standing::WithUser(blocked) => format!("with its user {}", blocked.0),
            Standing::Suspended(blocked) => format!("suspended {}", blocked.0),
        };
        assert_eq!(found, expected, "{what}");
    }
}

#[test]
fn where_a_single_key_cannot_be_suspended_that_is_said_with_the_way_out() {
    let blocked = Blocked::new(Reason::PermissionNotAllowed, "Tenant 'acme' allows Read.");
    let told = cannot("main", &blocked);
    assert_eq!((told.holds, told.reason), (false, Reason::NotSupportedByProvider));
    assert!(
        told.message.contains("'acme'") && told.message.contains("delete this AccessKey"),
        "{}",
        told.message
    );
    assert!(suspended(&blocked).holds);
}

#[test]
fn a_condition_that_is_not_judged_anew_stays() {
    let kept = as_before(&key()).unwrap();
    assert_eq!((kept.holds, kept.reason, kept.message.as_str()), (true, Reason::QuotaExceeded, "m"));
    let mut never = key();
    never.status.as_mut().unwrap().conditions.0.clear();
    assert_eq!(as_before(&never), None);
}
