//! The tree: Tenant → StorageUser → AccessKeys and Buckets; StorageAccounts beside it. Pure.
//!
//! What something refers to and what was not seen has a place in the tree all the same: as missing, or as hidden where
//! the caller may not look.

use super::Focus;
use super::read::There;
use crate::plugin::item::{Item, Kind, Stand};

/// One object with what hangs on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace, if it lives in one.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// How it stands.
    pub stand: Stand,
    /// The object, where it was seen.
    pub item: Option<Item>,
    /// What hangs on it.
    pub children: Vec<Node>,
}

/// All trees, in the order in which they are shown.
pub fn forest(there: &There, focus: &Focus) -> Vec<Node> {
    let mut nodes = accounts(there);
    nodes.extend(tenants(there));
    nodes.into_iter().filter_map(|node| pruned(node, focus)).collect()
}

/// Whether everything that is shown is as it should be.
pub fn is_well(nodes: &[Node]) -> bool {
    nodes.iter().all(|node| super::is_well(node.stand) && is_well(&node.children))
}

fn of_kind(there: &There, kind: Kind) -> impl Iterator<Item = &Item> {
    there.items.iter().filter(move |item| item.kind == kind)
}

fn seen(item: &Item, children: Vec<Node>) -> Node {
    let Item { kind, namespace, name, .. } = item.clone();
    Node { kind, namespace, name, stand: item.stand(), item: Some(item.clone()), children }
}

/// Something that is referred to and was not seen.
fn unseen(there: &There, kind: Kind, namespace: Option<&str>, name: &str, children: Vec<Node>) -> Node {
    let stand = if there.hidden.contains(&kind) { Stand::Hidden } else { Stand::Missing };
    let namespace = namespace.map(str::to_owned);
    Node { kind, namespace, name: name.to_owned(), stand, item: None, children }
}

fn accounts(there: &There) -> Vec<Node> {
    let mut nodes: Vec<Node> =
        of_kind(there, Kind::StorageAccount).map(|item| seen(item, Vec::new())).collect();
    sort(&mut nodes);
    nodes
}

fn tenants(there: &There) -> Vec<Node> {
    let users = users(there);
    let mut names: Vec<String> = of_kind(there, Kind::Tenant).map(|item| item.name.clone()).collect();
    names.extend(users.iter().filter_map(|user| tenant_of(user).map(str::to_owned)));
    names.sort_unstable();
    names.dedup();
    let mut nodes: Vec<Node> = names
        .iter()
        .map(|name| {
            let children =
                users.iter().filter(|user| tenant_of(user) == Some(name.as_str())).cloned().collect();
            match of_kind(there, Kind::Tenant).find(|item| item.name == *name) {
                Some(item) => seen(item, children),
                None => unseen(there, Kind::Tenant, None, name, children),
            }
        })
        // Of one namespace only those that have something in it.
        .filter(|node| there.namespace.is_none() || !node.children.is_empty())
        .collect();
    nodes.extend(users.into_iter().filter(|user| tenant_of(user).is_none()));
    nodes
}

fn tenant_of(user: &Node) -> Option<&str> {
    let item = user.item.as_ref()?;
    item.status_text("/tenant").or_else(|| item.spec_text("/tenantRef/name"))
}

fn users(there: &There) -> Vec<Node> {
    let leaves: Vec<&Item> =
        there.items.iter().filter(|item| matches!(item.kind, Kind::AccessKey | Kind::Bucket)).collect();
    let referred = leaves.iter().filter_map(|leaf| Some((leaf.namespace.clone(), user_of(leaf)?.to_owned())));
    let mut names: Vec<(Option<String>, String)> =
        of_kind(there, Kind::StorageUser).map(|item| (item.namespace.clone(), item.name.clone())).collect();
    names.extend(referred);
    names.sort_unstable();
    names.dedup();
    let node = |(namespace, name): &(Option<String>, String)| {
        let mine = |leaf: &&&Item| leaf.namespace == *namespace && user_of(leaf) == Some(name.as_str());
        let mut children: Vec<Node> = leaves.iter().filter(mine).map(|leaf| seen(leaf, Vec::new())).collect();
        sort(&mut children);
        let found =
            of_kind(there, Kind::StorageUser).find(|item| item.namespace == *namespace && item.name == *name);
        match found {
            Some(item) => seen(item, children),
            None => unseen(there, Kind::StorageUser, namespace.as_deref(), name, children),
        }
    };
    names.iter().map(node).collect()
}

/// The user that a key or a bucket was made for, or names.
fn user_of(leaf: &Item) -> Option<&str> {
    let made_for = match leaf.kind {
        Kind::AccessKey => leaf.status_text("/identity/user"),
        Kind::Bucket => leaf.status_text("/owner"),
        Kind::StorageAccount | Kind::Tenant | Kind::StorageUser => None,
    };
    made_for.or_else(|| leaf.spec_text("/userRef/name"))
}

fn sort(nodes: &mut [Node]) {
    nodes.sort_by(|one, other| {
        (one.kind, &one.namespace, &one.name).cmp(&(other.kind, &other.namespace, &other.name))
    });
}

/// What is asked about, what is above it, and all below it.
fn pruned(node: Node, focus: &Focus) -> Option<Node> {
    let Some(kind) = focus.kind else { return Some(node) };
    let named = focus.name.as_ref().is_none_or(|name| *name == node.name);
    if node.kind == kind && named {
        return Some(node);
    }
    let children: Vec<Node> = node.children.into_iter().filter_map(|child| pruned(child, focus)).collect();
    (!children.is_empty()).then_some(Node { children, ..node })
}
