"""The main job: manifests in, working keys in Secrets out."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from e2e.world import World
from harness.audit import count
from harness.installation import OPERATOR
from harness.s3 import refusal
from harness.waiting import holds, until

FORMATS = {"Full": "Env", "ReadWrite": "ObjectBucketClaim", "Read": "ServiceBinding", "Write": "Rclone"}


def denied(call: object, *, status: int = 403) -> None:
    with pytest.raises(ClientError) as error:
        call()  # type: ignore[operator]
    assert refusal(error.value)[0] == status


def test_each_permission_level_does_what_it_says_from_its_secret(world: World) -> None:
    world.user()
    world.bucket(versioning="Enabled")
    for permission, name_of_format in FORMATS.items():
        world.key(permission.lower(), permission=permission, secret={"format": name_of_format})
    for permission in FORMATS:
        world.ready("AccessKey", permission.lower())
    world.ready("Bucket", "data")
    full, rw, ro, wo = (world.s3(permission.lower()) for permission in FORMATS)
    hello = {"Bucket": "data", "Key": "hello.txt"}
    rw.put_object(**hello, Body=b"hello")
    assert ro.get_object(**hello)["Body"].read() == b"hello"
    wo.put_object(Bucket="data", Key="other.txt", Body=b"x")
    denied(lambda: ro.put_object(**hello, Body=b"no"))
    denied(lambda: wo.get_object(**hello))
    denied(lambda: rw.create_bucket(Bucket="more"))
    assert full.get_bucket_versioning(Bucket="data")["Status"] == "Enabled"
    empty(world, "full")


def empty(world: World, secret: str) -> None:
    """Remove every version in `data`, so that the bucket can go."""
    client = world.s3(secret)
    listed = client.list_object_versions(Bucket="data")
    for version in [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]:
        client.delete_object(Bucket="data", Key=version["Key"], VersionId=version["VersionId"])


def test_two_users_have_a_bucket_of_the_same_name(world: World) -> None:
    for user in ("app", "web"):
        world.user(user)
        world.bucket(f"{user}-data", user=user, name="data")
        world.key(user, user=user, permission="Full")
        world.ready("Bucket", f"{user}-data")
        world.ready("AccessKey", user)
    world.s3("app").put_object(Bucket="data", Key="mine", Body=b"app")
    denied(lambda: world.s3("web").get_object(Bucket="data", Key="mine"), status=404)
    empty(world, "app")


def test_a_key_costs_four_writes_one_dry_run_and_two_provider_calls(world: World) -> None:
    world.user()
    world.ready("StorageUser", "app")
    installation = world.installation
    before = installation.audit.position()
    seen = len(installation.management_proxy.seen())
    world.key()
    world.ready("AccessKey", "key")
    calls = [call for call in installation.audit.calls(before, OPERATOR) if call.namespace == world.ns]
    writes = count([call for call in calls if call.is_write and call.resource in ("accesskeys", "secrets")])
    assert sum(writes.values()) <= 4, writes
    assert len([call for call in calls if call.dry_run]) == 1
    # The account's sweep is nobody's key's.
    about_keys = [one for one in installation.management_proxy.seen()[seen:] if one.path.startswith("/v1/accessKeys")]
    provider = [one for one in about_keys if one.point != "sweep-list"]
    assert [one.method for one in provider] == ["GET", "POST"], provider


def test_an_operator_restart_writes_nothing_and_mints_nothing(world: World) -> None:
    world.user()
    world.bucket()
    world.key()
    world.ready("AccessKey", "key")
    world.ready("Bucket", "data")
    world.settle()
    installation = world.installation
    secret, keys, before = world.secret("key"), world.live_keys(), installation.audit.position()
    installation.operator.stop()
    installation.operator.start()

    def looked() -> bool:
        calls = installation.audit.calls(before, OPERATOR)
        return any(call.verb == "get" and call.resource == "secrets" and call.name == "key" for call in calls)

    until(looked, "the operator to look at the Secret again")
    holds(lambda: not installation.audit.writes(before, OPERATOR), "the operator writes nothing", 3)
    assert world.secret("key") == secret
    assert world.live_keys() == keys


def test_everything_is_gone_when_the_namespace_is(world: World) -> None:
    """A namespace is deleted with all that is in it; keys and the login are gone at the provider too."""
    world.user()
    world.bucket()
    world.key()
    world.ready("AccessKey", "key")
    world.ready("Bucket", "data")
    world.kube.delete("Namespace", world.ns)
    world.kube.wait_gone("Namespace", world.ns, deadline=60)
    assert world.live_keys() == []
    assert world.login() not in [user["login"] for user in world.management.items("users")]
