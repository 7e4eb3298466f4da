"""Negative controls, on real parts: each invariant is broken by hand, and must be said to be broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from faults import scenario
from faults.evidence import opens
from faults.invariants import DELETED, PUBLISHED
from faults.journal import NOT_INJECTED, VIOLATED, Journal
from faults.plans import Injection, Plan
from faults.runner import Runner
from faults.sabotage import (
    create_it_again_as_the_operator,
    invariants_of,
    recorded_key,
    secret_change,
    status_change,
    status_of,
)
from faults.scenario import Scenario
from faults.site import Site
from faults.stores import NAME_LABEL, WatchedManagement, WatchedStore
from harness.lane import Lane
from harness.proxy import Fault

_names = (f"c{number:05d}" for number in range(1, 100_000))


@pytest.fixture
def lane(site: Site) -> Lane[WatchedStore]:
    """A lane of class A3."""
    return next(lane for provider_class, lane in site.lanes if provider_class == "A3")


@pytest.fixture
def published(lane: Lane[WatchedStore]) -> Iterator[Scenario]:
    """A published key that nothing has happened to; the operator is stopped, so that nothing heals."""
    made = Scenario(lane, Plan((), "A3", "Delete"), next(_names))
    try:
        assert made.publish() == []
        lane.operator.stop()
        issue = status_of(made)["issue"]
        yield made
        # Else the deletion waits for the attempt that was made up.
        if lane.kube.find("AccessKey", made.name, lane.name) is not None:
            status_change({"issue": issue})(made)
    finally:
        made.clean_up()


def revoke_the_recorded_key(made: Scenario) -> None:
    made.lane.store.revoke(recorded_key(made))


def mint(made: Scenario) -> str:
    """A key with the object's mark, made behind the operator's back."""
    assert isinstance(made.lane.store, WatchedManagement)
    management = made.lane.store.management
    keys = management.access_keys(label=f"{NAME_LABEL}:{made.name}")
    labels = {**keys[0]["labels"], "storekeeper.dev/epoch": "9", "storekeeper.dev/nonce": "9" * 32}
    body = {"userId": keys[0]["userId"], "permission": "ReadWrite", "labels": labels}
    answer: dict[str, str] = management.call("POST", "/v1/accessKeys", body)
    return answer["accessKeyId"]


def mint_and_revoke(made: Scenario) -> None:
    made.lane.store.revoke(mint(made))


def change_the_neighbour(made: Scenario) -> None:
    made.lane.kube.patch("Secret", made.subject.neighbour_name, {"stringData": {"some": "other"}}, made.lane.name)


@pytest.mark.parametrize(
    ("sabotage", "expected"),
    [
        pytest.param(secret_change({"data": {"AWS_SECRET_ACCESS_KEY": None}}), {"I1", "I2"}, id="an entry is missing"),
        pytest.param(secret_change({"stringData": {"more": "x"}}), {"I2"}, id="the Secret was changed"),
        pytest.param(
            secret_change({"metadata": {"annotations": {"storekeeper.dev/access-key-id": "SKOTHER"}}}),
            {"I1", "I2", "Ready"},
            id="the Secret is marked with another key",
        ),
        pytest.param(create_it_again_as_the_operator, {"I2", "Ready"}, id="the Secret was created twice"),
        pytest.param(revoke_the_recorded_key, {"I3", "I4"}, id="the recorded key was revoked"),
        pytest.param(mint, {"I4", "I5"}, id="the provider has another key"),
        pytest.param(mint_and_revoke, {"I5"}, id="a key too many was made"),
        pytest.param(change_the_neighbour, {"I6"}, id="the Secret nearby was changed"),
        pytest.param(
            status_change({"published": {"accessKeyId": "SKDEAD"}}), {"I4", "Ready"}, id="the status names a dead key"
        ),
        pytest.param(status_change({"issue": {"open": True}}), {"Ready"}, id="an attempt is open"),
        pytest.param(status_change({"observedGeneration": 0}), {"Ready"}, id="the status is of another generation"),
        pytest.param(status_change({"issue": {"attempt": 3}}), {"I5"}, id="too many attempts"),
    ],
)
def test_a_violation_is_said(published: Scenario, sabotage: Callable[[Scenario], None], expected: set[str]) -> None:
    assert published.judge(PUBLISHED) == []
    sabotage(published)
    assert invariants_of(published.judge(PUBLISHED)) == expected


def test_a_pair_that_does_not_open_the_store_is_said(published: Scenario) -> None:
    assert published.unusable() == []
    revoke_the_recorded_key(published)
    assert invariants_of(published.unusable()) == {"usable"}


def test_a_key_that_is_ready_too_early_is_said(published: Scenario) -> None:
    assert published.lie() == []
    status_change({"published": {"accessKeyId": mint(published)}})(published)
    assert invariants_of(published.lie()) == {"too early"}
    revoke_the_recorded_key(published)
    assert invariants_of(published.lie()) == {"too early"}


def test_a_replaced_pair_that_still_opens_the_store_is_said(published: Scenario) -> None:
    stored = published.lane.etcd.secret(published.lane.name, published.name)
    assert stored is not None
    published.subject.formerly.append(stored.entries)
    assert invariants_of(published.unusable()) == {"usable"}


def test_what_is_left_over_after_all_is_said(site: Site, published: Scenario) -> None:
    space = published.lane.name
    left = site.leftovers()
    assert {f"/registry/secrets/{space}/{published.name}", f"{space}: key {recorded_key(published)}"} <= set(left)
    published.clean_up()
    assert site.leftovers() == []


def test_what_a_deletion_leaves_is_said(published: Scenario) -> None:
    """The finalizer is torn off by hand: the key is left, until garbage collection so is the Secret."""
    kube, name, space = published.lane.kube, published.name, published.lane.name
    kube.delete("AccessKey", name, space)
    assert invariants_of(published.judge(DELETED)) == {"deleted"}
    kube.patch("AccessKey", name, {"metadata": {"finalizers": None}}, space)
    kube.wait_gone("AccessKey", name, space)
    found = published.judge(DELETED)
    assert invariants_of(found) == {"deleted"}
    assert any("the provider still has" in violation for violation in found)


def test_a_retained_key_or_secret_that_goes_is_said(lane: Lane[WatchedStore]) -> None:
    made = Scenario(lane, Plan((), "A3", "Retain"), next(_names))
    try:
        assert made.publish() == []
        assert made.remove() == []
        stored = lane.etcd.secret(lane.name, made.name)
        assert stored is not None
        lane.store.revoke(stored.entries["AWS_ACCESS_KEY_ID"])
        assert invariants_of(made.judge(DELETED)) == {"deleted"}
        lane.kube.delete("Secret", made.name, lane.name)
        assert invariants_of(made.judge(DELETED)) == {"deleted"}
    finally:
        made.clean_up()


def test_a_key_that_is_revoked_before_there_is_another_is_said(published: Scenario) -> None:
    """As if the key that was replaced had been revoked first: the revocation comes before the newer key's creation."""
    lane = published.lane
    replaced = mint(published)
    lane.store.revoke(replaced)
    published.subject.formerly.append({"AWS_ACCESS_KEY_ID": replaced})
    newer = mint(published)
    status_change({"published": {"accessKeyId": newer}})(published)
    assert any(one.startswith(f"I3: the key {replaced}") for one in published.judge(PUBLISHED))


