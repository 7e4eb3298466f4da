//! Class B: the Secret first, then the provider.

use super::*;

const B: Protocol = Protocol { class: Class::B, ..A3 };

fn ours(epoch: u32, number: u32) -> SecretSeen {
    SecretSeen::Ours(secret(epoch, number))
}

fn with_keys(object: Object, found: SecretSeen, complete: bool) -> Seen {
    let listed = ListedKey { complete, ..listed(1, 1) };
    Seen { keys: Some(KeysSeen::Listed(vec![listed])), ..seen(object, found) }
}

fn recorded() -> Object {
    Object { issue: None, ..published(1, 1) }
}

#[test]
fn a_pair_is_chosen_where_nothing_is_there_and_put_where_its_secret_is() {
    let put = || Step::Put(secret(1, 1));
    let closed = Seen { gate: Gate::Closed, ..seen(object(), SecretSeen::Absent) };
    let not_rehearsed = Seen { preflight: None, ..seen(object(), SecretSeen::Absent) };
    for (seen, expected) in [
        (seen(object(), SecretSeen::Absent), Step::PostNew { epoch: 1 }),
        (closed, Step::Rest(Verdict::Held)),
        (not_rehearsed, Step::Preflight),
        (seen(object(), ours(1, 1)), put()),
        (with_keys(object(), ours(1, 1), true), Step::Record { epoch: 1, secret: secret(1, 1) }),
        (seen(recorded(), ours(1, 1)), put()),
        (with_keys(recorded(), ours(1, 1), true), Step::Rest(Verdict::Ready)),
        (seen(recorded(), SecretSeen::Absent), Step::Rest(Verdict::SecretLost { next_epoch: 2 })),
    ] {
        assert_eq!(decide(&B, &seen), expected, "{seen:?}");
    }
}

#[test]
fn a_key_that_is_not_complete_is_put_again() {
    for object in [object(), recorded()] {
        assert_eq!(decide(&B, &with_keys(object, ours(1, 1), false)), Step::Put(secret(1, 1)));
    }
    let a3 = with_keys(published(1, 1), ours(1, 1), false);
    assert_eq!(decide(&A3, &a3), Step::Rest(Verdict::Ready), "elsewhere a key is made in one go");
}

#[test]
fn nothing_is_sent_on_the_strength_of_an_old_read() {
    for found in [SecretSeen::Absent, ours(1, 1)] {
        let old = Seen { in_time: false, ..seen(object(), found) };
        assert_eq!(decide(&B, &old), Step::StartOver);
    }
}

#[test]
fn a_pair_that_is_refused_for_good_ends_in_another_or_with_a_person() {
    let refused = Memory::PutRefused(attempt(1, 1).nonce);
    let fresh = next(&B, &seen(object(), ours(1, 1)), &refused);
    assert_eq!(fresh, Step::DeleteSecret(SecretUid::from("uid-1")));
    let known = next(&B, &seen(recorded(), ours(1, 1)), &refused);
    assert_eq!(known, Step::Rest(Verdict::KeyRevokedExternally));
    assert_eq!(next(&B, &seen(object(), SecretSeen::Absent), &refused), Step::StartOver);
}

fn unlisted(object: Object, found: SecretSeen) -> Seen {
    Seen { keys: None, ..seen(object, found) }
}

#[test]
fn a_key_of_which_this_process_knows_more_than_a_list_would_say_is_not_listed() {
    let (chosen, placed) = (Memory::Chosen(attempt(1, 1).nonce), Memory::Placed(id(1, 1)));
    let record = || Step::Record { epoch: 1, secret: secret(1, 1) };
    let old = Seen { in_time: false, ..unlisted(object(), ours(1, 1)) };
    for (seen, memory, expected) in [
        (unlisted(object(), ours(1, 1)), &chosen, Step::Put(secret(1, 1))),
        (old, &chosen, Step::StartOver),
        (unlisted(object(), ours(1, 1)), &placed, record()),
        (unlisted(recorded(), ours(1, 1)), &placed, Step::Rest(Verdict::Ready)),
    ] {
        assert_eq!(next(&B, &seen, memory), expected, "{seen:?}, {memory:?}");
        assert_ne!(decide(&B, &seen), expected, "another process has to list");
    }
}

#[test]
fn what_is_known_of_one_pair_says_nothing_of_another_and_nothing_of_earlier_keys() {
    let (chosen, placed) = (Memory::Chosen(attempt(1, 2).nonce), Memory::Placed(id(1, 2)));
    for memory in [&chosen, &placed] {
        for object in [object(), recorded()] {
            assert_eq!(next(&B, &unlisted(object, ours(1, 1)), memory), Step::ListKeys, "{memory:?}");
        }
    }
    let second = Object { issue: None, ..published(2, 1) };
    let placed = Memory::Placed(id(2, 1));
    assert_eq!(next(&B, &unlisted(second, ours(2, 1)), &placed), Step::ListKeys, "there may be garbage");
}

#[test]
fn a_pass_that_is_broken_off_leaves_nothing_to_do_without_a_list() {
    let nonce = attempt(1, 1).nonce;
    for memory in [Memory::Chosen(nonce), Memory::Placed(id(1, 1))] {
        assert_eq!(memory.after_break(), Memory::Nothing);
    }
    assert_eq!(Memory::PutRefused(nonce).after_break(), Memory::PutRefused(nonce));
}
