//! What each fact comes to, one row a rule, and how a good and a bad installation are written down.

use super::facts::{Binding, Facts, Lease, Policy};
use super::judge::{Finding, Level, POLICIES, findings, is_well};
use super::{render, roles};
use crate::api::crds;
use crate::plugin::cluster::Read;
use crate::plugin::item::{Item, Kind};
use crate::plugin::output::Look;
use jiff::Timestamp;
use serde_json::{Value, json};

fn now() -> Timestamp {
    "2026-01-01T00:10:00Z".parse().unwrap()
}

fn item(kind: Kind, name: &str, holds: bool, reason: &str, message: &str) -> Item {
    let status = if holds { "True" } else { "False" };
    let object = json!({
        "metadata": {"name": name, "generation": 1}, "spec": {},
        "status": {"observedGeneration": 1,
            "conditions": [{"type": "Ready", "status": status, "reason": reason, "message": message}]},
    });
    Item::of(kind, serde_json::from_value(object).unwrap())
}

/// The OpenAPI document of an API server that has our CRDs.
fn schemas() -> Value {
    let mut all = json!({});
    for crd in crds::all().unwrap() {
        let kind = crd["spec"]["names"]["kind"].as_str().unwrap();
        all[format!("dev.storekeeper.v1alpha1.{kind}")] =
            crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone();
    }
    json!({"components": {"schemas": all}})
}

/// An installation where everything is as it should be, asked by somebody who may do everything.
fn good() -> Facts {
    let mut needed: Vec<_> = roles::names()
        .into_iter()
        .flat_map(|name| roles::needs(name, "team-a", Some("acme")).unwrap().unwrap().1)
        .collect();
    needed.sort();
    needed.dedup();
    let mut of_operator: Vec<_> = roles::of_operator("team-a", "storekeeper-system")
        .unwrap()
        .into_iter()
        .map(|right| (right, true))
        .collect();
    of_operator.extend(roles::not_of_operator("team-a").into_iter().map(|right| (right, false)));
    let named = |short: &&str| format!("{short}.storekeeper.dev");
    Facts {
        now: now(),
        namespace: "team-a".to_owned(),
        version: Read::Found("v1.36.3".to_owned()),
        schemas: Read::Found(schemas()),
        me: Some("tina".to_owned()),
        rights: needed.into_iter().map(|right| (right, true)).collect(),
        operator: "system:serviceaccount:storekeeper-system:storekeeper".to_owned(),
        operator_namespace: "storekeeper-system".to_owned(),
        operator_rights: Read::Found(of_operator),
        lease: Read::Found(Lease {
            holder: "storekeeper-abc".to_owned(),
            renewed: Some("2026-01-01T00:09:57Z".parse().unwrap()),
            seconds: 15,
        }),
        policies: Read::Found(
            POLICIES.iter().map(|short| Policy { name: named(short), is_wrong: false }).collect(),
        ),
        bindings: Read::Found(
            POLICIES.iter().map(|short| Binding { policy: named(short), denies: true }).collect(),
        ),
        accounts: Read::Found(vec![item(Kind::StorageAccount, "main", true, "Ready", "")]),
        label: Read::Found(Some("acme".to_owned())),
        tenant: Some(("acme".to_owned(), Read::Found(item(Kind::Tenant, "acme", true, "Ready", "")))),
    }
}

fn text(findings: &[Finding], wide: bool) -> String {
    render::text(findings, wide, Look { colours: false })
}

fn policies(facts: &mut Facts) -> &mut Vec<Policy> {
    let Read::Found(policies) = &mut facts.policies else { panic!("found") };
    policies
}

fn bindings(facts: &mut Facts) -> &mut Vec<Binding> {
    let Read::Found(bindings) = &mut facts.bindings else { panic!("found") };
    bindings
}

fn operator_right<'a>(facts: &'a mut Facts, resource: &str, verb: &str) -> &'a mut bool {
    let Read::Found(rights) = &mut facts.operator_rights else { panic!("found") };
    let found = rights.iter_mut().find(|(right, _)| right.resource == resource && right.verb == verb);
    &mut found.unwrap().1
}

#[test]
fn an_installation_where_everything_is_as_it_should_be() {
    let found = findings(&good(), None).unwrap();
    assert!(is_well(&found));
    insta::assert_snapshot!(text(&found, false));
}

