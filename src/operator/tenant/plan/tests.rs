use super::{Bound, Desired, Place, Seen, Step, There, accounts, make, remove};
use crate::api::Reason;
use crate::operator::runtime::{Plan, Verdict};
use crate::provider::{ClusterId, OwnerMark, Quota, TenantState};
use crate::wire::Visibility;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn mark(uid: &str) -> OwnerMark {
    OwnerMark { cluster: ClusterId("c".to_owned()), uid: uid.to_owned() }
}

fn desired() -> Desired {
    Desired {
        name: "acme".to_owned(),
        visibility: Visibility::Public,
        description: "d".to_owned(),
        quota: Quota { size: Some(5), ..Quota::default() },
        built_in: false,
    }
}

fn state() -> TenantState {
    let Desired { name, visibility, description, quota, .. } = desired();
    TenantState {
        id: "tn_1".to_owned(),
        name,
        visibility,
        description,
        quota,
        owner: Some(mark("u")),
        object: None,
        built_in: false,
    }
}

/// A tenant that is as wished in its one account, and that nothing uses.
fn seen() -> Seen {
    Seen {
        name: "acme".to_owned(),
        mark: mark("u"),
        no_account: None,
        places: vec![Place { account: "main".to_owned(), there: There::Found(state()), leaving: false }],
        bound: Bound::default(),
        retain: false,
    }
}

/// Steps and verdict in a few letters: `create main`, `Ready`, `waiting InUse`.
fn summary(plan: &Plan<Step>) -> String {
    let mut words: Vec<String> = plan
        .steps
        .iter()
        .map(|step| match step {
            Step::Create { account, .. } => format!("create {account}"),
            Step::Update { account, id, .. } => format!("update {id} in {account}"),
            Step::Delete { account, id } => format!("delete {id} in {account}"),
        })
        .collect();
    words.push(match &plan.verdict {
        Verdict::Ready => "Ready".to_owned(),
        Verdict::Waiting(reason, _) => format!("waiting {reason}"),
        Verdict::Blocked(reason, _) => format!("blocked {reason}"),
    });
    words.join(", ")
}

fn with(edit: impl FnOnce(&mut Seen)) -> Seen {
    let mut seen = seen();
    edit(&mut seen);
    seen
}

fn there(state: impl FnOnce(&mut TenantState)) -> Seen {
    with(|seen| {
        let mut found = self::state();
        state(&mut found);
        seen.places[0].there = There::Found(found);
    })
}

#[test]
fn a_tenant_is_made_and_kept_as_wished_and_never_adopted() {
    let unknown = || There::Unknown(Verdict::waiting(Reason::AccountNotReady, "m"));
    let nowhere = Verdict::waiting(Reason::AccountNotFound, "m");
    for (seen, expected) in [
        (seen(), "Ready"),
        (with(|seen| seen.places[0].there = There::Absent), "create main, Ready"),
        (there(|state| state.description.clear()), "update tn_1 in main, Ready"),
        (there(|state| state.visibility = Visibility::Isolated), "update tn_1 in main, Ready"),
        (there(|state| state.quota.size = None), "update tn_1 in main, Ready"),
        (there(|state| state.owner = None), "blocked NameTaken"),
        (there(|state| state.owner = Some(mark("other"))), "blocked NameTaken"),
        (there(|state| state.built_in = true), "blocked NameTaken"),
        (with(|seen| seen.places[0].there = unknown()), "waiting AccountNotReady"),
        (with(|seen| seen.places[0].there = There::NoAccount), "Ready"),
        (with(|seen| seen.no_account = Some(nowhere)), "waiting AccountNotFound"),
    ] {
        assert_eq!(summary(&make(&desired(), &seen)), expected, "{seen:?}");
    }
}

#[test]
fn one_account_that_does_not_work_does_not_stop_another() {
    let unknown = There::Unknown(Verdict::waiting(Reason::AccountUnreachable, "m"));
    let seen = with(|seen| {
        seen.places[0].there = unknown;
        seen.places.push(Place { account: "second".to_owned(), there: There::Absent, leaving: false });
    });
    assert_eq!(summary(&make(&desired(), &seen)), "create second, waiting AccountUnreachable");
}

#[test]
fn a_tenant_leaves_an_account_that_is_being_deleted() {
    let leaving = |edit: fn(&mut Seen)| {
        let mut seen = seen();
        seen.places[0].leaving = true;
        edit(&mut seen);
        seen
    };
    for (seen, expected) in [
        (leaving(|_| ()), "delete tn_1 in main, Ready"),
        (leaving(|seen| seen.places[0].there = There::Absent), "Ready"),
        (leaving(|seen| seen.mark = mark("other")), "Ready"),
        (leaving(|seen| seen.retain = true), "Ready"),
        (leaving(|seen| seen.places.extend(self::seen().places)), "Ready"),
        (leaving(|seen| seen.places[0].there = There::Unknown(Verdict::Ready)), "waiting AccountNotReady"),
    ] {
        assert_eq!(summary(&make(&desired(), &seen)), expected, "{seen:?}");
    }
    let both = leaving(|seen| seen.places.extend(self::seen().places));
    assert_eq!(accounts(Some(&desired()), &both, &[]).len(), 1);
}

