"""A manifest that changes what must not change, or that is wrong, applied by force: which keys in use survive that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from admission.cluster import install_policies
from e2e.world import World, of_kind
from gitops.reapply import Live, Tools
from harness import paths
from harness.installation import Installation
from harness.kube import Object, condition
from harness.running import started
from harness.waiting import until

NS = "team-a"
PROTECTED = {"storekeeper.dev/prevent-deletion": "true"}
IDENTITY: list[dict[str, Any]] = [
    {"userRef": {"name": "other"}},
    {"permission": "Write"},
    {"bucketRefs": [{"name": "data"}]},
    {"secret": {"name": "another"}},
]
IDS = ["user", "permission", "buckets", "secret"]
# Wrong by the schema: the API server answers 422.
MISTAKE = {"permission": "Everything"}


def key(name: str, namespace: str, annotations: dict[str, str] | None = None, **spec: Any) -> Object:
    """The manifest of a key."""
    full = {"userRef": {"name": "app"}, "permission": "ReadWrite", **spec}
    made = of_kind("AccessKey", name, namespace, full)
    made["metadata"]["annotations"] = annotations or {}
    return made


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation with the policies, a Tenant, its namespace, two users and a bucket."""
    with started(Installation(tmp_path_factory.mktemp("guarded"))) as made:
        kube = made.kube
        install_policies(kube, paths.POLICIES, paths.POLICIES / "mutating")
        metadata = {"name": NS, "labels": {"storekeeper.dev/tenant": "acme"}}
        kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        kube.create(of_kind("Tenant", "acme", None, {"allowedNamespaces": {"names": [NS]}}))
        for user in ("app", "other"):
            kube.create(of_kind("StorageUser", user, NS, {"tenantRef": {"name": "acme"}}))
        kube.create(of_kind("Bucket", "data", NS, {"userRef": {"name": "app"}}))
        for kind, name in (("StorageUser", "app"), ("StorageUser", "other"), ("Bucket", "data")):
            kube.wait_ready(kind, name, NS)
        yield made


def published(installation: Installation, manifest: Object) -> Live:
    """The key of a manifest, applied as Flux does and in use."""
    assert not Tools(installation).flux(manifest).refused
    name, namespace = manifest["metadata"]["name"], manifest["metadata"]["namespace"]
    installation.kube.wait_ready("AccessKey", name, namespace)
    return Live(installation, namespace, name)


def deletions(installation: Installation, since: int, name: str) -> list[int]:
    """What the API server answered to every deletion of an AccessKey of that name."""
    calls = installation.audit.calls(since, containing=f'"{name}"')
    return [call.code for call in calls if call.verb == "delete" and call.resource == "accesskeys"]


