//! What is withdrawn from whom: one row a rule.

use super::{of_key, of_user};
use crate::api::key::{AccessKey, Permission};
use crate::api::tenant::OnWithdrawal;
use crate::api::{Reason, StorageUser, Tenant, TenantSpec};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

fn user(uid: &str, day: u32, made: bool) -> StorageUser {
    let status = if made { json!({ "userId": uid, "tenant": "acme" }) } else { json!({}) };
    serde_json::from_value(json!({
        "apiVersion": "storekeeper.dev/v1alpha1", "kind": "StorageUser",
        "metadata": { "name": uid, "namespace": "team-a", "uid": uid,
            "creationTimestamp": format!("2026-01-{day:02}T00:00:00Z") },
        "spec": { "tenantRef": { "name": "acme" } }, "status": status,
    }))
    .unwrap()
}

fn key(uid: &str, day: u32, of: Option<&str>) -> AccessKey {
    let made_as = of.map(|user| json!({ "user": user, "permission": "Full", "secret": uid }));
    serde_json::from_value(json!({
        "apiVersion": "storekeeper.dev/v1alpha1", "kind": "AccessKey",
        "metadata": { "name": uid, "namespace": "team-a", "uid": uid,
            "creationTimestamp": format!("2026-01-{day:02}T00:00:00Z") },
        "spec": { "userRef": { "name": "app" }, "permission": "Read" }, "status": { "identity": made_as },
    }))
    .unwrap()
}

/// A tenant that allows all, and suspends.
fn acme() -> Tenant {
    let mut tenant = Tenant::new("acme", TenantSpec::default());
    tenant.spec.allowed_namespaces.names = vec!["team-a".to_owned()];
    tenant.spec.on_withdrawal = OnWithdrawal::Suspend;
    tenant
}

#[test]
fn a_user_is_suspended_where_its_namespace_or_its_place_in_the_quota_is_withdrawn() {
    type Change = fn(&mut Tenant);
    type Row = (&'static str, Change, bool, Vec<StorageUser>, Option<Reason>);
    let labels = BTreeMap::new();
    let no_namespace: Change = |tenant| tenant.spec.allowed_namespaces.names.clear();
    let one: Change = |tenant| tenant.spec.quota.users = Some(1);
    let none: Change = |tenant| tenant.spec.quota.users = Some(0);
    let cases: Vec<Row> = vec![
        ("all is allowed", |_| (), true, vec![], None),
        ("namespace", no_namespace, true, vec![], Some(Reason::NamespaceNotAllowed)),
        ("a namespace that is not known", no_namespace, false, vec![], None),
        ("the only one", one, true, vec![user("me", 2, true)], None),
        ("none may be", none, true, vec![], Some(Reason::QuotaExceeded)),
        ("an older one", one, true, vec![user("u-0", 1, true)], Some(Reason::QuotaExceeded)),
        ("an older one that was never made", one, true, vec![user("u-0", 1, false)], None),
        ("a newer one", one, true, vec![user("u-3", 3, true)], None),
    ];
    for (what, change, known, others, expected) in cases {
        let mut tenant = acme();
        change(&mut tenant);
        let others: Vec<_> = others.into_iter().map(Arc::new).collect();
        let seen = known.then_some(&labels);
        let found = of_user(&user("me", 2, true), &tenant, seen, &others);
        assert_eq!(found.map(|blocked| blocked.0), expected, "{what}");
        tenant.spec.on_withdrawal = OnWithdrawal::Keep;
        assert_eq!(of_user(&user("me", 2, true), &tenant, seen, &others), None, "{what}: Keep");
    }
}

#[test]
fn a_key_is_suspended_by_what_it_was_made_as_or_where_its_user_has_too_many() {
    type Change = fn(&mut Tenant);
    let only_read: Change = |tenant| tenant.spec.allowed_permissions = Some(vec![Permission::Read]);
    let one: Change = |tenant| tenant.spec.quota.access_keys_per_user = Some(1);
    let cases: Vec<(&str, Change, Vec<AccessKey>, Option<Reason>)> = vec![
        ("all is allowed", |_| (), vec![], None),
        (
            "permission, though its spec says Read by now",
            only_read,
            vec![],
            Some(Reason::PermissionNotAllowed),
        ),
        ("the only one", one, vec![key("me", 2, Some("app"))], None),
        ("an older one", one, vec![key("k-0", 1, Some("app"))], Some(Reason::QuotaExceeded)),
        ("a newer one", one, vec![key("k-3", 3, Some("app"))], None),
        ("an older one of another user", one, vec![key("k-0", 1, Some("web"))], None),
        ("an older one that was never begun", one, vec![key("k-0", 1, None)], None),
    ];
    for (what, change, others, expected) in cases {
        let mut tenant = acme();
        change(&mut tenant);
        let others: Vec<_> = others.into_iter().map(Arc::new).collect();
        let me = key("me", 2, Some("app"));
        let made_as = me.status.as_ref().unwrap().identity.clone().unwrap();
        let found = of_key(&me, &made_as, &tenant, &others);
        assert_eq!(found.map(|blocked| blocked.0), expected, "{what}");
        tenant.spec.on_withdrawal = OnWithdrawal::Keep;
        assert_eq!(of_key(&me, &made_as, &tenant, &others), None, "{what}: Keep");
    }
}
