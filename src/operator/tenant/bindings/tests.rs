use super::{InvalidSubject, People, Subject, Surroundings, render};
use crate::api::{StorageAccount, Tenant};
use k8s_openapi::api::core::v1::Namespace;
use serde_json::{Value, json};

fn tenant(name: &str, visibility: &str) -> Tenant {
    serde_json::from_value(json!({
        "apiVersion": "storekeeper.dev/v1alpha1", "kind": "Tenant", "metadata": {"name": name},
        "spec": {"visibility": visibility, "allowedNamespaces": {"names": ["team-a", "team-b"], "matchLabels": {"for": name}}},
    }))
    .unwrap()
}

fn account(name: &str, tenant: Option<&str>) -> StorageAccount {
    let mut account = json!({
        "apiVersion": "storekeeper.dev/v1alpha1", "kind": "StorageAccount", "metadata": {"name": name},
        "spec": {
            "provider": {"management": {
                "endpoint": "https://storage.example.com", "credentialsSecretRef": {"name": format!("{name}-admin")},
            }},
            "s3": {"endpoint": "https://s3.example.com"},
        },
    });
    if let Some(tenant) = tenant {
        account["spec"]["tenantRef"] = json!({"name": tenant});
    }
    serde_json::from_value(account).unwrap()
}

fn namespace(name: &str, labels: &Value) -> Namespace {
    serde_json::from_value(json!({"metadata": {"name": name, "labels": labels}})).unwrap()
}

fn people() -> People {
    let group = |name: &str| vec![Subject::Group(name.to_owned())];
    People {
        administrators: group("admins"),
        tenant_administrators: group("leads"),
        full_access: group("devs"),
        backup: group("jobs"),
        read_only: group("guests"),
    }
}

fn around() -> Surroundings {
    Surroundings {
        accounts: vec![
            account("shared", None),
            account("own", Some("acme")),
            account("foreign", Some("other")),
        ],
        namespaces: Some(vec![
            namespace("team-a", &json!({})),
            namespace("team-b", &json!({"storekeeper.dev/tenant": "other"})),
            namespace("by-label", &json!({"for": "acme"})),
            namespace("elsewhere", &json!({})),
        ]),
        credentials: Vec::new(),
    }
}

/// `kind namespace/name -> role: subjects` a line.
fn bindings(objects: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let bindings = objects.iter().filter(|object| object["kind"] != "ClusterRole");
    bindings
        .map(|object| {
            let metadata = &object["metadata"];
            let subjects: Vec<String> =
                object["subjects"].as_array().unwrap().iter().map(|subject| text(&subject["name"])).collect();
            format!(
                "{} {}/{} -> {}: {}",
                text(&object["kind"]),
                text(&metadata["namespace"]),
                text(&metadata["name"]),
                text(&object["roleRef"]["name"]),
                subjects.join(",")
            )
        })
        .collect()
}

fn rules(objects: &[Value]) -> &Value {
    &objects.iter().find(|object| object["kind"] == "ClusterRole").unwrap()["rules"]
}

#[test]
fn a_public_tenant_is_managed_by_its_people_and_by_global_administrators() {
    let objects = render(&tenant("acme", "Public"), &around(), &people());
    let mut expected = vec![
        "ClusterRoleBinding /storekeeper-accounts-of-acme -> storekeeper-accounts-of-acme: leads,admins"
            .to_owned(),
    ];
    for namespace in ["by-label", "team-a"] {
        expected.extend([
            format!("RoleBinding {namespace}/storekeeper-administrator -> storekeeper-tenant-administrator: admins"),
            format!(
                "RoleBinding {namespace}/storekeeper-tenant-administrator -> storekeeper-tenant-administrator: leads"
            ),
            format!("RoleBinding {namespace}/storekeeper-full-access -> storekeeper-full-access: devs"),
            format!("RoleBinding {namespace}/storekeeper-backup -> storekeeper-backup: jobs"),
            format!("RoleBinding {namespace}/storekeeper-read-only -> storekeeper-read-only: guests"),
        ]);
    }
    assert_eq!(bindings(&objects), expected);
}

#[test]
fn global_administrators_are_bound_to_nothing_of_an_isolated_tenant() {
    let objects = render(&tenant("acme", "Isolated"), &around(), &people());
    assert!(!bindings(&objects).iter().any(|line| line.contains("admins")), "{:?}", bindings(&objects));
    let only = People { administrators: people().administrators, ..People::default() };
    assert_eq!(render(&tenant("acme", "Isolated"), &around(), &only), Vec::<Value>::new());
}

#[test]
fn accounts_and_credentials_are_given_by_name() {
    let mut around = around();
    around.credentials = vec!["next".to_owned()];
    let objects = render(&tenant("acme", "Public"), &around, &people());
    assert_eq!(
        *rules(&objects),
        json!([
            {"apiGroups": ["storekeeper.dev"], "resources": ["tenants"], "resourceNames": ["acme"], "verbs": ["connect"]},
            {"apiGroups": ["storekeeper.dev"], "resources": ["storageaccounts"], "verbs": ["create"]},
            {
                "apiGroups": ["storekeeper.dev"], "resources": ["storageaccounts"], "resourceNames": ["own"],
                "verbs": ["get", "list", "watch", "update", "patch", "delete"],
            },
            {
                "apiGroups": ["storekeeper.dev"], "resources": ["credentials"],
                "resourceNames": ["next", "own-admin"], "verbs": ["use"],
            },
        ])
    );
}

#[test]
fn a_tenant_without_accounts_gets_no_rule_that_would_mean_all_of_them() {
    let around = Surroundings { accounts: vec![account("shared", None)], ..around() };
    let objects = render(&tenant("acme", "Public"), &around, &people());
    for rule in rules(&objects).as_array().unwrap() {
        let named = rule["resourceNames"].as_array().is_some_and(|names| !names.is_empty());
        assert!(named || rule["verbs"] == json!(["create"]), "{rule}");
    }
}

#[test]
fn accounts_of_no_tenant_are_looked_after_with_the_built_in_one() {
    let around = Surroundings { namespaces: None, ..around() };
    let objects = render(&tenant("administrator", "Public"), &around, &people());
    assert_eq!(rules(&objects)[2]["resourceNames"], json!(["shared"]));
    let bindings = bindings(&objects);
    assert_eq!(
        bindings[0],
        "ClusterRoleBinding /storekeeper-administrator -> storekeeper-administrator: admins"
    );
    assert!(
        bindings.iter().any(|line| line.starts_with("RoleBinding team-b/storekeeper-backup")),
        "{bindings:?}"
    );
}

#[test]
fn subjects_are_read_as_rbac_has_them() {
    for (text, subject) in [
        ("User:tina@example.com", Ok(Subject::User("tina@example.com".to_owned()))),
        ("Group:oidc:devs", Ok(Subject::Group("oidc:devs".to_owned()))),
        (
            "ServiceAccount:flux/acme",
            Ok(Subject::ServiceAccount { namespace: "flux".to_owned(), name: "acme".to_owned() }),
        ),
        ("ServiceAccount:acme", Err(InvalidSubject)),
        ("ServiceAccount:/acme", Err(InvalidSubject)),
        ("User:", Err(InvalidSubject)),
        ("Robot:acme", Err(InvalidSubject)),
        ("tina", Err(InvalidSubject)),
    ] {
        assert_eq!(text.parse::<Subject>(), subject, "{text}");
    }
}
