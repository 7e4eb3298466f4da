"""What Velero brings back is to storekeeper another object: it takes over nothing, and breaks nothing either."""

from __future__ import annotations

from e2e.world import PRIVATE_KINDS, World
from gitops.reapply import Live
from harness.kube import Object
from harness.waiting import holds

# Velero leaves out the rest: status, uid, owners, finalizers.
KEPT = ("name", "namespace", "labels", "annotations")
NAMES = {"AccessKey": "key", "Bucket": "data", "StorageUser": "app"}


def backed_up(found: Object, kind: str) -> Object:
    metadata = {name: value for name, value in found["metadata"].items() if name in KEPT}
    contents = {name: found[name] for name in ("spec", "data", "type") if name in found}
    return {"apiVersion": found["apiVersion"], "kind": kind, "metadata": metadata, **contents}


def lost_and_restored(world: World) -> None:
    """The objects go behind the operator's back, as they do with their cluster, and come back from a back-up."""
    kube = world.kube
    saved = [backed_up(world.get(kind, name), kind) for kind, name in NAMES.items()]
    saved.append(backed_up(world.secret("key"), "Secret"))
    world.installation.operator.kill()
    for kind, name in NAMES.items():
        world.patch(kind, name, {"metadata": {"finalizers": None}})
        world.delete(kind, name)
        world.gone(kind, name)
    # The garbage collector takes its time.
    kube.delete("Secret", "key", world.ns)
    for one in saved:
        kube.create(one)
    world.installation.operator.start()


def test_what_is_restored_is_not_adopted_and_the_restored_key_works(world: World) -> None:
    world.user()
    world.bucket()
    world.key()
    for kind, name in NAMES.items():
        world.ready(kind, name)
    live, before = Live(world.installation, world.ns, "key"), world.live_keys()
    try:
        lost_and_restored(world)
        world.says("StorageUser", "app", "NameTaken", world.login())
        world.says("AccessKey", "key", "SecretNameConflict", "'key'")
        world.says("Bucket", "data", "UserNotReady", "'app'")
        holds(lambda: live.works() and world.live_keys() == before, "the key works, and is the only one", 2)
    finally:
        (user,) = (user for user in world.management.items("users") if user["login"] == world.login())
        for kind in PRIVATE_KINDS:
            world.delete(kind, NAMES[kind])
        for key in before:
            world.management.revoke(key["accessKeyId"])
        world.management.call("DELETE", f"/v1/buckets/{user['id']}/data")
        world.management.call("DELETE", f"/v1/users/{user['id']}")