@pytest.mark.parametrize("change", IDENTITY, ids=IDS)
def test_a_forced_change_of_identity_is_refused_and_the_key_lives(
    guarded: Installation, change: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    name = f"identity-{IDS[IDENTITY.index(change)]}"
    live, tools, since = published(guarded, key(name, NS)), Tools(guarded), guarded.audit.position()
    changed = key(name, NS, **change)
    for done in (
        tools.flux(changed, force=True),
        tools.argo(changed, "Force=true"),
        tools.argo(changed, "Replace=true"),
    ):
        assert done.refused
        assert "must not change" in done.said
    assert live.is_untouched()
    assert deletions(guarded, since, name) == []


@pytest.mark.parametrize(
    ("kind", "name", "change"),
    [("StorageUser", "app", {"login": "another"}), ("Bucket", "data", {"name": "another"})],
    ids=["user", "bucket"],
)
def test_a_forced_change_of_a_user_or_bucket_is_refused(
    guarded: Installation, kind: str, name: str, change: dict[str, Any]
) -> None:
    before = guarded.kube.get(kind, name, NS)
    spec = {"tenantRef": {"name": "acme"}} if kind == "StorageUser" else {"userRef": {"name": "app"}}
    done = Tools(guarded).flux(of_kind(kind, name, NS, {**spec, **change}), force=True)
    assert done.refused
    assert "must not change" in done.said
    assert guarded.kube.get(kind, name, NS)["metadata"]["uid"] == before["metadata"]["uid"]


def test_a_mistake_under_force_does_not_delete_a_protected_key(guarded: Installation) -> None:
    """Any 422 is answered by a deletion: that is where the annotation stands in the way."""
    live, since = published(guarded, key("protected", NS, PROTECTED)), guarded.audit.position()
    tools = Tools(guarded)
    for done in (
        tools.flux(key("protected", NS, PROTECTED, **MISTAKE), force=True),
        tools.argo(key("protected", NS, PROTECTED), "Replace=true", "Force=true"),
    ):
        assert done.refused
        assert "prevent-deletion" in done.said
    assert live.is_untouched()
    assert deletions(guarded, since, "protected") == [403, 403]


def test_a_mistake_under_force_revokes_a_key_that_is_not_protected(guarded: Installation) -> None:
    """Why the annotation is there: this is what Flux does of itself."""
    live = published(guarded, key("bare", NS))
    done = Tools(guarded).flux(key("bare", NS, **MISTAKE), force=True)
    assert done.refused
    assert guarded.kube.find("AccessKey", "bare", NS) is None
    assert not live.works()


def test_replace_with_force_revokes_a_key_that_is_not_protected(guarded: Installation) -> None:
    """Argo CD deletes first and asks nobody whether it must, even where nothing has changed."""
    live = published(guarded, key("replaced", NS))
    done = Tools(guarded).argo(key("replaced", NS), "Replace=true", "Force=true")
    assert not done.refused
    guarded.kube.wait_ready("AccessKey", "replaced", NS)
    assert not live.works()


def put(installation: Installation, namespace: str) -> None:
    """`Replace=true` alone is a PUT of the manifest, which names no finalizer."""
    live = published(installation, key("put", namespace))
    assert not Tools(installation).argo(key("put", namespace, description="as before"), "Replace=true").refused

    def finalized() -> bool:
        found = installation.kube.get("AccessKey", "put", namespace)["metadata"]
        return "storekeeper.dev/cleanup" in found.get("finalizers", [])

    until(finalized, "the finalizer to be back")
    installation.kube.wait_ready("AccessKey", "put", namespace)
    assert live.is_untouched()


def test_a_replaced_object_keeps_its_key_and_gets_its_finalizer_back(guarded: Installation) -> None:
    put(guarded, NS)


def test_without_policies_a_replaced_object_keeps_its_key_too(world: World) -> None:
    world.user()
    put(world.installation, world.ns)


def test_what_has_not_changed_is_not_applied_again(guarded: Installation) -> None:
    """Defaults, the finalizer and the status are no drift."""
    manifest = key("still", NS)
    published(guarded, manifest)
    assert Tools(guarded).flux(manifest).said.split() == ["unchanged"]
    assert Tools(guarded).flux(key("still", NS, description="new")).said.split() == ["configured"]


@pytest.mark.parametrize("change", IDENTITY, ids=IDS)
def test_without_policies_the_operator_refuses_and_the_key_lives(world: World, change: dict[str, Any]) -> None:
    world.user()
    world.user("other")
    world.bucket()
    world.ready("Bucket", "data")
    before = key("key", world.ns)
    live, tools = published(world.installation, before), Tools(world.installation)
    since = world.installation.audit.position()
    assert not tools.flux(key("key", world.ns, **change), force=True).refused
    world.reason("AccessKey", "key", "IdentityChanged")
    assert condition(world.get("AccessKey", "key"), "Stalled") is not None
    assert live.is_untouched()
    assert not tools.flux(before, force=True).refused
    world.ready("AccessKey", "key")
    assert live.is_untouched()
    assert deletions(world.installation, since, "key") == []


def test_without_policies_nothing_protects_a_key_from_a_forced_mistake(world: World) -> None:
    world.user()
    live = published(world.installation, key("key", world.ns, PROTECTED))
    assert Tools(world.installation).flux(key("key", world.ns, PROTECTED, **MISTAKE), force=True).refused
    assert world.kube.find("AccessKey", "key", world.ns) is None
    assert not live.works()
