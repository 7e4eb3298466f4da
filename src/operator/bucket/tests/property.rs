//! Plan, do it, plan again: nothing is left to do. The same after any step was done and not noticed.

use super::{object, owner, seen, there};
use crate::operator::bucket::observe::Seen;
use crate::operator::bucket::plan::{There, plan};
use crate::operator::bucket::{Desired, Step};
use crate::operator::runtime::Verdict;
use crate::provider::{
    BucketState, BucketWish, Contents, OwnerMark, Quota, Retention, RetentionPeriod, Usage,
};
use crate::wire::{BucketName, LockMode, Versioning};
use proptest::prelude::*;

/// The provider's buckets of one user and name: none or one.
#[derive(Clone, Debug)]
struct Store(Option<BucketState>);

impl Store {
    /// As the provider does it: a bucket is made once, versioning is never disabled again, data is never removed.
    fn apply(&mut self, step: &Step) {
        match step {
            Step::Create { wish, .. } if self.0.is_none() => self.0 = Some(made_of(wish)),
            Step::Create { .. } => {}
            Step::Update { wish, .. } => {
                if let Some(bucket) = &mut self.0 {
                    let was_versioned = bucket.versioning != Versioning::Disabled;
                    assert!(!was_versioned || wish.versioning != Versioning::Disabled);
                    bucket.versioning = wish.versioning;
                    bucket.default_retention = wish.object_lock;
                    bucket.quota = wish.quota;
                }
            }
            Step::Delete { .. } => {
                assert!(self.0.as_ref().is_none_or(|bucket| bucket.contents == Contents::default()));
                self.0 = None;
            }
        }
    }

    fn seen(&self, asked: bool) -> Seen {
        let there = match &self.0 {
            _ if !asked => There::NotAsked,
            Some(bucket) => There::Bucket(Box::new(bucket.clone())),
            None => There::Nothing,
        };
        Seen { there, ..seen() }
    }
}

fn made_of(wish: &BucketWish) -> BucketState {
    BucketState {
        user_id: wish.user_id.clone(),
        name: wish.name.clone(),
        versioning: wish.versioning,
        object_lock: wish.object_lock.is_some(),
        default_retention: wish.object_lock,
        quota: wish.quota,
        owner: Some(wish.owner.clone()),
        object: Some(wish.object.clone()),
        usage: Usage::default(),
        contents: Contents::default(),
        complete: true,
    }
}

fn versioning() -> impl Strategy<Value = Versioning> {
    prop_oneof![Just(Versioning::Disabled), Just(Versioning::Enabled), Just(Versioning::Suspended)]
}

fn lock() -> impl Strategy<Value = Option<Retention>> {
    prop::option::of(
        (1_u32..3)
            .prop_map(|days| Retention { mode: LockMode::Compliance, period: RetentionPeriod::Days(days) }),
    )
}

fn quota() -> impl Strategy<Value = Quota> {
    let limit = || prop::option::of(0_u64..3);
    (limit(), limit()).prop_map(|(size, objects)| Quota { buckets: None, size, objects })
}

fn wanted() -> impl Strategy<Value = Desired> {
    (versioning(), lock(), quota()).prop_map(|(versioning, lock, quota)| Desired {
        user: "app".to_owned(),
        name: BucketName::parse("data").unwrap(),
        versioning: if lock.is_some() { Versioning::Enabled } else { versioning },
        lock,
        quota,
    })
}

fn existing() -> impl Strategy<Value = BucketState> {
    let foreign = OwnerMark { uid: "u-2".to_owned(), ..owner() };
    let owners = prop_oneof![4 => Just(Some(owner())), 1 => Just(None), 1 => Just(Some(foreign))];
    (versioning(), lock(), quota(), owners, 0_u64..2).prop_map(
        |(versioning, lock, quota, owner, versions)| BucketState {
            versioning: if lock.is_some() { Versioning::Enabled } else { versioning },
            object_lock: lock.is_some(),
            default_retention: lock,
            quota,
            owner,
            object: Some(object()),
            contents: Contents { versions, ..Contents::default() },
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
        // Creating may have found somebody else's or an outdated bucket of our own: one more look settles it.
        for step in plan(desired.as_ref(), &store.seen(true)).steps {
            store.apply(&step);
        }
        let last = plan(desired.as_ref(), &store.seen(true));
        prop_assert_eq!(&last.steps, &vec![]);
        match (&before, &store.0) {
            (Some(was), now) if was.owner != Some(owner()) => {
                prop_assert_eq!(Some(was), now.as_ref(), "what is not ours stays as it is");
            }
            (Some(was), now) if was.contents.versions > 0 => {
                prop_assert!(now.is_some(), "data is never removed");
            }
            (None, now) => {
                prop_assert_eq!(now.is_some(), desired.is_some());
                prop_assert_eq!(last.verdict, Verdict::Ready);
            }
            (Some(_), _) => {}
        }
    }
}
