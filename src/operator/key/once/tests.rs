use super::*;

mod chosen;
mod total;

const A3: Protocol =
    Protocol { class: Class::A3, on_loss: OnLoss::Block, retain: false, max_attempts: MAX_ATTEMPTS };

fn attempt(epoch: u32, attempt: u32) -> Attempt {
    Attempt { epoch, attempt, nonce: Nonce::new(u128::from(epoch * 100 + attempt)) }
}

fn id(epoch: u32, number: u32) -> KeyId {
    KeyId::from(format!("SK-{epoch}-{number}").as_str())
}

fn secret(epoch: u32, number: u32) -> OurSecret {
    let attempt = attempt(epoch, number);
    OurSecret { uid: SecretUid::from("uid-1"), epoch, nonce: attempt.nonce, key: id(epoch, number) }
}

fn listed(epoch: u32, number: u32) -> ListedKey {
    ListedKey {
        id: id(epoch, number),
        epoch,
        nonce: attempt(epoch, number).nonce,
        replayable: true,
        complete: true,
    }
}

#[allow(clippy::unnecessary_wraps)] // as `Seen` has it
fn keys(all: &[(u32, u32)]) -> Option<KeysSeen> {
    Some(KeysSeen::Listed(all.iter().map(|(epoch, number)| listed(*epoch, *number)).collect()))
}

fn object() -> Object {
    Object { finalizer: true, deleting: false, issue: None, published: None, reissue: None }
}

fn issued(epoch: u32, number: u32, open: bool) -> Object {
    Object { issue: Some(Issue { attempt: attempt(epoch, number), open }), ..object() }
}

fn published(epoch: u32, number: u32) -> Object {
    let nonce = attempt(epoch, number).nonce;
    Object {
        published: Some(Published { epoch, nonce, key: id(epoch, number) }),
        ..issued(epoch, number, false)
    }
}

/// Everything is read, rehearsed and waited out.
fn seen(object: Object, secret: SecretSeen) -> Seen {
    Seen {
        object: ObjectSeen::Found(object),
        secret: Some(secret),
        keys: keys(&[]),
        preflight: Some(Preflight::Passed),
        back_off_over: true,
        ..Seen::default()
    }
}

fn pair(posted: Posted) -> Memory {
    Memory::Pair { attempt: attempt(1, 1), key: id(1, 1), posted }
}

fn decide(protocol: &Protocol, seen: &Seen) -> Step {
    next(protocol, seen, &Memory::Nothing)
}

#[test]
fn a_nonce_is_read_back_as_it_was_written() {
    let nonce = Nonce::new(0xabc);
    assert_eq!(nonce.to_string(), "00000000000000000000000000000abc");
    assert_eq!(Nonce::parse(&nonce.to_string()), Some(nonce));
    let long = "0".repeat(33);
    let upper = "A".repeat(32);
    for text in ["", "abc", long.as_str(), upper.as_str(), "+0000000000000000000000000000abc"] {
        assert_eq!(Nonce::parse(text), None, "{text}");
    }
}

#[test]
fn a_new_object_is_read_held_rehearsed_and_written_down_before_the_provider_is_asked() {
    let mut seen = Seen::default();
    assert_eq!(decide(&A3, &seen), Step::GetObject);
    seen.object = ObjectSeen::Found(Object { finalizer: false, ..object() });
    assert_eq!(decide(&A3, &seen), Step::GetSecret);
    seen.secret = Some(SecretSeen::Absent);
    assert_eq!(decide(&A3, &seen), Step::AddFinalizer);
    seen.object = ObjectSeen::Found(object());
    assert_eq!(decide(&A3, &seen), Step::ListKeys);
    seen.keys = keys(&[]);
    assert_eq!(decide(&A3, &seen), Step::Preflight);
    seen.preflight = Some(Preflight::Passed);
    assert_eq!(decide(&A3, &seen), Step::WriteIntent { epoch: 1, attempt: 1 });
    let memory = Memory::after_intent(attempt(1, 1));
    assert_eq!(next(&A3, &Seen::default(), &memory), Step::Mint(attempt(1, 1)));
    let memory = memory.after_mint(attempt(1, 1), Minted::Made(id(1, 1)));
    assert_eq!(next(&A3, &Seen::default(), &memory), Step::PostSecret);
}

#[test]
fn an_intent_that_is_too_old_is_not_sent() {
    let memory = Memory::Intent { attempt: attempt(1, 1), in_time: false };
    assert_eq!(next(&A3, &Seen::default(), &memory), Step::StartOver);
}

