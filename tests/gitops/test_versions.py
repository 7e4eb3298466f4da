"""From the first version of an object to the last: it never seems done before it is, nor failed while it is not."""

from __future__ import annotations

import itertools

from e2e.world import World
from gitops.judges import kstatus_of
from gitops.states import OURS
from gitops.versions import Versions
from harness.kube import Object
from harness.running import started
from harness.waiting import until


def words(versions: list[Object]) -> list[str]:
    """What kstatus says of the versions of an object, repetitions left out."""
    return [word for word, _ in itertools.groupby(said.status for said in kstatus_of(versions))]


def test_each_object_is_in_progress_then_current_then_terminating(empty_world: World) -> None:
    """Applied in the wrong order, each before what it refers to: nothing of that may look like a failure."""
    world, tenant = empty_world, f"{empty_world.ns}-late"
    with started(Versions(world.installation, world.ns, *OURS)) as versions:
        world.key("rw", user="app")
        world.key("for-loki", user="app", secret={"format": "Loki"})
        world.bucket("data", user="app", name="data")
        world.user("app", tenantRef={"name": tenant})
        account = f"{world.ns}-0"
        world.tenant(tenant, accountRef={"name": account})
        assert world.account() == account
        last_first = [("AccessKey", "rw"), ("AccessKey", "for-loki"), ("Bucket", "data"), ("StorageUser", "app")]
        last_first += [("Tenant", tenant), ("StorageAccount", account)]
        for kind, name in last_first:
            world.ready(kind, name)
        for kind, name in last_first:
            world.delete(kind, name)
            world.gone(kind, name)
        until(lambda: versions.gone.issuperset(last_first), "the last event", seen=lambda: versions.gone)
    for key in last_first:
        found = versions.seen[key]
        assert len(found) > 3, f"{key} must have been watched from the first version on"
        assert words(found) == ["InProgress", "Current", "Terminating"], key


def test_a_key_is_never_current_before_its_secret_is_there(world: World) -> None:
    with started(Versions(world.installation, world.ns, "AccessKey", "Secret")) as versions:
        world.user()
        world.key()
        world.ready("AccessKey", "key")
        until(lambda: versions.seen["Secret", "key"] and "Current" in words(versions.seen["AccessKey", "key"]), "both")
    keys = versions.seen["AccessKey", "key"]
    said = [one.status for one in kstatus_of(keys)]
    first = keys[said.index("Current")]
    (secret,) = versions.seen["Secret", "key"]
    # One counter numbers all writes of the cluster.
    assert int(secret["metadata"]["resourceVersion"]) < int(first["metadata"]["resourceVersion"])


def test_a_key_whose_bucket_comes_after_it_never_seems_to_have_failed(world: World) -> None:
    """The user is there already, and kubectl, Flux and Argo CD apply an AccessKey before a Bucket: by the alphabet."""
    world.user()
    world.ready("StorageUser", "app")
    with started(Versions(world.installation, world.ns, "AccessKey")) as versions:
        world.key("for-loki", secret={"format": "Loki"})
        world.reason("AccessKey", "for-loki", "BucketRequired")
        world.bucket()
        world.ready("AccessKey", "for-loki")
        until(lambda: words(versions.seen["AccessKey", "for-loki"])[-1:] == ["Current"], "the last version")
    assert words(versions.seen["AccessKey", "for-loki"]) == ["InProgress", "Current"]


def test_a_refused_key_fails_until_it_is_mended(world: World) -> None:
    metadata = {"name": "key", "namespace": world.ns}
    world.kube.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata})
    with started(Versions(world.installation, world.ns, "AccessKey")) as versions:
        world.user()
        world.key()
        world.reason("AccessKey", "key", "SecretNameConflict")
        world.kube.delete("Secret", "key", world.ns)
        world.ready("AccessKey", "key")
        until(lambda: words(versions.seen["AccessKey", "key"])[-1:] == ["Current"], "the last version")
    assert words(versions.seen["AccessKey", "key"]) == ["InProgress", "Failed", "InProgress", "Current"]


def test_a_lost_secret_shows_until_a_new_key_is_there(world: World) -> None:
    """By itself, or once a person asks for it: it is Failed until the annotation is seen, which is not of the spec."""
    world.user()
    world.key("again", onSecretLoss="Reissue")
    world.key("asked")
    for name in ("again", "asked"):
        world.ready("AccessKey", name)
    with started(Versions(world.installation, world.ns, "AccessKey")) as versions:
        for name in ("again", "asked"):
            world.kube.delete("Secret", name, world.ns)
        world.reason("AccessKey", "asked", "SecretLost")
        world.patch("AccessKey", "asked", {"metadata": {"annotations": {"storekeeper.dev/reissue": "2"}}})
        for name in ("again", "asked"):
            until(lambda name=name: words(versions.seen["AccessKey", name])[-2:] == ["InProgress", "Current"], name)
    assert words(versions.seen["AccessKey", "again"]) == ["InProgress", "Current"]
    assert words(versions.seen["AccessKey", "asked"]) == ["Failed", "InProgress", "Current"]