/// What is changed about a good installation, and what is said of it.
type Case = (&'static str, fn(&mut Facts), Level, &'static str);

fn is_said(cases: &[Case]) {
    for (what, change, level, words) in cases {
        let mut facts = good();
        change(&mut facts);
        let found = findings(&facts, None).unwrap();
        let said = found.iter().any(|finding| finding.level == *level && finding.what.contains(words));
        assert!(said, "{what}: {}", text(&found, false));
        assert_eq!(is_well(&found), *level != Level::Bad, "{what}");
    }
}

#[test]
fn what_is_wrong_with_the_custom_resources_or_the_operator_is_named() {
    let cases: [Case; 8] = [
        ("no CRDs", |facts| facts.schemas = Read::Absent, Level::Bad, "not installed"),
        (
            "older CRDs",
            |facts| {
                let Read::Found(all) = &mut facts.schemas else { panic!("found") };
                let spec = "/components/schemas/dev.storekeeper.v1alpha1.Tenant/properties/spec/properties";
                all.pointer_mut(spec).unwrap().as_object_mut().unwrap().remove("onWithdrawal");
            },
            Level::Bad,
            "Tenant `spec.onWithdrawal`",
        ),
        (
            "newer CRDs",
            |facts| {
                let Read::Found(all) = &mut facts.schemas else { panic!("found") };
                let spec = "/components/schemas/dev.storekeeper.v1alpha1.Tenant/properties/spec/properties";
                all.pointer_mut(spec).unwrap()["colour"] = json!({"type": "string"});
            },
            Level::Doubtful,
            "Tenant `spec.colour`",
        ),
        ("no lease", |facts| facts.lease = Read::Absent, Level::Doubtful, "'storekeeper-system/storekeeper'"),
        (
            "a lease that ran out",
            |facts| {
                let Read::Found(lease) = &mut facts.lease else { panic!("found") };
                lease.renewed = Some("2026-01-01T00:00:00Z".parse().unwrap());
            },
            Level::Bad,
            "'storekeeper-abc' was last heard of 10m ago",
        ),
        (
            "a lease that was given back",
            |facts| {
                let Read::Found(lease) = &mut facts.lease else { panic!("found") };
                lease.holder.clear();
            },
            Level::Bad,
            "held by nobody",
        ),
        (
            "the operator lacks a right",
            |facts| *operator_right(facts, "accesskeys/status", "patch") = false,
            Level::Bad,
            "may not `patch` accesskeys/status in namespace 'team-a'",
        ),
        (
            "the operator may too much",
            |facts| *operator_right(facts, "secrets", "update") = true,
            Level::Doubtful,
            "may `update` secrets",
        ),
    ];
    is_said(&cases);
}

#[test]
fn what_is_wrong_with_policies_accounts_or_the_namespace_is_named() {
    let cases: [Case; 9] = [
        (
            "a policy is missing",
            |facts| drop(policies(facts).remove(0)),
            Level::Doubtful,
            "accesskey-identity",
        ),
        ("no policy", |facts| policies(facts).clear(), Level::Doubtful, "No policies are installed"),
        (
            "a policy warns",
            |facts| bindings(facts)[3].denies = false,
            Level::Doubtful,
            "only warn: account-in-use",
        ),
        ("a policy is off", |facts| drop(bindings(facts).remove(4)), Level::Doubtful, "bound to nothing"),
        ("a policy has mistakes", |facts| policies(facts)[5].is_wrong = true, Level::Bad, "bucket-delete"),
        ("no account", |facts| facts.accounts = Read::Found(vec![]), Level::Doubtful, "no StorageAccount"),
        (
            "an account that does not work",
            |facts| {
                let refused = item(Kind::StorageAccount, "main", false, "CredentialsRefused", "401 it says");
                facts.accounts = Read::Found(vec![refused]);
            },
            Level::Bad,
            "CredentialsRefused: 401 it says",
        ),
        (
            "a tenant that is not there",
            |facts| facts.tenant = Some(("acme".to_owned(), Read::Absent)),
            Level::Bad,
            "Tenant 'acme', which does not exist",
        ),
        (
            "a namespace that is not there",
            |facts| facts.label = Read::Absent,
            Level::Bad,
            "'team-a' does not exist",
        ),
    ];
    is_said(&cases);
}

