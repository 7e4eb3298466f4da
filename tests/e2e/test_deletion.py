"""Deleting: what holds data or is in use waits and says why; everything else goes, completely."""

from __future__ import annotations

from e2e.test_happy_path import empty
from e2e.world import World
from harness.kube import condition
from harness.waiting import holds


def test_a_bucket_with_data_is_not_deleted(world: World) -> None:
    world.user()
    world.bucket()
    world.key(permission="Full")
    world.ready("Bucket", "data")
    world.ready("AccessKey", "key")
    world.s3("key").put_object(Bucket="data", Key="precious", Body=b"12345")
    world.delete("Bucket", "data")
    world.says("Bucket", "data", "BucketNotEmpty", "'data'", "1 object", of="DeletionBlocked")
    assert world.s3("key").get_object(Bucket="data", Key="precious")["Body"].read() == b"12345"
    empty(world, "key")
    world.gone("Bucket", "data", 60)
    assert "data" not in [bucket["Name"] for bucket in world.s3("key").list_buckets()["Buckets"]]


def test_a_retained_bucket_outlives_its_object(world: World) -> None:
    world.user()
    world.bucket(deletionPolicy="Retain")
    world.key(permission="Full")
    world.ready("Bucket", "data")
    world.ready("AccessKey", "key")
    world.delete("Bucket", "data")
    world.gone("Bucket", "data")
    client = world.s3("key")
    assert [bucket["Name"] for bucket in client.list_buckets()["Buckets"]] == ["data"]
    client.delete_bucket(Bucket="data")


def test_a_tenant_with_users_is_not_deleted(world: World) -> None:
    world.user()
    world.ready("StorageUser", "app")
    world.delete("Tenant", world.tenant_name)
    world.says("Tenant", world.tenant_name, "InUse", "1", of="DeletionBlocked")
    holds(lambda: world.kube.find("Tenant", world.tenant_name), "the Tenant is there", 1)
    world.delete("StorageUser", "app")
    world.gone("StorageUser", "app")
    world.gone("Tenant", world.tenant_name, 60)


def test_a_deleted_key_stops_working_at_once_and_takes_its_secret(world: World) -> None:
    world.user()
    world.key()
    world.ready("AccessKey", "key")
    world.delete("AccessKey", "key")
    world.gone("AccessKey", "key")
    assert world.live_keys() == []
    assert world.kube.find("Secret", "key", world.ns) is None


def test_a_retained_key_outlives_its_object(world: World) -> None:
    world.user()
    world.key(deletionPolicy="Retain")
    world.ready("AccessKey", "key")
    client, (live,) = world.s3("key"), world.live_keys()
    world.delete("AccessKey", "key")
    world.gone("AccessKey", "key")
    client.list_buckets()
    assert world.key_id("key") == live["accessKeyId"]
    world.management.revoke(live["accessKeyId"])


def test_an_account_in_use_is_not_deleted(world: World) -> None:
    name = world.account()
    world.user(accountRef={"name": name})
    world.ready("StorageUser", "app")
    world.kube.delete("StorageAccount", name)
    world.says("StorageAccount", name, "InUse", "1", of="DeletionBlocked")
    world.delete("StorageUser", "app")
    world.gone("StorageUser", "app")
    world.gone("StorageAccount", name, 60)


def test_a_namespace_is_deleted_with_everything_in_it(world: World) -> None:
    """Also with what was never Ready: nothing in it may wait for ever."""
    world.user()
    world.bucket()
    world.key()
    world.key("orphan", user="nobody")
    world.key("foreign", secret={"name": "taken"})
    world.bucket("orphan", user="nobody")
    metadata = {"name": "taken", "namespace": world.ns}
    world.kube.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata})
    world.ready("AccessKey", "key")
    world.ready("Bucket", "data")
    assert condition(world.get("AccessKey", "orphan")) is not None
    world.kube.delete("Namespace", world.ns)
    world.kube.wait_gone("Namespace", world.ns, deadline=60)
    assert world.live_keys() == []
    assert world.login() not in [user["login"] for user in world.management.items("users")]