#[test]
fn what_a_secret_that_is_there_asks_for() {
    let ours = |epoch, number| SecretSeen::Ours(secret(epoch, number));
    let record = |epoch, number, secret_epoch| Step::Record { epoch, secret: secret(secret_epoch, number) };
    let delete = Step::DeleteSecret(SecretUid::from("uid-1"));
    let began_two = Object { issue: issued(2, 1, true).issue, ..published(1, 1) };
    for (rule, object, secret, keys, expected) in [
        ("foreign", object(), SecretSeen::Foreign, None, Step::Rest(Verdict::SecretNameConflict)),
        ("its key is looked for", issued(1, 1, true), ours(1, 1), None, Step::ListKeys),
        ("its key is there", issued(1, 1, true), ours(1, 1), keys(&[(1, 1)]), record(1, 1, 1)),
        ("any attempt's counts", issued(1, 2, true), ours(1, 1), keys(&[(1, 1), (1, 2)]), record(1, 1, 1)),
        ("its key is gone", issued(1, 1, true), ours(1, 1), keys(&[(1, 2)]), delete.clone()),
        ("a loser's, alive", published(1, 1), ours(1, 2), keys(&[(1, 1), (1, 2)]), delete.clone()),
        ("a loser's, unlisted", published(1, 1), ours(1, 2), None, delete),
        ("it came back", began_two.clone(), ours(1, 1), None, record(2, 1, 1)),
        ("recorded", published(1, 1), ours(1, 1), keys(&[(1, 1)]), Step::Rest(Verdict::Ready)),
        (
            "recorded, key gone",
            published(1, 1),
            ours(1, 1),
            keys(&[]),
            Step::Rest(Verdict::KeyRevokedExternally),
        ),
        (
            "recorded, key gone, and one that it had replaced is back",
            published(2, 1),
            ours(2, 1),
            keys(&[(1, 1)]),
            Step::Revoke(vec![id(1, 1)]),
        ),
        (
            "garbage is of committed epochs only",
            published(1, 2),
            ours(1, 2),
            keys(&[(1, 1), (1, 2), (2, 1)]),
            Step::Revoke(vec![id(1, 1)]),
        ),
    ] {
        let seen = Seen { keys, ..seen(object, secret) };
        assert_eq!(decide(&A3, &seen), expected, "{rule}");
    }
}

#[test]
fn a_key_of_the_same_nonce_and_another_id_is_garbage() {
    let twin = ListedKey { id: KeyId::from("SK-twin"), ..listed(1, 1) };
    let keys = Some(KeysSeen::Listed(vec![listed(1, 1), twin]));
    let seen = Seen { keys, ..seen(published(1, 1), SecretSeen::Ours(secret(1, 1))) };
    assert_eq!(decide(&A3, &seen), Step::Revoke(vec![KeyId::from("SK-twin")]));
}

#[test]
fn a_lost_secret_waits_for_a_person_unless_the_spec_or_the_annotation_asks_for_another() {
    let lost = Step::Rest(Verdict::SecretLost { next_epoch: 2 });
    let again = Step::WriteIntent { epoch: 2, attempt: 1 };
    for (on_loss, reissue, expected) in [
        (OnLoss::Block, None, &lost),
        (OnLoss::Block, Some(1), &lost),
        (OnLoss::Block, Some(3), &lost),
        (OnLoss::Block, Some(2), &again),
        (OnLoss::Reissue, None, &again),
    ] {
        let object = Object { reissue, ..published(1, 1) };
        let seen = Seen { keys: keys(&[(1, 1)]), ..seen(object, SecretSeen::Absent) };
        assert_eq!(decide(&Protocol { on_loss, ..A3 }, &seen), *expected, "{on_loss:?} {reissue:?}");
    }
}

#[test]
fn garbage_is_swept_while_the_secret_is_lost_and_the_recorded_key_stays() {
    let seen = Seen { keys: keys(&[(1, 1), (1, 2)]), ..seen(published(1, 1), SecretSeen::Absent) };
    assert_eq!(decide(&A3, &seen), Step::Revoke(vec![id(1, 2)]));
}

