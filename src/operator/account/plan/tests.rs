use super::{Bound, Desired, Kind, Link, Seen, Step, Talk, desired, make, remove, report};
use crate::api::{Reason, StorageAccountSpec, StorageAccountStatus};
use crate::operator::runtime::{Extra, Plan, Verdict};
use crate::provider::{Capability, Description};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::time::Duration;

fn spec(provider: &Value) -> StorageAccountSpec {
    serde_json::from_value(json!({"provider": provider, "s3": {"endpoint": "https://s3"}})).unwrap()
}

fn wanted() -> Desired {
    let management = json!({"endpoint": "https://m", "credentialsSecretRef": {"name": "admin"}});
    desired("main", &spec(&json!({"management": management}))).unwrap()
}

fn talk(account_id: &str) -> Link {
    let description = Description {
        name: "storekeeper".to_owned(),
        version: "1".to_owned(),
        account_id: account_id.to_owned(),
        capabilities: [Capability::Versioning].into(),
    };
    let request_timeout = Duration::from_secs(30);
    Link::Talks(Talk { made_from: "settings".to_owned(), description, request_timeout })
}

/// A connected account that answers, is the only default, and that a user of acme uses.
fn seen() -> Seen {
    Seen {
        name: "main".to_owned(),
        link: talk("1"),
        connected: true,
        known_as: Some("1".to_owned()),
        is_default: true,
        defaults: vec!["main".to_owned()],
        bound: Bound {
            tenants: vec!["acme".to_owned()],
            tenants_of_users: ["acme".to_owned()].into(),
            users: vec!["ns/app".to_owned()],
            access_keys: 1,
            buckets: 0,
        },
        orphans: None,
        sweep_due: false,
    }
}

fn with(edit: impl FnOnce(&mut Seen)) -> Seen {
    let mut seen = seen();
    edit(&mut seen);
    seen
}

fn summary(plan: &Plan<Step>) -> String {
    let mut words: Vec<String> = plan
        .steps
        .iter()
        .map(|step| match step {
            Step::Connect { .. } => "connect".to_owned(),
            Step::Disconnect { .. } => "disconnect".to_owned(),
            Step::Sweep { .. } => "sweep".to_owned(),
        })
        .collect();
    words.push(match &plan.verdict {
        Verdict::Ready => "Ready".to_owned(),
        Verdict::Waiting(reason, _) => format!("waiting {reason}"),
        Verdict::Blocked(reason, _) => format!("blocked {reason}"),
    });
    words.join(", ")
}

#[test]
fn an_account_is_connected_while_it_answers_as_the_same_account() {
    let unusable = || Link::Unusable(Verdict::blocked(Reason::CredentialsRefused, "m"));
    let several = || vec!["main".to_owned(), "spare".to_owned()];
    for (seen, expected) in [
        (seen(), "Ready"),
        (with(|seen| seen.connected = false), "connect, Ready"),
        (with(|seen| seen.sweep_due = true), "sweep, Ready"),
        (
            with(|seen| (seen.link, seen.sweep_due) = (unusable(), true)),
            "disconnect, blocked CredentialsRefused",
        ),
        (with(|seen| (seen.connected, seen.known_as) = (false, None)), "connect, Ready"),
        (with(|seen| seen.link = unusable()), "disconnect, blocked CredentialsRefused"),
        (with(|seen| (seen.link, seen.connected) = (unusable(), false)), "blocked CredentialsRefused"),
        (with(|seen| seen.link = talk("2")), "disconnect, blocked IdentityChanged"),
        (with(|seen| (seen.link, seen.bound) = (talk("2"), Bound::default())), "Ready"),
        (with(|seen| seen.defaults = several()), "blocked SeveralDefaultAccounts"),
        (with(|seen| (seen.defaults, seen.is_default) = (several(), false)), "Ready"),
        (
            with(|seen| (seen.defaults, seen.connected) = (several(), false)),
            "connect, blocked SeveralDefaultAccounts",
        ),
    ] {
        assert_eq!(summary(&make(&wanted(), &seen)), expected, "{seen:?}");
    }
}

#[test]
fn orphans_are_told_of_whatever_else_there_is() {
    let orphans = || {
        let message = "SK1 of a/k".to_owned();
        Some(Extra { kind: "OrphanedKeys", holds: true, reason: Reason::OrphanedKeys, message })
    };
    assert_eq!(make(&wanted(), &with(|seen| seen.orphans = orphans())).extra, vec![orphans().unwrap()]);
    let refused = Link::Unusable(Verdict::blocked(Reason::CredentialsRefused, "m"));
    let seen = with(|seen| (seen.orphans, seen.link) = (orphans(), refused));
    assert_eq!(make(&wanted(), &seen).extra, vec![orphans().unwrap()]);
}

