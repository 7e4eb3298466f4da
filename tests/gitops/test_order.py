"""The examples for Flux and Argo CD: each object comes after what it refers to, and each step can be waited for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from gitops.consumers import Wanted, wanted_by
from gitops.judges import health_of, kstatus_of
from gitops.kustomize import kustomize
from gitops.reapply import Tools
from harness import paths
from harness.installation import Installation
from harness.kube import KINDS, Object
from harness.waiting import until

FOLDER = paths.REPOSITORY / "examples" / "gitops"
ARGO = paths.REPOSITORY / "deploy" / "argocd" / "argocd-cm.yaml"
WAVE = "argocd.argoproj.io/sync-wave"
# What a field of ours refers to.
REFERENCES = {"tenantRef": "Tenant", "accountRef": "StorageAccount", "userRef": "StorageUser", "bucketRefs": "Bucket"}
Key = tuple[str, str]


def documents(*parts: str) -> list[Object]:
    return list(yaml.safe_load_all(FOLDER.joinpath(*parts).read_text()))


def key(one: Object) -> Key:
    return one["kind"], one["metadata"]["name"]


def references(one: Object) -> set[Key]:
    """What an object needs before it can be Ready, its namespace included."""
    found = {("Namespace", one["metadata"]["namespace"])} if "namespace" in one["metadata"] else set()
    if "storekeeper.dev" in one["apiVersion"]:
        for field, kind in REFERENCES.items():
            named = one["spec"].get(field, [])
            found |= {(kind, each["name"]) for each in (named if isinstance(named, list) else [named])}
    else:
        found |= {("AccessKey", wanted.secret) for wanted in wanted_by([one])}
    return found


def wave(one: Object) -> int:
    return int(one["metadata"].get("annotations", {}).get(WAVE, "0"))


def argo_paths() -> list[Path]:
    return [paths.REPOSITORY / one["spec"]["source"]["path"] for one in documents("argocd", "applications.yaml")]


def too_early(builds: list[list[Object]]) -> list[tuple[Key, Key]]:
    """Objects that are not in a later wave, or a later Application, than what they refer to."""
    when = {key(one): (number, wave(one)) for number, build in enumerate(builds) for one in build}
    refer = [(key(one), other) for build in builds for one in build for other in references(one)]
    assert all(other in when for _, other in refer), "every reference must lead somewhere"
    return [(one, other) for one, other in refer if when[one] <= when[other]]


def test_argo_cd_syncs_what_is_referred_to_first() -> None:
    builds = [kustomize(path) for path in argo_paths()]
    assert sum(len(references(one)) for build in builds for one in build) > 8
    assert too_early(builds) == []
    for build in builds:
        for one in build:
            one["metadata"].get("annotations", {}).pop(WAVE, None)
    assert len(too_early(builds)) > 3, "without the waves the test must see the difference"


def kustomizations() -> list[Object]:
    found = [one for name in ("platform.yaml", "team-a.yaml") for one in documents("flux", name)]
    return [one for one in found if one["kind"] == "Kustomization"]


def built(one: Object) -> list[Object]:
    return kustomize(paths.REPOSITORY / one["spec"]["path"])


def before(one: Object, among: dict[str, Object]) -> set[str]:
    """The names of all Kustomizations that one depends on, directly or not."""
    direct = {each["name"] for each in one["spec"].get("dependsOn", [])}
    return direct.union(*(before(among[name], among) for name in direct))


def unordered(among: list[Object]) -> list[tuple[str, Key]]:
    """References into Kustomizations that are not waited for."""
    by_name = {one["metadata"]["name"]: one for one in among}
    where = {key(each): name for name, one in by_name.items() for each in built(one)}
    return [
        (name, other)
        for name, one in by_name.items()
        for each in built(one)
        for other in references(each)
        if where[other] not in before(one, by_name) | {name}
    ]


def test_flux_waits_for_what_is_referred_to() -> None:
    among = kustomizations()
    assert unordered(among) == []
    for one in among:
        one["spec"].pop("dependsOn", None)
    assert len(unordered(among)) > 3, "without the order the test must see the difference"


def test_flux_checks_what_is_there_to_be_checked() -> None:
    """Whoever is depended on says how it is known to be ready; a Secret is one that an AccessKey publishes."""
    among = kustomizations()
    for one in among:
        there = {key(each) for each in built(one)}
        there |= {("Secret", name) for kind, name in there if kind == "AccessKey"}
        checks = [(check["kind"], check["name"]) for check in one["spec"].get("healthChecks", [])]
        assert bool(checks) != bool(one["spec"].get("wait")), (
            "Flux ignores `healthChecks` where it waits for everything"
        )
        assert set(checks) <= there
    assert ("Secret", "web-s3") in {
        (c["kind"], c["name"]) for one in among for c in one["spec"].get("healthChecks", [])
    }


def test_nothing_is_forced() -> None:
    assert not any(one["spec"].get("force") for one in kustomizations())
    for one in documents("argocd", "applications.yaml"):
        assert not {"Replace=true", "Force=true"} & set(one["spec"]["syncPolicy"]["syncOptions"])


@pytest.fixture
def tidied(installation: Installation) -> Iterator[Installation]:
    """The examples' names are free, and are so again afterwards. The account is that of the tests."""
    yield installation
    kube = installation.kube
    for kind in ("AccessKey", "Bucket", "StorageUser"):
        for name in [one["metadata"]["name"] for one in kube.items(kind, "team-a")]:
            if kind == "Bucket":
                # One that is retained would keep its user, and that its Tenant.
                kube.patch(kind, name, {"spec": {"deletionPolicy": "Delete"}}, "team-a")
            kube.delete(kind, name, "team-a")
            kube.wait_gone(kind, name, "team-a")
    kube.delete("Namespace", "team-a")
    kube.wait_gone("Namespace", "team-a", deadline=60)
    kube.delete("Tenant", "acme")
    kube.wait_gone("Tenant", "acme", deadline=60)


