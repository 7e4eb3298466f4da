//! The tree of one valid world, as it is written down, and what a change of one thing comes to.

use super::read::There;
use super::tree::{Node, forest, is_well};
use super::{Focus, render};
use crate::plugin::item::{Item, Kind, Stand};
use crate::plugin::output::{Format, Look};
use jiff::Timestamp;
use serde_json::{Value, json};

fn item(kind: Kind, namespace: Option<&str>, name: &str, spec: Value, status: Value) -> Item {
    let metadata = json!({
        "name": name, "namespace": namespace, "generation": 1, "creationTimestamp": "2026-01-01T00:00:00Z",
    });
    let mut object =
        json!({"apiVersion": "storekeeper.dev/v1alpha1", "kind": kind.as_str(), "metadata": metadata});
    object["spec"] = spec;
    object["status"] = status;
    Item::of(kind, serde_json::from_value(object).unwrap())
}

fn condition(kind: &str, holds: bool, reason: &str, message: &str) -> Value {
    json!({"type": kind, "status": if holds { "True" } else { "False" }, "reason": reason, "message": message})
}

fn status(conditions: Vec<Value>, more: Value) -> Value {
    let mut status = more;
    status["observedGeneration"] = json!(1);
    status["conditions"] = Value::from(conditions);
    status
}

fn ready(more: Value) -> Value {
    status(vec![condition("Ready", true, "Ready", "Everything is as the spec asks.")], more)
}

fn stuck(reason: &str, message: &str, own: &[Value]) -> Value {
    let mut conditions =
        vec![condition("Ready", false, reason, message), condition("Stalled", true, reason, message)];
    conditions.extend_from_slice(own);
    status(conditions, json!({}))
}

fn waiting(reason: &str, message: &str) -> Value {
    let both = [("Ready", false), ("Reconciling", true)];
    status(both.map(|(kind, holds)| condition(kind, holds, reason, message)).to_vec(), json!({}))
}

/// Two tenants in two namespaces, with most of what can be.
fn world() -> There {
    let user = |namespace, name, tenant: &str, status| {
        item(
            Kind::StorageUser,
            Some(namespace),
            name,
            json!({"tenantRef": {"name": tenant}, "role": "FullAccess"}),
            status,
        )
    };
    let mut items = vec![
        item(
            Kind::StorageAccount,
            None,
            "main",
            json!({"default": true}),
            ready(json!({"provider": {"name": "storekeeper"}})),
        ),
        item(
            Kind::Tenant,
            None,
            "acme",
            json!({"visibility": "Isolated"}),
            ready(json!({"bound": {"users": 1, "accessKeys": 3, "buckets": 1}})),
        ),
        item(Kind::Tenant, None, "empty", json!({"visibility": "Public"}), json!({"observedGeneration": -1})),
        user("team-a", "backup", "acme", ready(json!({"login": "team-a_backup", "account": "main"}))),
        user(
            "team-b",
            "stray",
            "nowhere",
            waiting("TenantNotFound", "Tenant 'nowhere' does not exist. Waiting for it."),
        ),
        item(
            Kind::Bucket,
            Some("team-a"),
            "data",
            json!({"userRef": {"name": "backup"}}),
            ready(json!({"bucketName": "data", "usage": {"objects": 1204, "size": 3_328_599_654_u64}})),
        ),
    ];
    items.extend(keys());
    There { items, ..There::default() }
}

/// Keys of one namespace: one that works, and what can be in the way of the others.
fn keys() -> Vec<Item> {
    let key = |name, user: &str, status| {
        item(
            Kind::AccessKey,
            Some("team-a"),
            name,
            json!({"userRef": {"name": user}, "permission": "Read"}),
            status,
        )
    };
    let lost =
        "The Secret of this key was deleted. Restore it, or annotate with storekeeper.dev/reissue=\"2\".";
    let withdrawn = "Tenant 'acme' allows Read; this key asks for Full. Ask the owner of the Tenant.";
    let suspended = condition(
        "Suspended",
        true,
        "PermissionNotAllowed",
        &format!("{withdrawn} Until then the key is refused."),
    );
    vec![
        key(
            "app-ro",
            "backup",
            ready(json!({"keyHint": "SKA4…7QXZ", "published": {"secret": {"name": "app-ro"}}})),
        ),
        key(
            "app-old",
            "backup",
            stuck("SecretLost", lost, &[condition("SecretPublished", false, "NotPublished", "gone")]),
        ),
        key("app-rw", "backup", stuck("PermissionNotAllowed", withdrawn, &[suspended])),
        key(
            "orphan",
            "gone",
            waiting(
                "UserNotFound",
                "StorageUser 'gone' does not exist in namespace 'team-a'. Waiting for it.",
            ),
        ),
    ]
}

fn now() -> Timestamp {
    "2026-01-03T04:00:00Z".parse().unwrap()
}

fn shown(there: &There, focus: &Focus, wide: bool) -> String {
    render::text(&forest(there, focus), &there.notes, wide, Look { colours: false }, now())
}

