"""Negative controls: each rule finds the one thing that is planted, by its name, and is silent where all is well."""

from __future__ import annotations

from dataclasses import replace

import pytest

from soak.checks import (
    Change,
    Rest,
    at_rest,
    operators_do_not_panic,
    over_time,
    secrets_are_created_and_deleted_only,
)
from soak.facts import Key, Owner, Published, Secret

RECORD = Published(epoch=1, nonce="a" * 32, key="SK1", secret_uid="s1")
READY = Owner("u1", "ns/app", ready=True, reason="Ready", issue=(1, 1), published=RECORD)
HELD = Secret("s1", "ns/app", "digest", owner="u1", epoch=1, key="SK1")
FOREIGN = Secret("f1", "ns/theirs", "their digest")
LIVE = Key("SK1", "u1", "ns/app")
WELL = Rest([READY], [HELD, FOREIGN], [LIVE], {"s1": True}, foreign={"f1": "their digest"})


def not_ready(reason: str) -> Owner:
    return replace(READY, ready=False, reason=reason)


def test_where_all_is_well_nothing_is_found() -> None:
    assert at_rest(WELL) == []
    assert at_rest(replace(WELL, opens=None)) == [], "nobody has tried the keys"


@pytest.mark.parametrize(
    ("rule", "planted"),
    [
        ("no-orphans", {"keys": [LIVE, Key("SK2", "u1", "ns/app")]}),
        ("no-orphans", {"keys": [LIVE, Key("SK2", "gone", "ns/gone")]}),
        ("ready-works", {"opens": {"s1": False}}),
        ("ready-works", {"opens": {}}),
        ("ready-works", {"keys": []}),
        ("ready-works", {"secrets": [FOREIGN]}),
        ("ready-works", {"secrets": [replace(HELD, key="SK9"), FOREIGN]}),
        ("ready-works", {"owners": [replace(READY, published=None)], "secrets": [FOREIGN], "keys": []}),
        ("no-stray-secrets", {"secrets": [HELD, FOREIGN, replace(HELD, uid="s2", where="ns/x")]}),
        ("no-stray-secrets", {"secrets": [HELD, FOREIGN, replace(HELD, uid="s2", owner="gone")]}),
        ("settled", {"owners": [not_ready("Progressing")]}),
        ("settled", {"owners": [not_ready("SecretLost")]}),
        ("settled", {"owners": [not_ready("KeyRevokedExternally")]}),
        ("settled", {"owners": [not_ready("SecretNameConflict")]}),
        ("settled", {"owners": [not_ready("")]}),
        ("settled", {"owners": [replace(READY, deleting=True)]}),
        ("foreign-untouched", {"secrets": [HELD]}),
        ("foreign-untouched", {"secrets": [HELD, replace(FOREIGN, digest="another")]}),
    ],
)
def test_what_is_planted_at_rest_is_found(rule: str, planted: dict[str, object]) -> None:
    assert {violation.rule for violation in at_rest(replace(WELL, **planted))} == {rule}


@pytest.mark.parametrize(
    "excused",
    [
        replace(WELL, owners=[not_ready("SecretLost")], secrets=[FOREIGN], lost={"u1"}),
        replace(WELL, owners=[not_ready("KeyRevokedExternally")], keys=[], revoked={"SK1"}),
        Rest([Owner("u2", "ns/theirs", reason="SecretNameConflict")], [FOREIGN], foreign={"f1": "their digest"}),
    ],
)
def test_what_people_did_is_no_violation(excused: Rest) -> None:
    assert at_rest(excused) == []


OPEN = Owner("u1", "ns/app", reason="Progressing", issue=(1, 1))
SECOND = Published(epoch=2, nonce="b" * 32, key="SK2", secret_uid="s2")
AGAIN = replace(READY, issue=(2, 1), published=SECOND)
LIFE = [Change(OPEN), Change(HELD), Change(READY), Change(HELD, gone=True), Change(replace(READY, issue=(2, 1)))]
LIFE += [Change(replace(HELD, uid="s2", key="SK2", epoch=2, digest="other")), Change(AGAIN)]


def test_a_life_with_a_lost_secret_breaks_no_rule() -> None:
    assert over_time(LIFE, {"SK1": "12:00"}, []) == []


def test_a_key_of_what_is_deleted_may_be_revoked() -> None:
    for end in (Change(replace(READY, deleting=True)), Change(READY, gone=True)):
        assert over_time([Change(READY), end], {"SK1": "12:00"}, []) == []


@pytest.mark.parametrize(
    ("rule", "changes", "revoked"),
    [
        ("written-once", [Change(HELD), Change(replace(HELD, digest="another"))], {}),
        ("written-once", [Change(FOREIGN), Change(replace(FOREIGN, digest="another"))], {}),
        ("complete-or-absent", [Change(replace(HELD, key=None))], {}),
        ("counters-grow", [Change(replace(OPEN, issue=(1, 2))), Change(OPEN)], {}),
        ("counters-grow", [Change(OPEN), Change(replace(OPEN, issue=None))], {}),
        ("counters-grow", [Change(READY), Change(replace(READY, published=None))], {}),
        ("one-per-epoch", [Change(READY), Change(replace(READY, published=replace(SECOND, epoch=1)))], {}),
        ("recorded-lives", [Change(READY)], {"SK1": "12:00"}),
        ("recorded-lives", LIFE, {"SK2": "12:00"}),
    ],
)
def test_what_is_planted_over_time_is_found(rule: str, changes: list[Change], revoked: dict[str, str]) -> None:
    assert {violation.rule for violation in over_time(changes, revoked, [])} == {rule}


def test_a_recorded_key_that_people_revoked_is_no_violation() -> None:
    assert over_time([Change(READY)], {"SK1": "12:00"}, ["SK1"]) == []


def test_a_violation_says_what_was_found_and_where() -> None:
    (violation,) = at_rest(replace(WELL, keys=[LIVE, Key("SK2", "u1", "ns/app", epoch=2)]))
    assert str(violation) == "no-orphans: ns/app: key SK2 (epoch 2) lives, recorded is SK1"


def test_a_verb_that_changes_a_secret_is_found() -> None:
    assert list(secrets_are_created_and_deleted_only({"get", "create", "delete"})) == []
    (violation,) = secrets_are_created_and_deleted_only({"get", "patch"})
    assert violation.found == "the operator used 'patch'"


def test_a_panic_is_found_and_an_unreachable_cluster_is_none() -> None:
    assert list(operators_do_not_panic({1: 3})) == []
    assert [violation.rule for violation in operators_do_not_panic({101: 1, 1: 1})] == ["no-panics"]
