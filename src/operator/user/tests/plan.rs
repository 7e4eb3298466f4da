//! What is done about a user: one row a rule.

use super::{desired, seen, there};
use crate::api::{DeletionPolicy, Reason};
use crate::operator::runtime::{Blocked, Plan, Verdict};
use crate::operator::user::observe::{Referrers, Seen};
use crate::operator::user::plan::{There, plan, refused};
use crate::operator::user::{Desired, Step};
use crate::provider::{ClusterId, OwnerMark, Quota, UserState};
use crate::wire::Role;

/// A plan in short: what it does, and where it does nothing, how the object stands.
fn short(plan: &Plan<Step>) -> String {
    let steps: Vec<String> = plan
        .steps
        .iter()
        .map(|step| match step {
            Step::Create { account, wish } => format!("create {} at {account}", wish.login),
            Step::Update { account, id, .. } => format!("update {id} at {account}"),
            Step::Delete { account, id, .. } => format!("delete {id} at {account}"),
        })
        .collect();
    match (&plan.verdict, steps.is_empty()) {
        (_, false) => steps.join(", "),
        (Verdict::Ready, true) => "Ready".to_owned(),
        (Verdict::Waiting(reason, _), true) => format!("Waiting {reason}"),
        (Verdict::Blocked(reason, _), true) => format!("Blocked {reason}"),
    }
}

fn message(plan: &Plan<Step>) -> &str {
    match &plan.verdict {
        Verdict::Ready => "",
        Verdict::Waiting(_, message) | Verdict::Blocked(_, message) => message,
    }
}

fn user(seen: &mut Seen) -> &mut UserState {
    match &mut seen.there {
        There::User(user) => user,
        other => panic!("{other:?}"),
    }
}

fn account_down() -> There {
    There::OutOfReach(Verdict::waiting(Reason::AccountNotReady, "StorageAccount 'main' is not Ready."))
}

#[test]
fn a_user_is_made_and_kept_as_its_spec_asks() {
    type Change = fn(&mut Desired, &mut Seen);
    let cases: [(&str, Change, &str); 17] = [
        ("as it should be", |_, _| (), "Ready"),
        ("new", |_, seen| seen.there = There::NotAsked, "create team-a_app at main"),
        ("gone at the provider", |_, seen| seen.there = There::Nothing, "create team-a_app at main"),
        (
            "nowhere to live",
            |_, seen| seen.place = Err(Verdict::waiting(Reason::TenantNotFound, "")),
            "Waiting TenantNotFound",
        ),
        ("account down", |_, seen| seen.there = account_down(), "Waiting AccountNotReady"),
        ("display name", |desired, _| desired.display_name = "B".to_owned(), "update us_1 at main"),
        ("email", |desired, _| desired.email = String::new(), "update us_1 at main"),
        ("time zone", |desired, _| desired.time_zone = "Europe/Berlin".to_owned(), "update us_1 at main"),
        ("role", |desired, _| desired.role = Role::Backup, "update us_1 at main"),
        ("enabled", |desired, _| desired.enabled = false, "update us_1 at main"),
        ("description", |desired, _| desired.description = "d".to_owned(), "update us_1 at main"),
        ("quota", |desired, _| desired.quota.objects = Some(1), "update us_1 at main"),
        (
            "quota there",
            |_, seen| user(seen).quota = Quota { size: Some(1), ..Quota::default() },
            "update us_1 at main",
        ),
        ("no mark", |_, seen| user(seen).owner = None, "Blocked NameTaken"),
        (
            "another object's",
            |_, seen| user(seen).owner.as_mut().unwrap().uid = "u-2".to_owned(),
            "Blocked NameTaken",
        ),
        ("moved", |_, seen| user(seen).tenant_id = "tn_2".to_owned(), "Blocked ProviderRefused"),
        ("usage", |_, seen| user(seen).usage.objects = 7, "Ready"),
    ];
    for (what, change, expected) in cases {
        let (mut desired, mut seen) = (desired(), seen());
        change(&mut desired, &mut seen);
        assert_eq!(short(&plan(Some(&desired), &seen)), expected, "{what}");
    }
}