#[test]
fn the_whole_tree() {
    insta::assert_snapshot!(shown(&world(), &Focus::default(), false));
}

#[test]
fn the_whole_tree_wide() {
    insta::assert_snapshot!(shown(&world(), &Focus::default(), true));
}

#[test]
fn one_object_with_what_is_above_it_as_documents() {
    let focus = Focus { kind: Some(Kind::AccessKey), name: Some("app-rw".to_owned()) };
    let document = render::document(&forest(&world(), &focus), &["a note".to_owned()]);
    insta::assert_snapshot!(Format::Json.document(&document).unwrap().unwrap());
    insta::assert_snapshot!(Format::Yaml.document(&document).unwrap().unwrap());
}

#[test]
fn what_the_caller_may_not_see_is_hidden_and_not_missing() {
    let mut there = world();
    there.items.retain(|item| matches!(item.kind, Kind::AccessKey | Kind::Bucket));
    there.hidden = vec![Kind::StorageAccount, Kind::Tenant, Kind::StorageUser];
    there.notes = vec!["You may not list tenants: they are not shown.".to_owned()];
    insta::assert_snapshot!(shown(&there, &Focus::default(), false));
}

#[test]
fn a_focus_shows_what_is_above_and_below_and_nothing_else() {
    for (kind, name, expected) in [
        (Kind::Tenant, Some("acme"), vec!["acme", "backup", "app-old", "app-ro", "app-rw", "data"]),
        (Kind::Bucket, None, vec!["acme", "backup", "data"]),
        (Kind::AccessKey, Some("app-ro"), vec!["acme", "backup", "app-ro"]),
        (Kind::StorageAccount, None, vec!["main"]),
        (Kind::Bucket, Some("none"), vec![]),
    ] {
        let focus = Focus { kind: Some(kind), name: name.map(str::to_owned) };
        assert_eq!(names(&forest(&world(), &focus)), expected, "{kind:?} {name:?}");
    }
}

fn names(nodes: &[Node]) -> Vec<String> {
    nodes.iter().flat_map(|node| [vec![node.name.clone()], names(&node.children)].concat()).collect()
}

#[test]
fn a_focus_is_a_kind_and_a_name_in_any_of_kubectls_spellings() {
    let parse = |kind: &str, name: Option<&str>| Focus::parse(Some(kind.to_owned()), name.map(str::to_owned));
    for word in ["accesskey", "AccessKey", "accesskeys", "skk", "key", "accesskeys.storekeeper.dev"] {
        let focus = parse(word, Some("a")).unwrap();
        assert_eq!((focus.kind, focus.name.as_deref()), (Some(Kind::AccessKey), Some("a")), "{word}");
    }
    assert_eq!(parse("skb/data", None).unwrap().name.as_deref(), Some("data"));
    assert!(parse("skb/data", Some("other")).is_err());
    assert!(parse("pod", None).unwrap_err().to_string().contains("'pod'"));
    assert_eq!(Focus::parse(None, None).unwrap(), Focus::default());
}

#[test]
fn how_an_object_stands_follows_from_its_conditions_and_generation() {
    type Change = fn(&mut Value);
    let stand = |change: fn(&mut Value)| {
        let mut object = json!({
            "metadata": {"name": "a", "generation": 2},
            "status": {"observedGeneration": 2, "conditions": [condition("Ready", true, "Ready", "")]},
        });
        change(&mut object);
        Item::of(Kind::Bucket, serde_json::from_value(object).unwrap()).stand()
    };
    let not_ready: Change =
        |object| object["status"]["conditions"] = json!([condition("Ready", false, "Progressing", "")]);
    let stalled: Change = |object| {
        object["status"] = {
            let mut status = stuck("NameTaken", "", &[]);
            status["observedGeneration"] = json!(2);
            status
        }
    };
    let cases: [(&str, Change, Stand); 7] = [
        ("ready", |_| (), Stand::Ready),
        ("not ready", not_ready, Stand::Waiting),
        ("stalled", stalled, Stand::Blocked),
        ("changed since", |object| object["metadata"]["generation"] = json!(3), Stand::Unseen),
        ("new", |object| object["status"] = json!({"observedGeneration": -1}), Stand::Unseen),
        ("no status", |object| object["status"] = Value::Null, Stand::Unseen),
        (
            "being deleted",
            |object| object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z"),
            Stand::Deleting,
        ),
    ];
    for (what, change, expected) in cases {
        assert_eq!(stand(change), expected, "{what}");
    }
}

#[test]
fn all_is_well_only_where_every_object_is() {
    let mut there = world();
    assert!(!is_well(&forest(&there, &Focus::default())));
    let focus = Focus { kind: Some(Kind::Bucket), name: None };
    assert!(is_well(&forest(&there, &focus)), "what is shown is what counts");
    there.items.clear();
    let hidden = There { hidden: vec![Kind::Tenant], ..there };
    assert!(is_well(&forest(&hidden, &Focus::default())));
}