#[test]
fn what_the_caller_may_not_look_at_is_not_known_and_no_fault() {
    let mut facts = good();
    facts.lease = Read::Forbidden;
    facts.operator_rights = Read::Forbidden;
    facts.policies = Read::Forbidden;
    facts.accounts = Read::Forbidden;
    facts.label = Read::Forbidden;
    facts.schemas = Read::Forbidden;
    let found = findings(&facts, None).unwrap();
    assert!(is_well(&found));
    assert_eq!(found.iter().filter(|finding| finding.level == Level::Unknown).count(), 6);
    insta::assert_snapshot!(text(&found, false));
}

#[test]
fn a_right_that_is_missing_is_a_fault_only_where_its_role_is_asked_for() {
    let mut facts = good();
    for (right, allowed) in &mut facts.rights {
        *allowed = right.verb != "use" && right.name.as_deref() != Some("Write");
    }
    let words = "may not `use` tenants/acme; `grant` permissions/Write";
    for (role, level, well) in [
        (None, Level::Plain, true),
        (Some("tenant-administrator"), Level::Bad, false),
        (Some("read-only"), Level::Good, true),
    ] {
        let found = findings(&facts, role).unwrap();
        assert_eq!(is_well(&found), well, "{role:?}");
        let mine: Vec<_> = found.iter().filter(|finding| finding.area == "You").collect();
        assert_eq!(mine.len(), if role.is_some() { 1 } else { roles::names().len() });
        let named = mine.iter().find(|finding| finding.what.contains(words)).map(|finding| finding.level);
        assert_eq!(named, (level != Level::Good).then_some(level), "{role:?}");
    }
}

#[test]
fn the_policies_are_those_of_the_folder() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/policies");
    let mut names = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml")
            || path.ends_with("kustomization.yaml")
        {
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        for document in text.split("\n---").filter(|text| text.contains("kind: ValidatingAdmissionPolicy\n"))
        {
            let name = document.lines().find_map(|line| line.strip_prefix("  name: ")).unwrap();
            names.push(name.trim_end_matches(".storekeeper.dev").to_owned());
        }
    }
    names.sort();
    assert_eq!(names, POLICIES);
}

#[test]
fn roles_need_what_their_files_give_the_virtual_resources_included() {
    let told = |name: &str| -> Vec<String> {
        let (_, rights) = roles::needs(name, "team-a", Some("acme")).unwrap().unwrap();
        rights
            .iter()
            .map(|right| format!("{right} in {}", right.namespace.as_deref().unwrap_or("the cluster")))
            .collect()
    };
    for (role, right) in [
        ("read-only", "`list` buckets in team-a"),
        ("backup", "`grant` permissions/Write in team-a"),
        ("tenant-administrator", "`use` tenants/acme in team-a"),
        ("tenant-administrator", "`grant` roles/Backup in team-a"),
        ("accounts", "`connect` tenants/acme in the cluster"),
        ("administrator", "`assign` tenants in the cluster"),
    ] {
        assert!(told(role).contains(&right.to_owned()), "{role}: {right} in {:?}", told(role));
    }
    assert!(roles::needs("king", "team-a", None).unwrap().is_none());
    let of_operator = roles::of_operator("team-a", "here").unwrap();
    let place = |resource: &str| {
        let found = of_operator.iter().find(|right| right.resource == resource).unwrap();
        found.namespace.clone()
    };
    assert_eq!(place("tenants/status"), None);
    assert_eq!(place("secrets").as_deref(), Some("team-a"));
    assert_eq!(place("leases").as_deref(), Some("here"));
}

#[test]
fn a_failure_with_its_details() {
    let mut facts = good();
    *operator_right(&mut facts, "secrets", "create") = false;
    facts
        .rights
        .iter_mut()
        .filter(|(right, _)| right.resource == "buckets")
        .for_each(|(_, allowed)| *allowed = false);
    let found = findings(&facts, Some("read-only")).unwrap();
    insta::assert_snapshot!(text(&found, true));
    let document = serde_json::to_value(render::document(&found)).unwrap();
    assert_eq!(document["well"], false);
    assert_eq!(document["items"].as_array().unwrap().len(), found.len());
}