def test_an_operator_that_ends_by_itself_is_said(lane: Lane[WatchedStore]) -> None:
    made = Scenario(lane, Plan((), "A3", "Delete"), next(_names))
    try:
        lane.operator.kill()
        assert invariants_of(made.publish()) == {"alive"}
    finally:
        made.clean_up()


def test_without_a_fault_one_key_is_made_at_the_first_attempt(lane: Lane[WatchedStore]) -> None:
    """What the matrix recovers from does not happen by itself: with no fault nothing is spare."""
    made = Scenario(lane, Plan((), "A3", "Delete"), next(_names))
    try:
        assert made.publish() == []
        assert status_of(made)["issue"]["attempt"] == 1
        assert len(made.lane.store.proxy.seen("mint")) == 1
        assert made.remove() == []
    finally:
        made.clean_up()


def test_a_plan_in_a_sabotaged_world_fails(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole way through the runner: somebody changes the Secret as soon as it is there."""
    undisturbed = Scenario.rest

    def rest(self: Scenario, rules: Any) -> list[str]:
        self._until(lambda: self.lane.kube.find("Secret", self.name, self.lane.name) is not None, "the Secret")
        secret_change({"stringData": {"more": "x"}})(self)
        return undisturbed(self, rules)

    monkeypatch.setattr(Scenario, "rest", rest)
    monkeypatch.setattr(scenario, "DEADLINE", 5.0)
    plan = Plan((Injection("post-secret", Fault.DROP_AFTER),), "A3", "Delete")
    journal = Journal(tmp_path / "journal.jsonl", "any")
    Runner(site, journal, "any", lambda _: None).run([plan])
    entry = journal.entries[plan.id]
    assert (entry.result, entry.faults) == (VIOLATED, 1)
    assert any(detail.startswith("I2:") for detail in entry.details)


def test_a_fault_that_is_not_hit_is_no_pass(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenario, "REACHED", 3.0)
    plan = Plan((Injection("mint", Fault.DROP_AFTER, occurrence=9),), "A3", "Delete")
    journal = Journal(tmp_path / "journal.jsonl", "any")
    Runner(site, journal, "any", lambda _: None).run([plan])
    assert journal.entries[plan.id].result == NOT_INJECTED


def test_the_pair_of_another_key_opens_nothing(lane: Lane[WatchedStore], published: Scenario) -> None:
    """`opens` asks the store, and believes no one else."""
    stored = lane.etcd.secret(lane.name, published.name)
    assert stored is not None
    assert opens(lane, stored.entries)
    assert not opens(lane, {**stored.entries, "AWS_SECRET_ACCESS_KEY": "x" * 40})