def live(installation: Installation, one: Object) -> Object:
    metadata = one["metadata"]
    return installation.kube.get(one["kind"], metadata["name"], metadata.get("namespace"))


def judged(objects: list[Object]) -> list[Object]:
    """Those of kinds that somebody here works on: there are no nodes, and the account is another."""
    return [one for one in objects if one["kind"] in KINDS and one["kind"] != "StorageAccount"]


def test_argo_cd_comes_through_all_waves(tidied: Installation) -> None:
    config = yaml.safe_load(ARGO.read_text())
    for path in argo_paths():
        objects = [one for one in kustomize(path) if one["kind"] != "StorageAccount"]
        for number in sorted({wave(one) for one in objects}):
            now = [one for one in objects if wave(one) == number]
            tidied.kube.apply(now)

            def well(now: list[Object] = now) -> bool:
                said = health_of([live(tidied, one) for one in judged(now)], config)
                return all(one.status in ("Healthy", "") for one in said)

            until(well, f"wave {number} to be healthy")
    assert Wanted("web-s3") in wanted_by(kustomize(argo_paths()[-1]))
    assert tidied.kube.get("Secret", "web-s3", "team-a")


def test_flux_comes_through_all_kustomizations(tidied: Installation) -> None:
    tools = Tools(tidied)
    for one in kustomizations():
        objects = [each for each in built(one) if each["kind"] != "StorageAccount"]
        for each in objects:
            done = tools.flux(each)
            assert not done.refused, done.said
        checks = [(check["kind"], check["name"], check["namespace"]) for check in one["spec"].get("healthChecks", [])]
        wait_current(tidied, checks or [(*key(each), each["metadata"].get("namespace")) for each in judged(objects)])
    assert tidied.kube.get("Secret", "web-s3", "team-a")


def wait_current(installation: Installation, checks: list[tuple[str, str, str | None]]) -> None:
    """As Flux waits: everything is there, and Current."""

    def well() -> bool:
        found = [installation.kube.find(kind, name, namespace) for kind, name, namespace in checks]
        there = [one for one in found if one is not None]
        return len(there) == len(checks) and all(said.status == "Current" for said in kstatus_of(there))

    until(well, f"{checks} to be Current")
