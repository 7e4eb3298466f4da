"""What a Tenant does not allow any more is suspended or kept, as it says, and works again once it is allowed again."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from e2e.world import World
from harness.kube import condition
from harness.waiting import until

SUSPENDED = "Suspended"


def works(world: World, secret: str) -> bool:
    """Whether the pair of the Secret opens anything."""
    try:
        world.s3(secret).list_buckets()
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidAccessKeyId":
            raise
        return False
    return True


def suspended(world: World, kind: str, name: str, reason: str) -> str:
    """Wait until the object says that it is suspended, and why; the message."""
    message: str = world.reason(kind, name, reason, SUSPENDED)["message"]
    return message


def resumed(world: World, kind: str, name: str) -> None:
    world.ready(kind, name)
    assert condition(world.get(kind, name), SUSPENDED) is None


def identity(world: World, secret: str) -> tuple[Any, ...]:
    """What must not change: the Secret, and the key that the provider has for it."""
    metadata = world.secret(secret)["metadata"]
    keys = sorted((key["accessKeyId"], key["createdAt"]) for key in world.live_keys())
    return metadata["uid"], metadata["resourceVersion"], keys


def reasons_of_events(world: World, kind: str, name: str) -> list[str]:
    found = world.kube.call("GET", f"/apis/events.k8s.io/v1/namespaces/{world.ns}/events")["items"]
    return [one["reason"] for one in found if (one["regarding"]["kind"], one["regarding"]["name"]) == (kind, name)]


def tenant(world: World, **spec: Any) -> None:
    world.patch("Tenant", world.tenant_name, {"spec": spec})


def test_a_permission_that_is_withdrawn_suspends_its_keys_alone_and_the_same_secret_works_again(world: World) -> None:
    tenant(world, onWithdrawal="Suspend")
    world.user()
    world.key("full", permission="Full")
    world.key("read", permission="Read")
    for name in ("full", "read"):
        world.ready("AccessKey", name)
    before = identity(world, "full")

    tenant(world, allowedPermissions=["Read"])
    message = suspended(world, "AccessKey", "full", "PermissionNotAllowed")
    assert "Ask the owner of the Tenant" in message
    assert "nothing is lost" in message.lower()
    world.reason("AccessKey", "full", "PermissionNotAllowed")
    assert not works(world, "full")
    assert works(world, "read")
    states = {key["permission"]: key["active"] for key in world.live_keys()}
    assert states == {"Full": False, "Read": True}
    until(
        lambda: reasons_of_events(world, "AccessKey", "full").count("PermissionNotAllowed") >= 2,
        "events that tell of it",
    )
    world.settle()
    since = world.installation.audit.position()
    world.touch("AccessKey", "full")
    world.settle()
    assert world.installation.audit.writes(since, "system:serviceaccount:storekeeper-system:storekeeper") == []

    tenant(world, allowedPermissions=None)
    resumed(world, "AccessKey", "full")
    assert works(world, "full")
    assert identity(world, "full") == before


def test_a_namespace_that_is_withdrawn_suspends_its_users_whatever_their_specs_say(world: World) -> None:
    tenant(world, onWithdrawal="Suspend")
    for name in ("app", "sly"):
        world.user(name)
        world.key(f"key-{name}", user=name)
        world.ready("AccessKey", f"key-{name}")
    before = identity(world, "key-app")
    # A spec that is refused must be no way out.
    world.patch("StorageUser", "sly", {"spec": {"timeZone": "Nowhere/Atlantis"}})
    world.reason("StorageUser", "sly", "InvalidSpec")

    tenant(world, allowedNamespaces={"names": []})
    for name in ("app", "sly"):
        assert "Ask the owner" in suspended(world, "StorageUser", name, "NamespaceNotAllowed")
        suspended(world, "AccessKey", f"key-{name}", "NamespaceNotAllowed")
        assert not works(world, f"key-{name}")
    world.reason("StorageUser", "app", "NamespaceNotAllowed")

    tenant(world, allowedNamespaces={"names": [world.ns]})
    world.patch("StorageUser", "sly", {"spec": {"timeZone": "UTC"}})
    for name in ("app", "sly"):
        resumed(world, "StorageUser", name)
        resumed(world, "AccessKey", f"key-{name}")
        assert works(world, f"key-{name}")
    assert identity(world, "key-app") == before


def test_by_default_what_exists_goes_on_working_and_says_what_is_not_allowed(world: World) -> None:
    world.user()
    world.key()
    world.ready("AccessKey", "key")
    tenant(world, allowedPermissions=["Read"])
    world.says("AccessKey", "key", "PermissionNotAllowed", "Ask the owner of the Tenant")
    tenant(world, allowedNamespaces={"names": []})
    world.says("StorageUser", "app", "NamespaceNotAllowed", "Ask the owner of the Tenant")
    assert works(world, "key")
    assert condition(world.get("AccessKey", "key"), SUSPENDED) is None
    assert condition(world.get("StorageUser", "app"), SUSPENDED) is None


def by_age(world: World, kind: str, *names: str) -> list[str]:
    """Names in the order in which the operator lets them have their part: made within one second, the uid decides."""

    def age(name: str) -> tuple[str, str]:
        metadata = world.get(kind, name)["metadata"]
        return metadata["creationTimestamp"], metadata["uid"]

    return sorted(names, key=age)


def test_a_quota_that_is_lowered_suspends_those_that_came_last(world: World) -> None:
    tenant(world, onWithdrawal="Suspend")
    for user in ("one", "two"):
        world.user(user)
        world.ready("StorageUser", user)
        for number in (1, 2):
            world.key(f"{user}-{number}", user=user)
            world.ready("AccessKey", f"{user}-{number}")
    stays, goes = by_age(world, "StorageUser", "one", "two")
    kept, lost = by_age(world, "AccessKey", f"{stays}-1", f"{stays}-2")
    every_key = [kept, lost, f"{goes}-1", f"{goes}-2"]

    tenant(world, quota={"users": 1, "accessKeysPerUser": 1})
    suspended(world, "StorageUser", goes, "QuotaExceeded")
    for name in every_key[2:]:
        suspended(world, "AccessKey", name, "QuotaExceeded")
    assert "accessKeysPerUser" in suspended(world, "AccessKey", lost, "QuotaExceeded")
    assert [works(world, name) for name in every_key] == [True, False, False, False]

    tenant(world, quota={"users": None, "accessKeysPerUser": None})
    for name in every_key:
        resumed(world, "AccessKey", name)
        assert works(world, name)


@pytest.mark.parametrize("policy", ["Suspend", "Keep"])
def test_a_key_that_is_not_allowed_any_more_can_be_deleted(world: World, policy: str) -> None:
    tenant(world, onWithdrawal=policy)
    world.user()
    world.key()
    world.ready("AccessKey", "key")
    tenant(world, allowedPermissions=["Read"])
    world.reason("AccessKey", "key", "PermissionNotAllowed")
    world.delete("AccessKey", "key")
    world.gone("AccessKey", "key")
    assert world.live_keys() == []


def test_a_tenants_quota_of_buckets_is_told_before_the_provider_is_asked(world: World) -> None:
    tenant(world, quota={"buckets": 1})
    world.user()
    world.bucket("data")
    world.ready("Bucket", "data")
    world.bucket("more")
    world.says("Bucket", "more", "QuotaExceeded", "`spec.quota.buckets`", f"'{world.tenant_name}'")
    refused = [one for one in world.management.audit() if one["action"] == "bucket.create" and one["outcome"] != "ok"]
    assert not [one for one in refused if one["target"].endswith("/more")]
    tenant(world, quota={"buckets": 2})
    world.touch("Bucket", "more")
    world.ready("Bucket", "more")