#[test]
fn a_foreign_user_is_never_touched_while_it_lives_or_when_the_object_is_deleted() {
    for owner in [None, Some(OwnerMark { cluster: ClusterId("c-2".to_owned()), uid: "u-1".to_owned() })] {
        let mut seen = seen();
        user(&mut seen).owner = owner;
        user(&mut seen).display_name = "something else".to_owned();
        assert!(plan(Some(&desired()), &seen).steps.is_empty());
        assert_eq!(short(&plan(None, &seen)), "Ready");
    }
}

#[test]
fn a_taken_login_says_by_whom_and_what_to_do() {
    let mut seen = seen();
    user(&mut seen).owner = None;
    assert_eq!(
        message(&plan(Some(&desired()), &seen)),
        "Login 'team-a_app' exists at account 'main' and was not made by storekeeper; it is left as it is. Choose another `spec.login`, or remove that user there."
    );
}

#[test]
fn a_user_that_is_switched_off_says_so() {
    let mut desired = desired();
    desired.enabled = false;
    let mut seen = seen();
    user(&mut seen).enabled = false;
    let plan = plan(Some(&desired), &seen);
    assert_eq!(short(&plan), "Ready");
    assert_eq!(
        plan.extra.iter().map(|extra| (extra.kind, extra.holds)).collect::<Vec<_>>(),
        [("Suspended", true)]
    );
}

#[test]
fn a_user_is_removed_once_nothing_needs_it() {
    type Change = fn(&mut Seen);
    let cases: [(&str, Change, &str); 14] = [
        ("nothing in the way", |_| (), "delete us_1 at main"),
        ("gone already", |seen| seen.there = There::Nothing, "Ready"),
        (
            "never made, and nowhere to look",
            |seen| seen.place = Err(Verdict::waiting(Reason::TenantNotFound, "")),
            "Ready",
        ),
        ("keys", |seen| seen.referrers.keys = vec!["ci".to_owned()], "Waiting InUse"),
        ("buckets", |seen| seen.referrers.buckets = vec!["data".to_owned()], "Waiting InUse"),
        ("buckets there", |seen| user(seen).usage.buckets = 1, "Waiting InUse"),
        ("keys there", |seen| user(seen).usage.access_keys = 2, "Waiting InUse"),
        ("refused", |seen| seen.refusal = Some("1 job".to_owned()), "Waiting InUse"),
        ("account down", |seen| seen.there = account_down(), "Waiting AccountNotReady"),
        ("not asked", |seen| seen.there = There::NotAsked, "Waiting Deleting"),
        ("retained", |seen| (seen.policy, seen.there) = (DeletionPolicy::Retain, There::NotAsked), "Ready"),
        (
            "retained, with keys",
            |seen| {
                seen.policy = DeletionPolicy::Retain;
                seen.referrers = Referrers { keys: vec!["ci".to_owned()], buckets: Vec::new() };
            },
            "Waiting InUse",
        ),
        (
            "in use in a namespace that ends",
            |seen| {
                seen.namespace_ends = true;
                user(seen).usage.buckets = 1;
            },
            "Waiting InUse",
        ),
        (
            "said so in a namespace that ends",
            |seen| {
                (seen.namespace_ends, seen.announced) = (true, true);
                user(seen).usage.buckets = 1;
            },
            "Ready",
        ),
    ];
    for (what, change, expected) in cases {
        let mut seen = seen();
        change(&mut seen);
        assert_eq!(short(&plan(None, &seen)), expected, "{what}");
    }
}

