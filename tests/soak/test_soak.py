"""A short soak, and the proof that its reckoning would have told: afterwards something is broken on purpose."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator

import pytest

from harness.http import session
from harness.kube import is_ready
from harness.running import started
from harness.waiting import until
from soak.facts import owner_of
from soak.soak import NAMESPACE, Settings, Soak

SEED = int(os.environ.get("STOREKEEPER_SEED", "4"))


@pytest.fixture
def soak(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Soak]:
    settings = Settings(SEED, duration=40, objects=60, mean_life=6, resync="8s", quiet=8, talks=False)
    with started(Soak(tmp_path_factory.mktemp("soak"), settings)) as made:
        yield made


def plant(soak: Soak) -> dict[str, str]:
    """Break one rule after another, with the operators dead; the rules by name, each with where it is broken."""
    made = soak.made
    ready = [one for one in made.kube.items("AccessKey", NAMESPACE) if is_ready(one)]
    spoilt, doubled, dead = (one["metadata"]["name"] for one in ready[:3])
    change = {"data": {"AWS_SECRET_ACCESS_KEY": base64.b64encode(b"another").decode()}}
    made.kube.patch("Secret", spoilt, change, NAMESPACE)
    published = [owner_of(one).published for one in ready]
    assert all(published)
    twin = made.management.call("GET", f"/v1/accessKeys/{published[1].key}")
    wish = {name: twin[name] for name in ("userId", "permission", "labels")}
    made.management.call("POST", "/v1/accessKeys", wish)
    revoke_as_an_operator_would(soak, published[2].key)
    return {
        "written-once": f"{NAMESPACE}/{spoilt}",
        "no-orphans": f"{NAMESPACE}/{doubled}",
        "ready-works": f"{NAMESPACE}/{dead}",
        "recorded-lives": f"{NAMESPACE}/{dead}",
    }


def revoke_as_an_operator_would(soak: Soak, key: str) -> None:
    """Through the proxy, where the witness stands."""
    made = soak.made
    through = session(made.certificates.ca, made.token)
    answer = through.delete(f"{made.management_proxy.endpoint}/v1/accessKeys/{key}", timeout=10)
    assert answer.status_code == 204


@pytest.mark.timeout(600)
def test_a_short_soak_breaks_no_rule_and_what_is_planted_is_found(
    soak: Soak, capsys: pytest.CaptureFixture[str]
) -> None:
    report = soak.fire()
    with capsys.disabled():
        print(f"\n{report.as_text()}")
    assert report.violations == []
    assert report.kills > 0 and report.answers_dropped and report.keys_made > report.live_keys > 0
    for operator in soak.operators:
        operator.kill()
    planted = plant(soak)
    found: set[tuple[str, str]] = set()

    def all_found() -> bool:
        found.update((violation.rule, violation.subject) for violation in soak.reckon())
        return set(planted.items()) <= found

    until(all_found, f"{planted} to be found", seen=lambda: found)
    # The spoilt Secret does not open the door either, and the dead key's revocation was seen by its witness.
    assert {rule for rule, _ in found} == set(planted)