#[test]
fn how_an_attempt_is_followed_by_another() {
    let absent = |object| seen(object, SecretSeen::Absent);
    let waiting = Seen { back_off_over: false, ..absent(issued(1, 1, true)) };
    assert_eq!(decide(&A3, &waiting), Step::Wait(Wait::BackOff));
    assert_eq!(decide(&A3, &absent(issued(1, 1, true))), Step::WriteIntent { epoch: 1, attempt: 2 });
    // It was definitely refused: it does not count, and nothing has to be waited out.
    let refused = Seen { back_off_over: false, ..absent(issued(1, 1, false)) };
    assert_eq!(decide(&A3, &refused), Step::WriteIntent { epoch: 1, attempt: 1 });
    // However many there were, only those that left a key count.
    let left = |attempts: u32| (1..=attempts).map(|attempt| (1, attempt)).collect::<Vec<_>>();
    let many = |attempts| Seen { keys: keys(&left(attempts)), ..absent(issued(1, MAX_ATTEMPTS + 7, true)) };
    let next = Step::WriteIntent { epoch: 1, attempt: MAX_ATTEMPTS + 8 };
    assert_eq!(decide(&A3, &many(0)), next);
    assert_eq!(decide(&A3, &many(MAX_ATTEMPTS - 1)), next);
    assert_eq!(decide(&A3, &many(MAX_ATTEMPTS)), Step::Rest(Verdict::TooManyAttempts));
    let unlisted = Seen { keys: None, ..many(MAX_ATTEMPTS) };
    assert_eq!(decide(&A3, &unlisted), Step::ListKeys);
}

#[test]
fn an_epoch_of_which_there_are_keys_that_the_status_does_not_account_for_is_not_begun_again() {
    let lost = |next_epoch| Step::Rest(Verdict::SecretLost { next_epoch });
    let goes_on = |epoch, attempt| Step::WriteIntent { epoch, attempt };
    for (rule, object, listed, expected) in [
        ("as before the first attempt", object(), keys(&[]), goes_on(1, 1)),
        ("a key, and no attempt", object(), keys(&[(1, 1)]), lost(2)),
        ("of a later epoch", object(), keys(&[(3, 1)]), lost(4)),
        ("of its attempt", issued(1, 1, true), keys(&[(1, 1)]), goes_on(1, 2)),
        ("of another one beside the first", issued(1, 1, true), keys(&[(1, 1), (1, 2)]), lost(2)),
        ("of an attempt that made none", issued(1, 1, false), keys(&[(1, 1)]), lost(2)),
        ("of an earlier attempt", issued(1, 2, true), keys(&[(1, 1), (1, 2)]), goes_on(1, 3)),
        ("two beside the second", issued(1, 2, true), keys(&[(1, 1), (1, 3)]), lost(2)),
        ("of an epoch after the published", published(1, 1), keys(&[(1, 1), (2, 1)]), lost(3)),
    ] {
        let seen = Seen { keys: listed, ..seen(object, SecretSeen::Absent) };
        assert_eq!(decide(&A3, &seen), expected, "{rule}");
    }
    let seen = Seen { keys: keys(&[(1, 1)]), ..seen(object(), SecretSeen::Absent) };
    assert_eq!(decide(&Protocol { on_loss: OnLoss::Reissue, ..A3 }, &seen), goes_on(2, 1));
    let asked = Seen { object: ObjectSeen::Found(Object { reissue: Some(2), ..object() }), ..seen };
    assert_eq!(decide(&A3, &asked), goes_on(2, 1));
}

#[test]
fn nothing_is_begun_while_the_gate_is_closed_and_what_was_begun_goes_on() {
    let closed = |object, secret| Seen { gate: Gate::Closed, ..seen(object, secret) };
    let unlisted = Seen { keys: None, ..closed(object(), SecretSeen::Absent) };
    assert_eq!(decide(&A3, &unlisted), Step::Rest(Verdict::Held));
    let ready = closed(published(1, 1), SecretSeen::Ours(secret(1, 1)));
    assert_eq!(decide(&A3, &ready), Step::Rest(Verdict::Held));
    let unrecorded = closed(issued(1, 1, true), SecretSeen::Ours(secret(1, 1)));
    let unrecorded = Seen { keys: keys(&[(1, 1)]), ..unrecorded };
    assert!(matches!(decide(&A3, &unrecorded), Step::Record { .. }));
    let held = closed(issued(1, 1, true), SecretSeen::Absent);
    assert_eq!(next(&A3, &held, &pair(Posted::Tried)), Step::PostSecret);
    let deleting = Object { deleting: true, ..published(1, 1) };
    let deleting = closed(deleting, SecretSeen::Ours(secret(1, 1)));
    assert!(matches!(decide(&A3, &deleting), Step::DeleteSecret(_)));
}

