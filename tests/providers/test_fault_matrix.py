"""Class B in the fault matrix, on a real Garage: a sample of its plans, and negative controls of what is looked at.

`make faults` has all plans. These are here because the tests of the providers have Garage; those of `make test` do not.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from faults import plans
from faults.invariants import DELETED, PUBLISHED
from faults.plans import Plan
from faults.sabotage import create_it_again_as_the_operator, invariants_of, recorded_key, secret_change, status_change
from faults.sampling import all_hold
from faults.scenario import Scenario
from faults.site import Site
from faults.stores import WatchedGarage, WatchedStore
from harness.http import session
from harness.lane import Lane
from harness.running import started

LANES = 8

_names = (f"b{number:05d}" for number in range(1, 100_000))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with started(Site(tmp_path_factory.mktemp("site"), LANES, ("B",))) as made:
        print(f"logs of the site: {made.installation.logs}")
        yield made


@pytest.fixture
def lane(site: Site) -> Lane[WatchedStore]:
    return site.lanes[0][1]


@pytest.fixture
def published(lane: Lane[WatchedStore]) -> Iterator[Scenario]:
    """A published key that nothing has happened to; the operator is stopped, so that nothing heals."""
    made = Scenario(lane, Plan((), "B", "Delete"), next(_names))
    try:
        assert made.publish() == []
        lane.operator.stop()
        yield made
    finally:
        made.clean_up()


@pytest.mark.timeout(900)
def test_every_fault_and_every_step_of_class_b_leave_one_key_in_one_secret(site: Site, tmp_path: Path) -> None:
    all_hold(site, tmp_path, plans.sample_of_b())


def garage_of(made: Scenario) -> WatchedGarage:
    assert isinstance(made.lane.store, WatchedGarage)
    return made.lane.store


def ask(made: Scenario, operation: str, body: Any = None, **query: str) -> None:
    """What somebody with the operator's credentials does at Garage, past the proxy."""
    garage_of(made).garage.post(operation, body, **query)


def ask_as_the_operator(made: Scenario, operation: str, body: Any = None, **query: str) -> None:
    """The same through the proxy, as the operator itself would do it."""
    store = garage_of(made)
    _, credentials = store.provider()
    with session(store.certificates.ca, credentials["token"]) as asking:
        url = f"{store.proxy.endpoint}/v2/{operation}"
        asking.post(url, json=body, params=query, timeout=30).raise_for_status()


def name_of_the_key(made: Scenario) -> str:
    keys = garage_of(made).garage.all_keys()
    return next(key["name"] for key in keys if key["id"] == recorded_key(made))


def another_pair(made: Scenario) -> dict[str, str]:
    """A pair with the object's own mark."""
    return {
        "accessKeyId": f"GK{secrets.token_hex(12)}",
        "secretAccessKey": secrets.token_hex(32),
        "name": name_of_the_key(made),
    }


def bring_another(made: Scenario) -> None:
    ask(made, "ImportKey", another_pair(made))


def bring_another_and_revoke_it(made: Scenario) -> None:
    pair = another_pair(made)
    ask_as_the_operator(made, "ImportKey", pair)
    ask_as_the_operator(made, "DeleteKey", id=pair["accessKeyId"])


def revoke_the_recorded_key(made: Scenario) -> None:
    ask_as_the_operator(made, "DeleteKey", id=recorded_key(made))


def revoke_it_past_the_proxy(made: Scenario) -> None:
    ask(made, "DeleteKey", id=recorded_key(made))


def take_back_that_it_is_complete(made: Scenario) -> None:
    name = name_of_the_key(made).replace('"complete":true', '"complete":false')
    ask(made, "UpdateKey", {"name": name}, id=recorded_key(made))


@pytest.mark.parametrize(
    ("sabotage", "expected"),
    [
        pytest.param(bring_another, {"I4", "I5"}, id="Garage has another key, which the proxy never saw"),
        pytest.param(bring_another_and_revoke_it, {"I5"}, id="a key too many was made"),
        pytest.param(revoke_the_recorded_key, {"I3", "I4"}, id="the recorded key was revoked"),
        pytest.param(revoke_it_past_the_proxy, {"I4"}, id="somebody else revoked the recorded key"),
        pytest.param(take_back_that_it_is_complete, {"I4"}, id="the key is there by half"),
        pytest.param(create_it_again_as_the_operator, {"I2", "Ready"}, id="the Secret was created twice"),
        pytest.param(secret_change({"stringData": {"more": "x"}}), {"I2"}, id="the Secret was changed"),
        pytest.param(
            status_change({"published": {"accessKeyId": "GKDEAD"}}), {"I4", "Ready"}, id="the status names a dead key"
        ),
    ],
)
def test_a_violation_at_garage_is_said(
    published: Scenario, sabotage: Callable[[Scenario], None], expected: set[str]
) -> None:
    assert published.judge(PUBLISHED) == []
    sabotage(published)
    found = published.judge(PUBLISHED)
    assert invariants_of(found) == expected, found


def test_a_pair_that_garage_refuses_and_a_key_by_half_are_said(published: Scenario) -> None:
    assert published.unusable() == published.lie() == []
    take_back_that_it_is_complete(published)
    assert [violation.partition(":")[0] for violation in published.lie()] == ["too early"]
    revoke_the_recorded_key(published)
    assert [violation.partition(":")[0] for violation in published.unusable()] == ["usable"]


def test_what_a_plan_leaves_at_garage_is_said(site: Site, published: Scenario) -> None:
    space, key = published.lane.name, recorded_key(published)
    left = site.leftovers()
    assert {f"/registry/secrets/{space}/{published.name}", f"{space}: key {key}"} <= set(left)
    assert any(one.startswith(f"{space}: user ") for one in left), left
    published.clean_up()
    assert site.leftovers() == []


def test_without_a_fault_one_pair_is_brought_once(lane: Lane[WatchedStore]) -> None:
    made = Scenario(lane, Plan((), "B", "Delete"), next(_names))
    try:
        assert made.publish() == []
        assert [len(lane.store.proxy.seen(point)) for point in ("put", "put-rights", "revoke")] == [1, 1, 0]
        assert [event.access_key_id for event in lane.store.made(made.name, made.subject.sequence_from)] == [
            recorded_key(made)
        ]
        assert made.remove() == []
        assert made.judge(DELETED) == []
    finally:
        made.clean_up()
