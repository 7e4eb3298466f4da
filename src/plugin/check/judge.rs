//! What the facts mean. Pure: each rule adds its findings, in the order in which they are shown.

use super::facts::{Binding, Facts, Lease};
use super::roles::{self, BuiltIn, Right};
use super::schemas::compared;
use crate::plugin::cluster::Read;
use crate::plugin::item::{Item, Stand};
use crate::plugin::output::ago;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// As it should be.
    Good,
    /// Neither good nor bad.
    Plain,
    /// The caller may not look.
    Unknown,
    /// Worth a look.
    Doubtful,
    /// Not as it should be.
    Bad,
}

/// One line of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is about: `Cluster`, `Operator`, …
    pub area: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What was found.
    pub what: String,
    /// What to do about it; empty: nothing.
    pub remedy: String,
    /// What it was found by, for `-o wide`.
    pub details: Vec<String>,
}

/// The policies that the operator's words are about. One that adds the finalizer is of another kind, and optional.
pub const POLICIES: [&str; 25] = [
    "accesskey-identity",
    "accesskey-secret",
    "account-connect",
    "account-in-use",
    "administrator-tenant",
    "bucket-delete",
    "bucket-identity",
    "crd-delete",
    "namespace-tenant",
    "operator-secrets",
    "own-role",
    "own-user",
    "permission-grant",
    "prevent-deletion",
    "role-grant",
    "role-permission",
    "role-tenant",
    "storageuser-account",
    "storageuser-identity",
    "tenant-accounts",
    "tenant-assign",
    "tenant-in-use",
    "tenant-namespace",
    "tenant-permission",
    "tenant-use",
];

/// Everything that is to be said. `role`: the one that the caller says to need.
pub fn findings(facts: &Facts, role: Option<&str>) -> Result<Vec<Finding>, BuiltIn> {
    let mut found = Vec::new();
    cluster(facts, &mut found);
    operator(facts, &mut found);
    policies(facts, &mut found);
    accounts(facts, &mut found);
    namespace(facts, &mut found);
    people(facts, role, &mut found)?;
    Ok(found)
}

/// Whether nothing is bad.
pub fn is_well(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.level != Level::Bad)
}

/// A finding without details.
pub fn finding(area: &'static str, level: Level, what: impl Into<String>, remedy: &str) -> Finding {
    Finding { area, level, what: what.into(), remedy: remedy.to_owned(), details: Vec::new() }
}

fn cluster(facts: &Facts, found: &mut Vec<Finding>) {
    const AREA: &str = "Cluster";
    if let Read::Found(version) = &facts.version {
        found.push(finding(AREA, Level::Good, format!("API server {version}"), ""));
    }
    let add = "Apply what `storekeeper crds` prints.";
    match &facts.schemas {
        Read::Found(theirs) => found.extend(compared(theirs)),
        Read::Absent => {
            found.push(finding(
                AREA,
                Level::Bad,
                "The custom resources of storekeeper are not installed.",
                add,
            ));
        }
        Read::Forbidden => found.push(finding(
            AREA,
            Level::Unknown,
            "Whether the custom resources are installed is not for you to see.",
            "",
        )),
    }
}