#[test]
fn a1_asks_again_for_a_pair_that_the_provider_remembers() {
    let a1 = Protocol { class: Class::A1, ..A3 };
    let replayable = Seen { keys: keys(&[(1, 1)]), ..seen(issued(1, 1, true), SecretSeen::Absent) };
    assert_eq!(decide(&a1, &replayable), Step::Mint(attempt(1, 1)));
    assert_eq!(decide(&A3, &replayable), Step::WriteIntent { epoch: 1, attempt: 2 });
    let old = ListedKey { replayable: false, ..listed(1, 1) };
    let forgotten = Seen { keys: Some(KeysSeen::Listed(vec![old])), ..replayable.clone() };
    assert_eq!(decide(&a1, &forgotten), Step::WriteIntent { epoch: 1, attempt: 2 });
    let gone = Seen { keys: keys(&[]), ..replayable.clone() };
    assert_eq!(decide(&a1, &gone), Step::WriteIntent { epoch: 1, attempt: 2 });
    let late = Seen { in_time: false, ..replayable };
    assert_eq!(decide(&a1, &late), Step::StartOver);
}

#[test]
fn only_the_refusal_of_the_first_request_closes_the_issue() {
    let first = Memory::after_intent(attempt(1, 1)).after_mint(attempt(1, 1), Minted::Refused);
    assert_eq!(first, Memory::Refused(attempt(1, 1)));
    assert_eq!(Memory::Nothing.after_mint(attempt(1, 1), Minted::Refused), Memory::Nothing);
    let of = |object| Seen { object: ObjectSeen::Found(object), ..Seen::default() };
    assert_eq!(next(&A3, &of(issued(1, 1, true)), &first), Step::CloseIssue);
    assert_eq!(next(&A3, &of(issued(1, 2, true)), &first), Step::StartOver);
    assert_eq!(next(&A3, &of(issued(1, 1, false)), &first), Step::StartOver);
}

#[test]
fn a_pair_that_was_posted_is_never_revoked_by_whoever_holds_it() {
    for (secret, expected) in [
        (SecretSeen::Ours(secret(1, 1)), Step::StartOver),
        (SecretSeen::Ours(secret(1, 2)), Step::StartOver),
        (SecretSeen::Foreign, Step::StartOver),
        (SecretSeen::Absent, Step::PostSecret),
    ] {
        let seen = seen(issued(1, 1, true), secret);
        assert_eq!(next(&A3, &seen, &pair(Posted::Tried)), expected, "{seen:?}");
    }
    let committed = seen(published(1, 2), SecretSeen::Absent);
    assert_eq!(next(&A3, &committed, &pair(Posted::Tried)), Step::StartOver);
    assert_eq!(stop(&pair(Posted::NotYet)), Step::PostSecret);
    assert_eq!(stop(&pair(Posted::Tried)), Step::StartOver);
}

#[test]
fn only_the_answer_that_it_was_created_says_anything_about_a_secret() {
    assert_eq!(pair(Posted::NotYet).after_post(true), pair(Posted::Committed));
    for before in [Posted::NotYet, Posted::Tried] {
        assert_eq!(pair(before).after_post(false), pair(Posted::Tried));
    }
}

#[test]
fn a_pair_whose_object_is_gone_is_cleaned_up() {
    let gone = |secret| Seen { object: ObjectSeen::Gone, secret: Some(secret), ..Seen::default() };
    let pair = pair(Posted::Tried);
    let delete = Step::DeleteSecret(SecretUid::from("uid-1"));
    assert_eq!(next(&A3, &gone(SecretSeen::Ours(secret(1, 1))), &pair), delete);
    assert_eq!(next(&A3, &gone(SecretSeen::Absent), &pair), Step::RevokeOwn(id(1, 1)));
    assert_eq!(decide(&A3, &gone(SecretSeen::Absent)), Step::Rest(Verdict::Gone));
    let retain = Protocol { retain: true, ..A3 };
    let kept = Seen { keys: keys(&[(1, 1)]), ..gone(SecretSeen::Ours(secret(1, 1))) };
    assert_eq!(next(&retain, &kept, &pair), Step::StartOver);
    assert_eq!(next(&retain, &Seen { keys: keys(&[]), ..kept }, &pair), delete);
}

