//! Gets what the caller may see. A list that is refused for the whole cluster is asked for in the namespace instead.

use crate::plugin::cluster::{Cluster, ClusterError, Read};
use crate::plugin::item::{Item, Kind};

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct There {
    /// All objects.
    pub items: Vec<Item>,
    /// Kinds that the caller may not list: of these, nothing is known to be absent.
    pub hidden: Vec<Kind>,
    /// The only namespace that was looked at; `None`: all.
    pub namespace: Option<String>,
    /// What was not seen, in words.
    pub notes: Vec<String>,
}

/// Reads all kinds, in one namespace or in all.
pub async fn read(cluster: &Cluster, namespace: Option<&str>, insists: bool) -> Result<There, ClusterError> {
    let mut there = There { namespace: namespace.map(str::to_owned), ..There::default() };
    for kind in Kind::ALL {
        let scope = namespace.filter(|_| kind.is_namespaced());
        match cluster.list(kind, scope).await? {
            Read::Found(items) => there.items.extend(items),
            Read::Absent => {
                there
                    .notes
                    .push(format!("The API server does not know {}: install the CRDs.", kind.plural()));
            }
            Read::Forbidden if kind.is_namespaced() && namespace.is_none() => {
                within(cluster, kind, insists, &mut there).await?;
            }
            Read::Forbidden => hide(kind, namespace, &mut there),
        }
    }
    named_accounts(cluster, &mut there).await?;
    Ok(there)
}

/// Not everywhere: in the namespace of the context, unless all were asked for.
async fn within(cluster: &Cluster, kind: Kind, insists: bool, there: &mut There) -> Result<(), ClusterError> {
    if insists {
        hide(kind, None, there);
        return Ok(());
    }
    let namespace = cluster.namespace();
    match cluster.list(kind, Some(namespace)).await? {
        Read::Found(items) => {
            let plural = kind.plural();
            there.notes.push(format!("Only {plural} of namespace '{namespace}': you may not list all."));
            there.items.extend(items);
        }
        Read::Absent | Read::Forbidden => hide(kind, Some(namespace), there),
    }
    Ok(())
}

fn hide(kind: Kind, namespace: Option<&str>, there: &mut There) {
    there.hidden.push(kind);
    let place = namespace.filter(|_| kind.is_namespaced());
    let place = place.map(|name| format!(" in namespace '{name}'")).unwrap_or_default();
    there.notes.push(format!("You may not list {}{place}: they are not shown.", kind.plural()));
}

/// Accounts can often be read by name though not listed.
async fn named_accounts(cluster: &Cluster, there: &mut There) -> Result<(), ClusterError> {
    if !there.hidden.contains(&Kind::StorageAccount) {
        return Ok(());
    }
    let users = there.items.iter().filter(|item| item.kind == Kind::StorageUser);
    let mut names: Vec<String> =
        users.filter_map(|user| user.status_text("/account").map(str::to_owned)).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let found = cluster.get(Kind::StorageAccount, None, &name).await?;
        there.items.extend(found.found());
    }
    Ok(())
}
