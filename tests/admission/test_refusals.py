"""Each policy: what it refuses, in which words, and that it alone does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from admission import cases_platform, cases_tenant
from admission.asks import Case, send
from admission.cluster import Cluster, canary
from admission.scene import Scene
from admission.test_installed import policies
from harness.kube import Refused

CASES = [*cases_tenant.CASES, *cases_platform.CASES]
DENIED = "denied request: "


@pytest.fixture(scope="module")
def scene(cluster: Cluster) -> Scene:
    return Scene(cluster).build()


@pytest.fixture(scope="module")
def without_policies(scene: Scene) -> Iterator[Scene]:
    """The same, with every binding taken away."""
    for one in policies():
        scene.root.delete("ValidatingAdmissionPolicyBinding", one["metadata"]["name"])
    canary(scene.root, present=False)
    try:
        yield scene
    finally:
        scene.cluster.install()


def names(case: Case) -> str:
    return f"{case.policy}: {case.says[:40]}"


def test_every_policy_has_a_case() -> None:
    assert {case.binding for case in CASES} == {one["metadata"]["name"] for one in policies()}


@pytest.mark.parametrize("dry", [True, False], ids=["dry-run", "real"])
@pytest.mark.parametrize("case", CASES, ids=names)
def test_what_is_forbidden_is_refused_with_403_and_says_whom_to_ask(scene: Scene, case: Case, dry: bool) -> None:
    with pytest.raises(Refused) as refused:
        send(scene.cluster, case.refused, dry=dry)
    assert refused.value.code == 403
    assert f"ValidatingAdmissionPolicy '{case.binding}' " in refused.value.message
    said = refused.value.message.partition(DENIED)[2]
    assert said.startswith(case.says), said


@pytest.mark.parametrize("case", [case for case in CASES if case.allowed], ids=names)
def test_what_is_allowed_goes_through(scene: Scene, case: Case) -> None:
    for ask in case.allowed:
        send(scene.cluster, ask)


@pytest.mark.parametrize("case", CASES, ids=names)
def test_without_its_binding_what_was_refused_goes_through(without_policies: Scene, case: Case) -> None:
    try:
        send(without_policies.cluster, case.refused)
    except Refused as refused:
        # It got as far as the name, which is taken.
        if refused.code != 409:
            raise
