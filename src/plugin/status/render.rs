//! The trees as text and as a document. Pure.

use super::tree::Node;
use crate::plugin::item::{Item, Kind, Stand};
use crate::plugin::output::{Line, Look, Tone, ago, table};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

/// For people: one line an object, and below it what is worth saying.
pub fn text(forest: &[Node], notes: &[String], wide: bool, look: Look, now: Timestamp) -> String {
    let mut lines = Vec::new();
    for node in forest {
        line(node, "", "", wide, now, &mut lines);
    }
    let mut header = vec!["OBJECT", "STATE", "REASON", "AGE"];
    if wide {
        header.push("DETAILS");
    }
    let mut text = table(&header, &lines, look);
    for note in notes {
        text.push_str(&look.paint(Tone::Faint, note));
        text.push('\n');
    }
    text
}

/// Where there is no object to show.
pub fn nothing(kind: Option<Kind>, name: Option<&str>, namespace: Option<&str>, notes: &[String]) -> String {
    let what = match (kind, name) {
        (Some(kind), Some(name)) => format!("There is no {} '{name}'", kind.as_str()),
        (Some(kind), None) => format!("There are no {}", kind.plural()),
        (None, _) => "There is nothing of storekeeper's".to_owned(),
    };
    let place = namespace.map(|name| format!(" in namespace '{name}'")).unwrap_or_default();
    let mut text = format!("{what}{place}.\n");
    for note in notes {
        text.push_str(note);
        text.push('\n');
    }
    text
}

/// `branch` stands before the object itself, `below` before what hangs on it.
fn line(node: &Node, branch: &str, below: &str, wide: bool, now: Timestamp, lines: &mut Vec<Line>) {
    let place = node.namespace.as_ref().filter(|_| node.kind == Kind::StorageUser);
    let name = place.map_or_else(|| node.name.clone(), |namespace| format!("{namespace}/{}", node.name));
    let age = node.item.as_ref().and_then(|item| item.created).map(|then| ago(then, now));
    let mut cells = vec![
        (format!("{branch}{} {name}", node.kind.as_str()), None),
        (node.stand.as_str().to_owned(), Some(Tone::from(node.stand))),
        (reason(node), None),
        (age.unwrap_or_default(), None),
    ];
    if wide {
        cells.push((details(node).join(", "), Some(Tone::Faint)));
    }
    lines.push(Line::Row(cells));
    let bar = if node.children.is_empty() { "   " } else { "│  " };
    for (message, tone) in messages(node) {
        lines.push(Line::Text(format!("{below}{bar} {message}"), tone));
    }
    let last = node.children.len().saturating_sub(1);
    for (index, child) in node.children.iter().enumerate() {
        let (fork, rail) = if index == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        line(child, &format!("{below}{fork}"), &format!("{below}{rail}"), wide, now, lines);
    }
}

fn reason(node: &Node) -> String {
    let Some(item) = &node.item else { return String::new() };
    let ready = item.condition("Ready").filter(|_| node.stand != Stand::Ready);
    ready.map(|condition| condition.reason.to_owned()).unwrap_or_default()
}

/// What is worth saying: why it is not Ready, and every condition of its own that is not as it should be.
fn messages(node: &Node) -> Vec<(String, Tone)> {
    let Some(item) = &node.item else {
        return match node.stand {
            Stand::Missing => vec![("It does not exist.".to_owned(), Tone::Bad)],
            Stand::Hidden
            | Stand::Ready
            | Stand::Waiting
            | Stand::Blocked
            | Stand::Deleting
            | Stand::Unseen => Vec::new(),
        };
    };
    let mut said: Vec<(String, Tone)> = Vec::new();
    if node.stand == Stand::Unseen {
        said.push((
            "The operator has not looked at it yet, or not since it was changed.".to_owned(),
            Tone::Doubtful,
        ));
    }
    for condition in item.conditions() {
        let words = match (condition.kind, condition.holds) {
            ("Ready", false) => condition.message.to_owned(),
            ("Suspended" | "OrphanedKeys" | "DeletionBlocked", true) | ("Suspended", false) => {
                format!("{}: {}", condition.kind, condition.message)
            }
            ("SecretPublished", false) if node.stand == Stand::Ready => condition.message.to_owned(),
            _ => continue,
        };
        // What says the same and more, says it instead.
        match said.iter_mut().find(|(before, _)| condition.message.starts_with(before.as_str())) {
            Some(before) => before.0 = words,
            None if words.is_empty() => {}
            None => said.push((words, Tone::from(node.stand))),
        }
    }
    said
}

/// What else a person may want to know.
fn details(node: &Node) -> Vec<String> {
    let Some(item) = &node.item else { return Vec::new() };
    let labelled = |label: &str, text: Option<&str>| text.map(|text| format!("{label} {text}"));
    let number = |pointer: &str, what: &str| {
        let count = item.status.pointer(pointer).and_then(Value::as_u64);
        count.map(|count| {
            crate::operator::words::counted(count, what).unwrap_or_else(|| format!("no {what}s"))
        })
    };
    let found = match item.kind {
        Kind::StorageAccount => vec![
            labelled("provider", item.status_text("/provider/name")),
            item.spec["default"].as_bool().filter(|default| *default).map(|_| "default".to_owned()),
            labelled("of tenant", item.spec_text("/tenantRef/name")),
        ],
        Kind::Tenant => vec![
            item.spec_text("/visibility").map(str::to_owned),
            number("/bound/users", "user"),
            number("/bound/accessKeys", "key"),
            number("/bound/buckets", "bucket"),
        ],
        Kind::StorageUser => vec![
            labelled("role", item.spec_text("/role")),
            labelled("login", item.status_text("/login")),
            labelled("account", item.status_text("/account")),
        ],
        Kind::AccessKey => vec![
            item.spec_text("/permission").map(str::to_owned),
            labelled("key", item.status_text("/keyHint")),
            labelled("Secret", item.status_text("/published/secret/name")),
        ],
        Kind::Bucket => vec![
            labelled("bucket", item.status_text("/bucketName")),
            number("/usage/objects", "object"),
            item.status.pointer("/usage/size").and_then(Value::as_u64).map(crate::operator::words::size),
        ],
    };
    found.into_iter().flatten().collect()
}

/// For programs.
pub fn document(forest: &[Node], notes: &[String]) -> impl Serialize + use<> {
    json!({
        "apiVersion": "cli.storekeeper.dev/v1alpha1",
        "kind": "Status",
        "notes": notes,
        "items": forest.iter().map(node_document).collect::<Vec<_>>(),
    })
}

fn node_document(node: &Node) -> Value {
    let mut document = json!({
        "kind": node.kind.as_str(),
        "name": node.name,
        "state": node.stand.as_str(),
        "children": node.children.iter().map(node_document).collect::<Vec<_>>(),
    });
    if let Some(namespace) = &node.namespace {
        document["namespace"] = json!(namespace);
    }
    if let Some(item) = &node.item {
        document["conditions"] = conditions(item);
        document["details"] = json!(details(node));
    }
    document
}

fn conditions(item: &Item) -> Value {
    let conditions = item.conditions().map(|condition| {
        let status = if condition.holds { "True" } else { "False" };
        json!({"type": condition.kind, "status": status, "reason": condition.reason, "message": condition.message})
    });
    conditions.collect()
}
