"""In every state an object says what a person would expect: to Flux and Helm by kstatus, to Argo CD by our Lua."""

from __future__ import annotations

import copy

import pytest
import yaml

from e2e.world import World
from gitops.judges import HEALTH, health_of, kstatus_of
from gitops.states import OURS, States
from harness import paths
from harness.kube import Object, condition

# What a person would expect: for Flux and Helm, for Argo CD.
EXPECTED = {
    "fresh": ("InProgress", "Progressing"),
    "changed": ("InProgress", "Progressing"),
    "corrected": ("InProgress", "Progressing"),
    "progressing": ("InProgress", "Progressing"),
    "ready": ("Current", "Healthy"),
    "blocked": ("Failed", "Degraded"),
    "deleting": ("Terminating", "Progressing"),
    "held": ("Terminating", "Progressing"),
}
CASES = [(kind, state) for kind in OURS for state in EXPECTED]
ALSO = {
    ("StorageUser", "suspended"): ("Current", "Healthy"),
    ("AccessKey", "lost"): ("Failed", "Degraded"),
    ("StorageUser", "withdrawn"): ("Failed", "Degraded"),
    ("AccessKey", "withdrawn"): ("Failed", "Degraded"),
}
Recorded = dict[tuple[str, str], Object]
PATCH = paths.REPOSITORY / "deploy" / "argocd" / "argocd-cm.yaml"


@pytest.fixture(scope="module")
def recorded(module_world: World) -> Recorded:
    return States(module_world).record()


@pytest.fixture(scope="module")
def config(module_world: World) -> Object:
    """The ConfigMap of an Argo CD after our patch, as the documentation says."""
    kube = module_world.kube
    before = {"name": "argocd-cm", "namespace": module_world.ns}
    kube.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": before, "data": {"url": "https://cd.example.com"}})
    where = ("-n", module_world.ns, "configmap", "argocd-cm")
    kube.kubectl("patch", *where, "--type", "merge", "--patch-file", str(PATCH))
    found: Object = yaml.safe_load(kube.kubectl("get", *where, "-o", "yaml"))
    assert found["data"]["url"] == "https://cd.example.com"
    return found


def expected(kind: str, state: str) -> tuple[str, str]:
    return ALSO.get((kind, state)) or EXPECTED[state]


@pytest.mark.parametrize(("kind", "state"), [*CASES, *ALSO])
def test_flux_and_helm_see_it_as_it_is(recorded: Recorded, kind: str, state: str) -> None:
    (said,) = kstatus_of([recorded[kind, state]])
    assert said.status == expected(kind, state)[0]


@pytest.mark.parametrize(("kind", "state"), [*CASES, *ALSO])
def test_argo_cd_sees_it_as_it_is(recorded: Recorded, config: Object, kind: str, state: str) -> None:
    (said,) = health_of([recorded[kind, state]], config)
    assert said.status == expected(kind, state)[1]


def test_a_published_secret_is_there_for_flux_as_soon_as_it_exists(recorded: Recorded) -> None:
    """It exists only with all of its entries, so its existence is what to wait for."""
    assert [said.status for said in kstatus_of([recorded["Secret", "ready"]])] == ["Current"]


def test_argo_cd_shows_what_the_condition_says(recorded: Recorded, config: Object) -> None:
    for kind, state, of in (
        *((kind, "blocked", "Stalled") for kind in OURS),
        *((kind, "progressing", "Ready") for kind in OURS),
        *((kind, "ready", "Ready") for kind in OURS),
        ("StorageUser", "suspended", "Suspended"),
    ):
        found = recorded[kind, state]
        there = condition(found, of)
        assert there is not None
        (said,) = health_of([found], config)
        assert said.message == f"{there['reason']}: {there['message']}"


def test_a_hook_that_is_being_deleted_says_what_it_waits_for(recorded: Recorded, config: Object) -> None:
    found = copy.deepcopy(recorded["Bucket", "held"])
    assert health_of([found], config)[0].message == "Pending deletion"
    found["metadata"]["finalizers"].append("argocd.argoproj.io/hook-finalizer")
    (said,) = health_of([found], config)
    assert (said.status, said.message.partition(":")[0]) == ("Progressing", "BucketNotEmpty")


def without(found: Object, *kinds: str) -> Object:
    """The object without some of its conditions."""
    copied = copy.deepcopy(found)
    conditions = copied["status"]["conditions"]
    copied["status"]["conditions"] = [one for one in conditions if one["type"] not in kinds]
    return copied


def test_the_tests_would_see_a_new_object_without_a_status(recorded: Recorded, config: Object) -> None:
    """The default of `status.observedGeneration` is what keeps a new object from being taken for a finished one."""
    bare = [{name: part for name, part in recorded[kind, "fresh"].items() if name != "status"} for kind in OURS]
    assert {said.status for said in kstatus_of(bare)} == {"Current"}
    assert {said.status for said in health_of(bare, config)} == {"Progressing"}


def test_the_tests_would_see_a_refusal_that_looks_like_work(recorded: Recorded, config: Object) -> None:
    mild = [without(recorded[kind, "blocked"], "Stalled") for kind in OURS]
    assert {said.status for said in kstatus_of(mild)} == {"InProgress"}
    assert {said.status for said in health_of(mild, config)} == {"Progressing"}


@pytest.mark.parametrize(
    "check",
    [
        "status.observedGeneration ~= obj.metadata.generation",
        "held.Stalled ~= nil",
        'held.Ready ~= nil and held.Ready.status == "True"',
    ],
)
def test_argo_cd_needs_every_check_of_the_script(recorded: Recorded, config: Object, check: str) -> None:
    weaker = copy.deepcopy(config)
    for name, script in config["data"].items():
        if name.startswith(HEALTH):
            assert check in script
            weaker["data"][name] = script.replace(check, "false")
    said = health_of([recorded[case] for case in CASES], weaker)
    assert [one.status for one in said] != [EXPECTED[state][1] for _, state in CASES]


def test_a_kind_without_a_script_has_no_health(recorded: Recorded, config: Object) -> None:
    """What the tests would see if one of our kinds were forgotten."""
    less = copy.deepcopy(config)
    del less["data"][f"{HEALTH}storekeeper.dev_Bucket"]
    assert [said.status for said in health_of([recorded["Bucket", "ready"]], less)] == [""]


def test_the_page_says_the_same() -> None:
    page = (paths.REPOSITORY / "docs" / "gitops.md").read_text().partition("|---|---|---|---|---|\n")[2]
    rows = [line.strip("| ").split("|") for line in page.partition("\n\n")[0].splitlines()]
    told = [(row[3].strip(), row[4].strip().partition(",")[0]) for row in rows]
    users = {state: words for (kind, state), words in ALSO.items() if kind == "StorageUser"}
    states = ("fresh", "changed", "progressing", "ready", "suspended", "blocked", "withdrawn", "deleting", "held")
    assert told == [(EXPECTED | users)[state] for state in states]