/// The first few of many names.
pub fn first(names: &[String]) -> String {
    let more = names.len().saturating_sub(3);
    let shown = names.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

fn operator(facts: &Facts, found: &mut Vec<Finding>) {
    const AREA: &str = "Operator";
    let place = format!("Lease '{}/storekeeper'", facts.operator_namespace);
    found.push(match &facts.lease {
        Read::Found(lease) => alive(lease, &place, facts.now),
        Read::Absent => finding(
            AREA,
            Level::Doubtful,
            format!("{place} does not exist: no operator was ever at work there, or it runs with `--leader-election=false`."),
            "Name the operator's namespace by `--operator-namespace`, or look at its Deployment.",
        ),
        Read::Forbidden => {
            finding(AREA, Level::Unknown, format!("{place} is not for you to see: whether an operator is at work is not known."), "")
        }
    });
    let who = &facts.operator;
    let Read::Found(rights) = &facts.operator_rights else {
        let what = format!("What '{who}' may do is not for you to ask.");
        found.push(finding(
            AREA,
            Level::Unknown,
            what,
            "It takes `create` on subjectaccessreviews.authorization.k8s.io.",
        ));
        return;
    };
    let excess = roles::not_of_operator(&facts.namespace);
    let (banned, needed): (Vec<_>, Vec<_>) = rights.iter().partition(|(right, _)| excess.contains(right));
    let missing: Vec<Right> =
        needed.into_iter().filter(|(_, has)| !has).map(|(right, _)| right.clone()).collect();
    let too_much: Vec<Right> =
        banned.into_iter().filter(|(_, has)| *has).map(|(right, _)| right.clone()).collect();
    let place = format!("in namespace '{}'", facts.namespace);
    if missing.is_empty() {
        found.push(finding(AREA, Level::Good, format!("'{who}' may do what it must {place}."), ""));
    } else {
        let what = format!("'{who}' may not {} {place}.", listed(&missing));
        let remedy = "Apply deploy/rbac (or the chart), or name the ServiceAccount by `--service-account`.";
        found.push(Finding { details: told(&missing), ..finding(AREA, Level::Bad, what, remedy) });
    }
    if !too_much.is_empty() {
        let what = format!("'{who}' may {} {place}, which it does not need.", listed(&too_much));
        let remedy = "Take it away: without it no fault of the operator can change or collect Secrets.";
        found.push(Finding { details: told(&too_much), ..finding(AREA, Level::Doubtful, what, remedy) });
    }
}

fn alive(lease: &Lease, place: &str, now: Timestamp) -> Finding {
    const AREA: &str = "Operator";
    let Some(renewed) = lease.renewed.filter(|_| !lease.holder.is_empty()) else {
        let remedy = "Start the operator: nothing is done without it.";
        return finding(AREA, Level::Bad, format!("{place} is held by nobody."), remedy);
    };
    let age = now.duration_since(renewed).as_secs();
    // Twice, as clocks differ and a renewal may be on its way.
    if age > 2 * lease.seconds {
        let what = format!(
            "No operator is at work: '{}' was last heard of {} ago.",
            lease.holder,
            ago(renewed, now)
        );
        return finding(AREA, Level::Bad, what, "Look at the operator's Pods and their logs.");
    }
    let details = vec![format!("renewed {} ago", ago(renewed, now))];
    Finding { details, ..finding(AREA, Level::Good, format!("'{}' is at work.", lease.holder), "") }
}

fn policies(facts: &Facts, found: &mut Vec<Finding>) {
    const AREA: &str = "Policies";
    let (Read::Found(policies), Read::Found(bindings)) = (&facts.policies, &facts.bindings) else {
        found.push(finding(AREA, Level::Unknown, "The admission policies are not for you to see.", ""));
        return;
    };
    let mut modes: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for short in POLICIES {
        let name = format!("{short}.storekeeper.dev");
        let policy = policies.iter().find(|policy| policy.name == name);
        let bound: Vec<&Binding> = bindings.iter().filter(|binding| binding.policy == name).collect();
        let mode = match policy {
            None => "absent",
            Some(_) if bound.is_empty() => "Off",
            Some(_) if bound.iter().any(|binding| binding.denies) => "Deny",
            Some(_) => "Warn",
        };
        modes.entry(mode).or_default().push(short.to_owned());
        if policy.is_some_and(|policy| policy.is_wrong) {
            wrong.push(short.to_owned());
        }
    }
    let of = |mode: &str| modes.get(mode).cloned().unwrap_or_default();
    let (deny, warn, off, absent) = (of("Deny"), of("Warn"), of("Off"), of("absent"));
    if absent.len() == POLICIES.len() {
        let what = "No policies are installed: only the operator refuses, after the fact, and not all that they would.";
        found.push(finding(
            AREA,
            Level::Doubtful,
            what,
            "kubectl apply -k deploy/policies (docs/admission.md).",
        ));
        return;
    }
    if !deny.is_empty() {
        let what = format!("{} of {} policies refuse (Deny).", deny.len(), POLICIES.len());
        found.push(Finding { details: deny, ..finding(AREA, Level::Good, what, "") });
    }
    let doubtful = [
        (warn, "only warn", "When nothing is warned of any more: kubectl apply -k deploy/policies."),
        (off, "are bound to nothing, so they do nothing", "kubectl apply -k deploy/policies."),
        (absent, "are not installed", "kubectl apply -k deploy/policies."),
    ];
    for (names, does, remedy) in doubtful.into_iter().filter(|(names, _, _)| !names.is_empty()) {
        let what = format!("{} of {} policies {does}: {}.", names.len(), POLICIES.len(), first(&names));
        found.push(Finding { details: names, ..finding(AREA, Level::Doubtful, what, remedy) });
    }
    if !wrong.is_empty() {
        let what = format!("The API server finds mistakes of types in {}.", first(&wrong));
        let remedy = "Install policies and CRDs of one version.";
        found.push(Finding { details: wrong, ..finding(AREA, Level::Bad, what, remedy) });
    }
}

fn accounts(facts: &Facts, found: &mut Vec<Finding>) {
    const AREA: &str = "StorageAccounts";
    match &facts.accounts {
        Read::Found(accounts) if accounts.is_empty() => found.push(finding(
            AREA,
            Level::Doubtful,
            "There is no StorageAccount: nothing can be made at any object store.",
            "Create one.",
        )),
        Read::Found(accounts) => found.extend(accounts.iter().map(account)),
        Read::Absent => {}
        Read::Forbidden => {
            found.push(finding(AREA, Level::Unknown, "The StorageAccounts are not for you to list.", ""));
        }
    }
}

fn account(item: &Item) -> Finding {
    const AREA: &str = "StorageAccounts";
    let conditions: Vec<String> = item
        .conditions()
        .map(|condition| {
            let holds = if condition.holds { "True" } else { "False" };
            format!("{}={holds} {}: {}", condition.kind, condition.reason, condition.message)
        })
        .collect();
    let name = &item.name;
    let ready = item.condition("Ready");
    let why = ready.map(|ready| format!("{}: {}", ready.reason, ready.message)).unwrap_or_default();
    let orphans = item.condition("OrphanedKeys").filter(|condition| condition.holds);
    let found = match (item.stand(), orphans) {
        (Stand::Ready, None) => finding(AREA, Level::Good, format!("'{name}' is Ready."), ""),
        (Stand::Ready, Some(orphans)) => {
            finding(AREA, Level::Doubtful, format!("'{name}' is Ready. {}", orphans.message), "")
        }
        (Stand::Unseen, _) => finding(
            AREA,
            Level::Bad,
            format!("'{name}': no operator has looked at it since it was made or changed."),
            "Look at the operator.",
        ),
        (Stand::Waiting | Stand::Blocked | Stand::Deleting | Stand::Hidden | Stand::Missing, _) => {
            finding(AREA, Level::Bad, format!("'{name}' is not Ready. {why}"), "")
        }
    };
    Finding { details: conditions, ..found }
}

fn namespace(facts: &Facts, found: &mut Vec<Finding>) {
    const AREA: &str = "Namespace";
    let name = &facts.namespace;
    let tenant = match (&facts.label, &facts.tenant) {
        (Read::Absent, _) => {
            found.push(finding(AREA, Level::Bad, format!("Namespace '{name}' does not exist."), ""));
            return;
        }
        (Read::Forbidden, _) => {
            let what = format!("Which Tenant namespace '{name}' belongs to is not for you to see.");
            found.push(finding(AREA, Level::Unknown, what, ""));
            return;
        }
        (Read::Found(_), None) => {
            let what = format!("Namespace '{name}' has no label storekeeper.dev/tenant.");
            let remedy = "With the policies, who may `assign` a Tenant must label it before it can have users or keys.";
            found.push(finding(AREA, Level::Plain, what, remedy));
            return;
        }
        (Read::Found(_), Some((label, tenant))) => (label, tenant),
    };
    found.push(match tenant {
        (label, Read::Found(item)) if item.stand() == Stand::Ready => finding(
            AREA,
            Level::Good,
            format!("Namespace '{name}' belongs to Tenant '{label}', which is Ready."),
            "",
        ),
        (label, Read::Found(item)) => {
            let why = item.condition("Ready").map(|ready| ready.message.to_owned()).unwrap_or_default();
            let what = format!("Namespace '{name}' belongs to Tenant '{label}', which is not Ready. {why}");
            finding(AREA, Level::Bad, what, "")
        }
        (label, Read::Absent) => {
            let what = format!("Namespace '{name}' belongs to Tenant '{label}', which does not exist.");
            finding(AREA, Level::Bad, what, "Create the Tenant, or correct the label storekeeper.dev/tenant.")
        }
        (label, Read::Forbidden) => {
            finding(AREA, Level::Plain, format!("Namespace '{name}' belongs to Tenant '{label}'."), "")
        }
    });
}

fn people(facts: &Facts, needed: Option<&str>, found: &mut Vec<Finding>) -> Result<(), BuiltIn> {
    const AREA: &str = "You";
    let me = facts.me.as_deref().unwrap_or("you");
    let tenant = facts.tenant.as_ref().map(|(name, _)| name.as_str());
    for name in roles::names() {
        if needed.is_some_and(|needed| needed != name) {
            continue;
        }
        let Some((what, rights)) = roles::needs(name, &facts.namespace, tenant)? else { continue };
        let local = rights.iter().any(|right| right.namespace.is_some());
        let has = |right: &Right| facts.rights.iter().any(|(known, allowed)| known == right && *allowed);
        let (have, missing): (Vec<Right>, Vec<Right>) = rights.into_iter().partition(has);
        let place =
            if local { format!("'{me}' in namespace '{}'", facts.namespace) } else { format!("'{me}'") };
        let level = match (missing.is_empty(), needed) {
            (true, _) => Level::Good,
            (false, Some(_)) => Level::Bad,
            (false, None) => Level::Plain,
        };
        let (said, remedy) = if missing.is_empty() {
            (format!("{what}: yes, {place}."), "")
        } else {
            let remedy = if needed.is_some() {
                "`storekeeper roles` prints the bindings that give it (docs/roles.md)."
            } else {
                ""
            };
            (format!("{what}: no, {place} may not {}.", listed(&missing)), remedy)
        };
        let mut details: Vec<String> = have.iter().map(|right| format!("may {right}")).collect();
        details.extend(missing.iter().map(|right| format!("may not {right}")));
        found.push(Finding { details, ..finding(AREA, level, said, remedy) });
    }
    Ok(())
}

fn told(rights: &[Right]) -> Vec<String> {
    rights.iter().map(ToString::to_string).collect()
}

/// `create`, `delete` accesskeys; `grant` permissions/Full
fn listed(rights: &[Right]) -> String {
    let mut grouped: Vec<(String, Vec<String>)> = Vec::new();
    for Right { resource, name, verb, .. } in rights {
        let object = name.as_ref().map_or_else(|| resource.clone(), |name| format!("{resource}/{name}"));
        match grouped.iter_mut().find(|(known, _)| *known == object) {
            Some((_, verbs)) => verbs.push(format!("`{verb}`")),
            None => grouped.push((object, vec![format!("`{verb}`")])),
        }
    }
    let said = grouped.into_iter().map(|(object, verbs)| format!("{} {object}", verbs.join(", ")));
    said.collect::<Vec<_>>().join("; ")
}
