"""What people and accidents do to what was published, and objects that nobody can read."""

from __future__ import annotations

import copy

from e2e.world import World
from harness.kube import Refused, condition
from harness.waiting import holds, until


def test_a_lost_secret_is_said_and_never_made_again_silently(world: World) -> None:
    world.user()
    world.key()
    world.ready("AccessKey", "key")
    keys = world.live_keys()
    world.kube.delete("Secret", "key", world.ns)
    world.says("AccessKey", "key", "SecretLost", "storekeeper.dev/reissue", '"2"')
    stalled = condition(world.get("AccessKey", "key"), "Stalled")
    assert stalled is not None
    assert stalled["status"] == "True"
    holds(lambda: world.kube.find("Secret", "key", world.ns) is None, "no new Secret", 3)
    assert world.live_keys() == keys


def test_the_annotation_gives_a_new_key_and_the_old_one_goes(world: World) -> None:
    world.user()
    world.key()
    world.ready("AccessKey", "key")
    old = world.key_id("key")
    world.kube.delete("Secret", "key", world.ns)
    world.reason("AccessKey", "key", "SecretLost")
    world.patch("AccessKey", "key", {"metadata": {"annotations": {"storekeeper.dev/reissue": "2"}}})
    world.ready("AccessKey", "key")
    assert world.key_id("key") != old
    until(lambda: [key["accessKeyId"] for key in world.live_keys()] == [world.key_id("key")], "the old key to go")


def test_reissue_on_loss_makes_a_new_key_by_itself(world: World) -> None:
    world.user()
    world.key(onSecretLoss="Reissue")
    world.ready("AccessKey", "key")
    old = world.key_id("key")
    world.kube.delete("Secret", "key", world.ns)
    until(lambda: world.kube.find("Secret", "key", world.ns), "a new Secret")
    until(lambda: [key["accessKeyId"] for key in world.live_keys()] == [world.key_id("key")], "one live key")
    assert world.key_id("key") != old


def test_a_secret_that_is_put_back_is_accepted(world: World) -> None:
    world.user()
    world.key()
    world.ready("AccessKey", "key")
    saved = world.secret("key")
    world.kube.delete("Secret", "key", world.ns)
    world.reason("AccessKey", "key", "SecretLost")
    for field in ("uid", "resourceVersion", "creationTimestamp", "managedFields"):
        saved["metadata"].pop(field, None)
    world.kube.create(saved)
    world.ready("AccessKey", "key")
    world.s3("key").list_buckets()


def test_a_key_that_was_revoked_by_hand_is_said_and_not_replaced(world: World) -> None:
    world.user()
    world.key()
    world.ready("AccessKey", "key")
    secret = world.secret("key")
    world.management.revoke(world.key_id("key"))
    world.says("AccessKey", "key", "KeyRevokedExternally", "'key'")
    assert world.secret("key") == secret
    assert world.live_keys() == []


def test_an_object_that_does_not_decode_says_so_and_does_not_stop_the_others(world: World) -> None:
    """It gets into etcd while the CRD's schema is off guard, as an older release's object would."""
    plural = "accesskeys.storekeeper.dev"
    strict = world.kube.get("CustomResourceDefinition", plural)["spec"]["versions"]
    loose = copy.deepcopy(strict)
    spec = loose[0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    del spec["permission"]["enum"]
    world.kube.patch("CustomResourceDefinition", plural, {"spec": {"versions": loose}})
    try:
        until(lambda: broken_key_is_accepted(world), "the API server to take an object that does not decode")
        world.says("AccessKey", "broken", "InvalidSpec", "Everything", "ReadWrite")
        world.user()
        world.key()
        world.ready("AccessKey", "key")
    finally:
        world.kube.delete("AccessKey", "broken", world.ns)
        world.kube.patch("CustomResourceDefinition", plural, {"spec": {"versions": strict}})
    until(lambda: keys_can_be_listed(world), "the API server to have read the schema again")
    world.gone("AccessKey", "broken")


def keys_can_be_listed(world: World) -> bool:
    """The API server answers 429 while it takes up a new schema."""
    try:
        world.kube.items("AccessKey", world.ns)
    except Refused as refused:
        if refused.code != 429:
            raise
        return False
    return True


def broken_key_is_accepted(world: World) -> bool:
    try:
        world.key("broken", permission="Everything")
    except Refused:
        return False
    return True
