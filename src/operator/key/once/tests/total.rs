//! For whatever was seen there is a step, and no step asks for what was read.

use super::*;
use proptest::prelude::*;

prop_compose! {
    fn any_attempt()(epoch in 1..3_u32, number in 1..4_u32) -> (u32, u32) {
        (epoch, number)
    }
}

fn any_object() -> impl Strategy<Value = ObjectSeen> {
    let found = (
        any::<bool>(),
        any::<bool>(),
        proptest::option::of((any_attempt(), any::<bool>())),
        proptest::option::of(any_attempt()),
        proptest::option::of(1..4_u32),
    )
        .prop_map(|(finalizer, deleting, issue, published, reissue)| {
            ObjectSeen::Found(Object {
                finalizer,
                deleting,
                issue: issue.map(|((epoch, number), open)| Issue { attempt: attempt(epoch, number), open }),
                published: published.map(|(epoch, number)| Published {
                    epoch,
                    nonce: attempt(epoch, number).nonce,
                    key: id(epoch, number),
                }),
                reissue,
            })
        });
    prop_oneof![Just(ObjectSeen::Unread), Just(ObjectSeen::Gone), found]
}

fn any_secret() -> impl Strategy<Value = Option<SecretSeen>> {
    proptest::option::of(prop_oneof![
        Just(SecretSeen::Absent),
        Just(SecretSeen::Foreign),
        any_attempt().prop_map(|(epoch, number)| SecretSeen::Ours(secret(epoch, number))),
    ])
}

fn any_seen() -> impl Strategy<Value = Seen> {
    let keys = proptest::option::of(prop_oneof![
        Just(KeysSeen::Abandoned),
        proptest::collection::vec(any_attempt(), 0..4).prop_map(|all| {
            KeysSeen::Listed(all.iter().map(|(epoch, number)| listed(*epoch, *number)).collect())
        }),
    ]);
    let preflight = proptest::option::of(prop_oneof![Just(Preflight::Passed), Just(Preflight::Refused)]);
    let gate = prop_oneof![Just(Gate::Open), Just(Gate::Closed)];
    (any_object(), any_secret(), keys, preflight, gate, any::<bool>(), any::<bool>()).prop_map(
        |(object, secret, keys, preflight, gate, back_off_over, in_time)| Seen {
            object,
            secret,
            keys,
            preflight,
            gate,
            back_off_over,
            in_time,
        },
    )
}

fn any_memory() -> impl Strategy<Value = Memory> {
    let of = |(epoch, number): (u32, u32)| attempt(epoch, number);
    let posted = prop_oneof![Just(Posted::NotYet), Just(Posted::Tried), Just(Posted::Committed)];
    prop_oneof![
        Just(Memory::Nothing),
        Just(Memory::Drained),
        (any_attempt(), any::<bool>())
            .prop_map(move |(key, in_time)| Memory::Intent { attempt: of(key), in_time }),
        any_attempt().prop_map(move |key| Memory::Refused(of(key))),
        any_attempt().prop_map(move |key| Memory::PutRefused(of(key).nonce)),
        any_attempt().prop_map(move |key| Memory::Chosen(of(key).nonce)),
        any_attempt().prop_map(|key| Memory::Placed(id(key.0, key.1))),
        (any_attempt(), posted).prop_map(move |(key, posted)| Memory::Pair {
            attempt: of(key),
            key: id(key.0, key.1),
            posted,
        }),
    ]
}

proptest! {
    #[test]
    fn a_step_is_found_for_whatever_is_seen_and_never_asks_twice_for_the_same_read(
        seen in any_seen(),
        memory in any_memory(),
        class in prop_oneof![Just(Class::A3), Just(Class::A1), Just(Class::B)],
        on_loss in prop_oneof![Just(OnLoss::Block), Just(OnLoss::Reissue)],
        retain in any::<bool>(),
    ) {
        let protocol = Protocol { class, on_loss, retain, ..A3 };
        let step = next(&protocol, &seen, &memory);
        match step {
            Step::GetObject => prop_assert_eq!(&seen.object, &ObjectSeen::Unread),
            Step::GetSecret => prop_assert_eq!(&seen.secret, &None),
            Step::ListKeys => prop_assert_eq!(&seen.keys, &None),
            Step::Preflight => prop_assert_eq!(&seen.preflight, &None),
            _ => {}
        }
        // A foreign Secret is never deleted, and the provider is not asked for a key because of it.
        if seen.secret == Some(SecretSeen::Foreign) && memory == Memory::Nothing {
            let touches = matches!(step, Step::DeleteSecret(_) | Step::Mint(_) | Step::WriteIntent { .. });
            prop_assert!(!touches, "{step:?}");
        }
        // Nothing is revoked before a commit, but what this process alone knows.
        if let (Step::Revoke(victims), ObjectSeen::Found(object)) = (&step, &seen.object)
            && !object.deleting
        {
            let recorded = object.published.as_ref().map(|published| &published.key);
            prop_assert!(recorded.is_some() && victims.iter().all(|victim| Some(victim) != recorded));
        }
    }
}