#[test]
fn who_made_a_key_and_its_secret_lists_nothing_before_it_is_recorded() {
    assert_eq!(pair(Posted::Committed).after_object_found(), Memory::Placed(id(1, 1)));
    let record = |number| Step::Record { epoch: 1, secret: secret(1, number) };
    for (rule, object, (epoch, number), expected) in [
        ("its own", issued(1, 1, true), (1, 1), record(1)),
        ("and is Ready", published(1, 1), (1, 1), Step::Rest(Verdict::Ready)),
        ("a later attempt", issued(1, 2, true), (1, 2), record(2)),
        ("an earlier one may have left a key", published(1, 2), (1, 2), Step::ListKeys),
        ("so may an earlier epoch", published(2, 1), (2, 1), Step::ListKeys),
    ] {
        let seen = Seen { keys: None, ..seen(object, SecretSeen::Ours(secret(epoch, number))) };
        assert_eq!(next(&A3, &seen, &Memory::Placed(id(epoch, number))), expected, "{rule}");
        assert_eq!(decide(&A3, &seen), Step::ListKeys, "{rule}: anybody else lists");
        let other = Memory::Placed(id(epoch, number + 1));
        assert_eq!(next(&A3, &seen, &other), Step::ListKeys, "{rule}: of another key it says nothing");
    }
}

#[test]
fn deleting_revokes_waits_and_lets_go() {
    let deleting = |object| Object { deleting: true, ..object };
    let ours = || SecretSeen::Ours(secret(1, 1));
    let delete = Step::DeleteSecret(SecretUid::from("uid-1"));
    let wait = Step::Wait(Wait::InFlight);
    for (rule, object, secret, keys, memory, expected) in [
        ("never begun", object(), SecretSeen::Absent, keys(&[]), Memory::Nothing, Step::RemoveFinalizer),
        ("the list is never skipped", object(), SecretSeen::Absent, None, Memory::Nothing, Step::ListKeys),
        (
            "keys first",
            published(1, 1),
            ours(),
            keys(&[(1, 1), (1, 2)]),
            Memory::Nothing,
            Step::Revoke(vec![id(1, 1), id(1, 2)]),
        ),
        ("only attempt, published", published(1, 1), ours(), keys(&[]), Memory::Nothing, delete.clone()),
        ("a second attempt", published(1, 2), SecretSeen::Absent, keys(&[]), Memory::Nothing, wait.clone()),
        ("an open issue", issued(1, 1, true), SecretSeen::Absent, keys(&[]), Memory::Nothing, wait.clone()),
        ("refused only", issued(1, 1, false), SecretSeen::Absent, keys(&[]), Memory::Nothing, wait),
        ("waited", issued(1, 1, true), ours(), keys(&[]), Memory::Drained, delete.clone()),
        (
            "foreign stays",
            published(1, 1),
            SecretSeen::Foreign,
            keys(&[]),
            Memory::Nothing,
            Step::RemoveFinalizer,
        ),
        ("given up", issued(1, 1, true), ours(), Some(KeysSeen::Abandoned), Memory::Nothing, delete),
    ] {
        let seen = Seen { keys, ..seen(deleting(object), secret) };
        assert_eq!(next(&A3, &seen, &memory), expected, "{rule}");
    }
}

#[test]
fn retained_are_the_recorded_key_and_its_secret_and_nothing_else() {
    let retain = Protocol { retain: true, ..A3 };
    let deleting = |object| Object { deleting: true, ..object };
    let ours = || SecretSeen::Ours(secret(1, 1));
    for (rule, object, secret, keys, expected) in [
        ("recorded", published(1, 1), ours(), keys(&[(1, 1)]), Step::RemoveFinalizer),
        ("garbage goes", published(1, 1), ours(), keys(&[(1, 1), (1, 2)]), Step::Revoke(vec![id(1, 2)])),
        (
            "begun is finished",
            issued(1, 1, true),
            ours(),
            keys(&[(1, 1)]),
            Step::Record { epoch: 1, secret: secret(1, 1) },
        ),
        (
            "a loser's goes",
            published(1, 2),
            ours(),
            keys(&[(1, 2)]),
            Step::DeleteSecret(SecretUid::from("uid-1")),
        ),
    ] {
        let seen = Seen { keys, ..seen(deleting(object), secret) };
        assert_eq!(next(&retain, &seen, &Memory::Drained), expected, "{rule}");
    }
    // Another operator may be about to publish it.
    let unpublished =
        Seen { keys: keys(&[(1, 1)]), ..seen(deleting(issued(1, 1, true)), SecretSeen::Absent) };
    assert_eq!(next(&retain, &unpublished, &Memory::Nothing), Step::Wait(Wait::InFlight));
    assert_eq!(next(&retain, &unpublished, &Memory::Drained), Step::Revoke(vec![id(1, 1)]));
}