#[test]
fn an_account_in_use_is_not_assigned_to_another_tenant() {
    for (tenant, expected) in
        [(None, "Ready"), (Some("acme"), "Ready"), (Some("other"), "blocked IdentityChanged")]
    {
        let desired = Desired { tenant: tenant.map(str::to_owned), ..wanted() };
        assert_eq!(summary(&make(&desired, &seen())), expected, "{tenant:?}");
    }
}

#[test]
fn an_account_goes_once_nothing_uses_it_and_it_is_not_the_default() {
    let unused = |edit: fn(&mut Seen)| {
        let mut seen = seen();
        (seen.bound, seen.is_default, seen.connected) = (Bound::default(), false, false);
        edit(&mut seen);
        seen
    };
    for (seen, expected) in [
        (seen(), "waiting InUse"),
        (with(|seen| seen.connected = false), "connect, waiting InUse"),
        (with(|seen| (seen.connected, seen.link) = (false, Link::NotKnown)), "waiting InUse"),
        (unused(|_| ()), "Ready"),
        (unused(|seen| seen.connected = true), "disconnect, Ready"),
        (unused(|seen| seen.is_default = true), "waiting InUse"),
        (unused(|seen| seen.bound.tenants = vec!["acme".to_owned()]), "connect, waiting InUse"),
        (unused(|seen| seen.bound.users = vec!["ns/app".to_owned()]), "connect, waiting InUse"),
    ] {
        assert_eq!(summary(&remove(&seen)), expected, "{seen:?}");
    }
    let Verdict::Waiting(_, message) = remove(&seen()).verdict else { panic!("it waits") };
    let expected = "StorageAccount 'main' is used by 1 StorageUser ('ns/app') and 1 Tenant ('acme'). Remove or move them first.";
    assert_eq!(message, expected);
}

#[test]
fn each_object_store_says_what_only_it_needs() {
    let one = json!({"endpoint": "https://m", "credentialsSecretRef": {"name": "admin"}});
    let wanted = |provider: Value| desired("main", &spec(&provider));
    let management = wanted(json!({"management": one})).unwrap();
    assert_eq!(management.kind, Kind::Management { account_id: None });
    let garage = wanted(json!({"garage": one})).unwrap();
    assert_eq!(garage, Desired { kind: Kind::Garage, ..management });
    assert_eq!(garage.kind.credentials().in_words(), "an admin token in its entry `token`");
    let ceph = wanted(json!({"cephRgw": one})).unwrap();
    assert_eq!(ceph, Desired { kind: Kind::CephRgw { region: None }, ..garage });
    let words = "the key of an admin user in its entries `accessKey` and `secretKey`";
    assert_eq!(ceph.kind.credentials().in_words(), words);
    assert_eq!(wanted(json!({})).unwrap_err().0, Reason::InvalidSpec);
}

#[test]
fn the_status_keeps_what_an_account_said_before_it_failed_or_changed() {
    let mut status = StorageAccountStatus::default();
    report(&seen(), &mut status);
    assert_eq!(status.account_id.as_deref(), Some("1"));
    assert_eq!(status.capabilities, ["versioning"]);
    for link in [Link::Unusable(Verdict::blocked(Reason::CredentialsRefused, "m")), talk("2")] {
        let before = status.clone();
        report(&with(|seen| seen.link = link), &mut status);
        assert_eq!(status, before);
    }
}

#[test]
fn limits_have_a_floor() {
    let mut spec =
        spec(&json!({"management": {"endpoint": "https://m", "credentialsSecretRef": {"name": "a"}}}));
    spec.limits.max_concurrent_requests = 0;
    spec.limits.request_timeout_seconds = 0;
    let desired = desired("main", &spec).unwrap();
    assert_eq!((desired.turns, desired.request_timeout), (1, Duration::from_secs(1)));
}

proptest! {
    #[test]
    fn a_plan_that_is_carried_out_leaves_nothing_to_do(
        connected in any::<bool>(),
        answers in 0..4_usize,
        known in prop::option::of("[12]"),
        used in any::<bool>(),
        default in any::<bool>(),
        sweep_due in any::<bool>(),
        deleting in any::<bool>(),
    ) {
        let unusable = || Link::Unusable(Verdict::blocked(Reason::CredentialsRefused, "m"));
        let link = [Link::NotKnown, unusable(), talk("1"), talk("2")][answers].clone();
        let bound = if used { seen().bound } else { Bound::default() };
        let mut seen = Seen { link, connected, known_as: known, is_default: default, bound, sweep_due, ..seen() };
        let plan = |seen: &Seen| if deleting { remove(seen) } else { make(&wanted(), seen) };
        for step in plan(&seen).steps {
            match step {
                Step::Connect { .. } => seen.connected = true,
                Step::Disconnect { .. } => seen.connected = false,
                Step::Sweep { .. } => seen.sweep_due = false,
            }
        }
        prop_assert_eq!(plan(&seen).steps, vec![]);
    }
}
