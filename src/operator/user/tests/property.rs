//! Plan, do it, plan again: nothing is left to do. The same after any step was done twice, or done and not noticed.

use super::{object, owner, seen, there};
use crate::operator::user::observe::Seen;
use crate::operator::user::plan::{There, plan};
use crate::operator::user::{Desired, Step};
use crate::provider::{OwnerMark, Quota, Usage, UserState, UserWish};
use crate::wire::{Login, Role};
use proptest::prelude::*;

/// The provider's users of one login: none or one.
#[derive(Clone, Debug)]
struct Store(Option<UserState>);

impl Store {
    /// As the provider does it: a login is made once, an update changes nothing of who the user is.
    fn apply(&mut self, step: &Step) {
        match step {
            Step::Create { wish, .. } if self.0.is_none() => self.0 = Some(made_of(wish)),
            Step::Create { .. } => {}
            Step::Update { wish, .. } => {
                if let Some(user) = &mut self.0 {
                    let UserState { id, owner, object, usage, .. } = user.clone();
                    *user = UserState { id, owner, object, usage, ..made_of(wish) };
                }
            }
            Step::Delete { .. } => self.0 = None,
        }
    }

    fn seen(&self, asked: bool) -> Seen {
        let there = match &self.0 {
            _ if !asked => There::NotAsked,
            Some(user) => There::User(Box::new(user.clone())),
            None => There::Nothing,
        };
        Seen { there, ..seen() }
    }
}

fn made_of(wish: &UserWish) -> UserState {
    UserState {
        id: "us_1".to_owned(),
        login: wish.login.clone(),
        tenant_id: wish.tenant_id.clone(),
        display_name: wish.display_name.clone(),
        email: wish.email.clone(),
        time_zone: wish.time_zone.clone(),
        role: wish.role,
        enabled: wish.enabled,
        description: wish.description.clone(),
        quota: wish.quota,
        owner: Some(wish.owner.clone()),
        object: Some(wish.object.clone()),
        usage: Usage::default(),
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), Just("a".to_owned()), Just("b".to_owned())]
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::FullAccess), Just(Role::Backup), Just(Role::ReadOnly)]
}

fn quota() -> impl Strategy<Value = Quota> {
    let limit = || prop::option::of(0_u64..3);
    (limit(), limit(), limit()).prop_map(|(buckets, size, objects)| Quota { buckets, size, objects })
}

fn wanted() -> impl Strategy<Value = Desired> {
    (text(), text(), text(), role(), any::<bool>(), quota()).prop_map(
        |(display_name, email, description, role, enabled, quota)| Desired {
            tenant: "acme".to_owned(),
            login: Login::parse("team-a_app").unwrap(),
            display_name,
            email,
            time_zone: "UTC".to_owned(),
            role,
            enabled,
            description,
            quota,
        },
    )
}

fn existing() -> impl Strategy<Value = UserState> {
    let foreign = OwnerMark { uid: "u-2".to_owned(), ..owner() };
    let owners = prop_oneof![4 => Just(Some(owner())), 1 => Just(None), 1 => Just(Some(foreign))];
    (text(), text(), role(), any::<bool>(), quota(), owners, 0_u64..2).prop_map(
        |(display_name, email, role, enabled, quota, owner, buckets)| UserState {
            display_name,
            email,
            role,
            enabled,
            quota,
            owner,
            object: Some(object()),
            usage: Usage { buckets, ..Usage::default() },
            ..there()
        },
    )
}

proptest! {
    #[test]
    fn a_plan_that_was_carried_out_leaves_nothing_to_do(
        desired in prop::option::of(wanted()), before in prop::option::of(existing()), asked in any::<bool>(),
    ) {
        let mut store = Store(before.clone());
        // A deletion always asks.
        let first = plan(desired.as_ref(), &store.seen(asked || desired.is_none()));
        for step in &first.steps {
            store.apply(step);
            // A crash right here: the next pass starts from what is there.
            let again = plan(desired.as_ref(), &store.seen(true));
            let mut later = store.clone();
            for step in &again.steps {
                later.apply(step);
            }
            prop_assert_eq!(plan(desired.as_ref(), &later.seen(true)).steps, vec![]);
        }
        // Creating may have found somebody else's or an outdated user of our own: one more look settles it.
        for step in plan(desired.as_ref(), &store.seen(true)).steps {
            store.apply(&step);
        }
        let last = plan(desired.as_ref(), &store.seen(true));
        prop_assert_eq!(&last.steps, &vec![]);
        let ours = before.as_ref().is_none_or(|user| user.owner == Some(owner()));
        if !ours {
            prop_assert_eq!(store.0, before, "what is not ours stays as it is");
        } else if let Some(desired) = &desired {
            prop_assert!(last.verdict.is_ready());
            prop_assert_eq!(store.0.map(|user| user.role), Some(desired.role));
        }
    }
}