#[test]
fn what_holds_a_user_is_named_with_the_way_out() {
    let mut held = seen();
    held.referrers =
        Referrers { keys: vec!["ci".to_owned(), "web".to_owned()], buckets: vec!["data".to_owned()] };
    assert_eq!(
        message(&plan(None, &held)),
        "Still used by AccessKeys 'ci', 'web' and Bucket 'data'. Delete them first; this object waits for them."
    );
    let mut full = seen();
    user(&mut full).usage = crate::provider::Usage { buckets: 1, access_keys: 2, ..there().usage };
    assert_eq!(
        message(&plan(None, &full)),
        "User 'team-a_app' is still in use at account 'main': 1 bucket and 2 access keys. Remove that there, or set `spec.deletionPolicy` to Retain to keep the user and let this object go."
    );
    let mut down = seen();
    down.there = account_down();
    assert_eq!(
        message(&plan(None, &down)),
        "User 'team-a_app' cannot be removed from account 'main' now. StorageAccount 'main' is not Ready. To let this object go without it, set `spec.deletionPolicy` to Retain."
    );
}

fn withdrawn(seen: &mut Seen) {
    let blocked = Blocked::new(Reason::NamespaceNotAllowed, "Not admitted. Ask the owner.");
    seen.place.as_mut().unwrap().withdrawn = Some(blocked);
}

#[test]
fn a_user_whose_tenant_withdraws_what_it_has_is_switched_off_and_on_again() {
    let mut seen = seen();
    withdrawn(&mut seen);
    let planned = plan(Some(&desired()), &seen);
    let [Step::Update { wish, .. }] = planned.steps.as_slice() else { panic!("{planned:?}") };
    assert!(!wish.enabled);

    user(&mut seen).enabled = false;
    let planned = plan(Some(&desired()), &seen);
    assert_eq!(short(&planned), "Blocked NamespaceNotAllowed");
    let told: Vec<_> = planned.extra.iter().map(|extra| (extra.kind, extra.holds, extra.reason)).collect();
    assert_eq!(told, [("Suspended", true, Reason::NamespaceNotAllowed)]);
    assert!(planned.extra[0].message.contains("Ask the owner."), "whom to ask");

    seen.there = There::Nothing;
    assert_eq!(short(&plan(Some(&desired()), &seen)), "Blocked NamespaceNotAllowed", "it is not made anew");

    let mut again = super::seen();
    user(&mut again).enabled = false;
    let planned = plan(Some(&desired()), &again);
    let [Step::Update { wish, .. }] = planned.steps.as_slice() else { panic!("{planned:?}") };
    assert!(wish.enabled);
}

#[test]
fn a_spec_that_is_refused_keeps_nobody_from_being_suspended() {
    type Change = fn(&mut Seen);
    let because = Blocked::new(Reason::InvalidSpec, "no such time zone");
    let cases: [(&str, Change, &str); 5] = [
        ("nothing withdrawn", |_| (), "Blocked InvalidSpec"),
        ("withdrawn", withdrawn, "update us_1 at main"),
        (
            "withdrawn and switched off",
            |seen| {
                withdrawn(seen);
                user(seen).enabled = false;
            },
            "Blocked InvalidSpec",
        ),
        (
            "withdrawn, but not ours",
            |seen| {
                withdrawn(seen);
                user(seen).owner = None;
            },
            "Blocked InvalidSpec",
        ),
        (
            "withdrawn, out of reach",
            |seen| {
                withdrawn(seen);
                seen.there = account_down();
            },
            "Blocked InvalidSpec",
        ),
    ];
    for (what, change, expected) in cases {
        let mut seen = seen();
        change(&mut seen);
        let planned = refused(&because, &seen);
        assert_eq!(short(&planned), expected, "{what}");
        if let [Step::Update { wish, .. }] = planned.steps.as_slice() {
            assert!(!wish.enabled);
            assert_eq!((&wish.display_name, wish.role), (&there().display_name, there().role));
        }
    }
}
