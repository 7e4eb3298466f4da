"""What the witness at the revocations calls wrong, and what it lets pass."""

from __future__ import annotations

from dataclasses import replace

import pytest

from soak.facts import Key, Owner, Published, Secret
from soak.witness import judge

KEY = Key("SK2", "u1", "ns/app", epoch=2)
RECORDED = Owner("u1", "ns/app", published=Published(2, "b" * 32, "SK2", "s2"))
BEFORE = Owner("u1", "ns/app", issue=(2, 1), published=Published(1, "a" * 32, "SK1", "s1"))
AFTER = Owner("u1", "ns/app", published=Published(2, "c" * 32, "SK3", "s3"))
HOLDS = Secret("s2", "ns/app", "digest", owner="u1", epoch=2, key="SK2")


@pytest.mark.parametrize(
    ("rule", "owner", "secret"),
    [
        ("recorded-lives", RECORDED, HOLDS),
        ("recorded-lives", RECORDED, None),
        ("published-lives", BEFORE, HOLDS),
        ("published-lives", replace(BEFORE, published=None), HOLDS),
    ],
)
def test_a_key_that_may_be_in_use_must_not_be_revoked(rule: str, owner: Owner, secret: Secret | None) -> None:
    wrong = judge(KEY, owner, secret)
    assert wrong is not None and wrong.rule == rule


@pytest.mark.parametrize(
    ("owner", "secret"),
    [
        (None, None),
        (replace(RECORDED, uid="u2"), HOLDS),
        (replace(RECORDED, deleting=True), HOLDS),
        (AFTER, HOLDS),
        (BEFORE, None),
        (BEFORE, replace(HOLDS, key="SK1")),
    ],
)
def test_garbage_and_keys_of_what_is_deleted_may_be_revoked(owner: Owner | None, secret: Secret | None) -> None:
    assert judge(KEY, owner, secret) is None