#[test]
fn the_built_in_tenant_is_only_looked_up() {
    let desired = Desired { built_in: true, ..desired() };
    for (seen, expected) in [
        (there(|state| (state.built_in, state.owner) = (true, None)), "Ready"),
        (with(|seen| seen.places[0].there = There::Absent), "waiting ProviderFailing"),
        (
            with(|seen| {
                seen.places = vec![];
                seen.no_account = Some(Verdict::waiting(Reason::AccountNotFound, "m"));
            }),
            "Ready",
        ),
    ] {
        assert_eq!(summary(&make(&desired, &seen)), expected, "{seen:?}");
    }
}

#[test]
fn a_tenant_goes_once_nothing_uses_it_and_what_is_not_ours_stays() {
    let unknown = || There::Unknown(Verdict::waiting(Reason::AccountNotReady, "m"));
    for (seen, expected) in [
        (seen(), "delete tn_1 in main, Ready"),
        (with(|seen| seen.places[0].there = There::Absent), "Ready"),
        (with(|seen| seen.places[0].there = There::NoAccount), "Ready"),
        (there(|state| state.owner = Some(mark("other"))), "Ready"),
        (there(|state| state.owner = None), "Ready"),
        (with(|seen| seen.retain = true), "Ready"),
        (with(|seen| seen.bound.users = vec!["ns/app".to_owned()]), "waiting InUse"),
        (with(|seen| (seen.bound.users, seen.retain) = (vec!["ns/app".to_owned()], true)), "waiting InUse"),
        (with(|seen| seen.places[0].there = unknown()), "waiting AccountNotReady"),
    ] {
        assert_eq!(summary(&remove(&seen)), expected, "{seen:?}");
    }
}

#[test]
fn what_is_in_the_way_of_a_deletion_is_named() {
    let users = ["a/1", "a/2", "b/1", "b/2"].map(str::to_owned).to_vec();
    let plan = remove(&with(|seen| seen.bound.users = users));
    let Verdict::Waiting(_, message) = plan.verdict else { panic!("{plan:?}") };
    let expected =
        "Tenant 'acme' is used by 4 StorageUsers: 'a/1', 'a/2', 'b/1' and others. Delete them first.";
    assert_eq!(message, expected);
}

#[test]
fn what_is_not_known_of_an_account_stays_in_the_status() {
    let before = accounts(Some(&desired()), &seen(), &[]);
    assert_eq!(before.len(), 1);
    assert!(before[0].ready);
    let unknown = There::Unknown(Verdict::waiting(Reason::AccountUnreachable, "m"));
    assert_eq!(accounts(Some(&desired()), &with(|seen| seen.places[0].there = unknown), &before), before);
    let absent = with(|seen| seen.places[0].there = There::Absent);
    assert!(accounts(Some(&desired()), &absent, &before).is_empty());
}

/// Two accounts as a management server has them: by name, each with at most one tenant of our name.
type World = BTreeMap<String, Option<TenantState>>;

fn look(world: &World) -> Seen {
    let place = |(account, state): (&String, &Option<TenantState>)| Place {
        account: account.clone(),
        there: state.clone().map_or(There::Absent, There::Found),
        leaving: false,
    };
    Seen { places: world.iter().map(place).collect(), ..seen() }
}

fn apply(world: &mut World, step: Step) {
    let made = |id: String, wish: crate::provider::TenantWish| TenantState {
        id,
        name: wish.name,
        visibility: wish.visibility,
        description: wish.description,
        quota: wish.quota,
        owner: Some(wish.owner),
        object: Some(wish.object),
        built_in: false,
    };
    match step {
        Step::Create { account, wish } => world.insert(account, Some(made("tn_new".to_owned(), wish))),
        Step::Update { account, id, wish } => world.insert(account, Some(made(id, wish))),
        Step::Delete { account, .. } => world.insert(account, None),
    };
}

fn any_state() -> impl Strategy<Value = Option<TenantState>> {
    let fields =
        (any::<bool>(), "[a-c]?", prop::option::of(0..3_u64), prop::sample::select(vec!["u", "other", ""]));
    prop::option::of(fields.prop_map(|(isolated, description, size, owner)| TenantState {
        visibility: if isolated { Visibility::Isolated } else { Visibility::Public },
        description,
        quota: Quota { size, ..Quota::default() },
        owner: (!owner.is_empty()).then(|| mark(owner)),
        ..state()
    }))
}

proptest! {
    #[test]
    fn after_any_part_of_a_plan_the_next_one_ends_it_and_foreign_tenants_stay(
        one in any_state(),
        other in any_state(),
        prefix in 0..3_usize,
        deleting in any::<bool>(),
    ) {
        let before: World = [("one".to_owned(), one), ("other".to_owned(), other)].into();
        let mut world = before.clone();
        let plan = |world: &World| if deleting { remove(&look(world)) } else { make(&desired(), &look(world)) };
        for step in plan(&world).steps.into_iter().take(prefix) {
            apply(&mut world, step);
        }
        for step in plan(&world).steps {
            apply(&mut world, step);
        }
        prop_assert_eq!(plan(&world).steps, vec![]);
        for (account, state) in &before {
            if let Some(foreign) = state.as_ref().filter(|state| state.owner != Some(mark("u"))) {
                prop_assert_eq!(world[account].as_ref(), Some(foreign));
            }
        }
    }
}
