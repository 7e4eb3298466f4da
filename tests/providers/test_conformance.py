"""What every provider must do, asked through custom resources and proved by S3 clients."""

from __future__ import annotations

import pytest

from harness.kube import condition
from harness.waiting import until
from providers.stores import FULL, READ, READ_WRITE, WRITE
from providers.world import OBJECT, StoreWorld, refused, status


def test_everything_comes_and_goes_with_its_objects(world: StoreWorld) -> None:
    app = world.app(READ_WRITE)[READ_WRITE]
    app.put_object(Bucket="data", Key="a", Body=OBJECT)
    assert app.get_object(Bucket="data", Key="a")["Body"].read() == OBJECT
    app.delete_object(Bucket="data", Key="a")
    assert world.ids() == {world.key_id("app-readwrite")}
    world.delete("AccessKey", "app-readwrite")
    until(lambda: refused(app.list_objects_v2, Bucket="data"), "the key to be refused")
    world.gone("AccessKey", "app-readwrite", 60)
    assert world.ids() == set()
    world.delete("Bucket", "app-data")
    world.gone("Bucket", "app-data")
    world.delete("StorageUser", "app")
    world.gone("StorageUser", "app")


@pytest.mark.parametrize("permission", [FULL, READ_WRITE, READ, WRITE])
def test_a_permission_allows_what_it_says_and_no_more(world: StoreWorld, permission: str) -> None:
    if permission == WRITE and "exact-write" not in world.store.able:
        world.user()
        world.key(permission=WRITE)
        world.says("AccessKey", "key", "NotSupportedByProvider", "delete", "allowWriteToDelete")
        assert world.ids() == set()
        return
    clients = world.app(FULL, permission) if permission != FULL else world.app(FULL)
    owner, app = clients[FULL], clients[permission]
    owner.put_object(Bucket="data", Key="there", Body=OBJECT)
    writes, reads = permission != READ, permission != WRITE
    # Upload-only keys may not delete, either.
    deletes = writes and reads
    for call, allowed in [
        (lambda: app.get_object(Bucket="data", Key="there"), reads),
        (lambda: app.list_objects_v2(Bucket="data"), reads),
        (lambda: app.put_object(Bucket="data", Key="new", Body=OBJECT), writes),
        (lambda: app.delete_object(Bucket="data", Key="new"), deletes),
        (lambda: app.create_bucket(Bucket=f"{world.ns}-made"), permission == FULL),
    ]:
        assert (status(call) == 403) == (not allowed), permission
    if permission == FULL:
        app.delete_bucket(Bucket=f"{world.ns}-made")
    for key in ("there", "new"):
        owner.delete_object(Bucket="data", Key=key)


def test_two_users_may_both_have_a_bucket_of_one_name_and_see_nothing_of_each_other(world: StoreWorld) -> None:
    one = world.app(READ_WRITE, user="one")[READ_WRITE]
    other = world.app(READ_WRITE, user="other")[READ_WRITE]
    one.put_object(Bucket="data", Key="mine", Body=OBJECT)
    assert other.list_objects_v2(Bucket="data")["KeyCount"] == 0
    assert status(other.get_object, Bucket="data", Key="mine") == 404
    other.put_object(Bucket="data", Key="mine", Body=b"other")
    assert one.get_object(Bucket="data", Key="mine")["Body"].read() == OBJECT
    shown = ["data"] if "lists-buckets" in world.store.able else []
    for client in (one, other):
        assert [bucket["Name"] for bucket in client.list_buckets()["Buckets"]] == shown
        client.delete_object(Bucket="data", Key="mine")


def test_keys_and_buckets_of_a_user_find_each_other_whichever_comes_first(world: StoreWorld) -> None:
    early = world.app(READ_WRITE, bucket="first")[READ_WRITE]
    world.bucket("second", user="app")
    world.ready("Bucket", "second")
    world.key("late", permission=READ_WRITE)
    world.ready("AccessKey", "late")
    late = world.s3("late")
    for client in (early, late):
        for bucket in ("first", "second"):
            client.put_object(Bucket=bucket, Key="a", Body=OBJECT)
            client.delete_object(Bucket=bucket, Key="a")


def test_a_suspended_users_keys_stop_and_work_again_unchanged(world: StoreWorld) -> None:
    app = world.app(READ_WRITE)[READ_WRITE]
    before = world.entries("app-readwrite")
    world.patch("StorageUser", "app", {"spec": {"enabled": False}})
    until(lambda: refused(app.list_objects_v2, Bucket="data"), "the key to be refused")
    world.key("meanwhile", permission=READ_WRITE)
    world.ready("AccessKey", "meanwhile")
    assert refused(world.s3("meanwhile").list_objects_v2, Bucket="data"), "a key that is made meanwhile"
    world.patch("StorageUser", "app", {"spec": {"enabled": True}})
    until(lambda: status(app.list_objects_v2, Bucket="data") == 200, "the key to work again")
    until(lambda: status(world.s3("meanwhile").list_objects_v2, Bucket="data") == 200, "the other key to work")
    assert world.entries("app-readwrite") == before


def test_a_quota_of_a_bucket_is_enforced_and_can_be_raised(world: StoreWorld) -> None:
    app = world.app(READ_WRITE)[READ_WRITE]
    world.patch("Bucket", "app-data", {"spec": {"quota": {"objects": 1}}})
    world.ready("Bucket", "app-data")
    app.put_object(Bucket="data", Key="one", Body=OBJECT)
    until(lambda: status(app.put_object, Bucket="data", Key="two", Body=OBJECT) >= 400, "a second object to be refused")
    world.patch("Bucket", "app-data", {"spec": {"quota": {"objects": 5}}})
    until(lambda: status(app.put_object, Bucket="data", Key="two", Body=OBJECT) == 200, "it to be taken")
    for key in ("one", "two"):
        app.delete_object(Bucket="data", Key=key)


def test_what_the_provider_cannot_do_is_refused_and_says_so(world: StoreWorld) -> None:
    world.user()
    world.ready("StorageUser", "app")
    world.bucket("versioned", versioning="Enabled")
    if "versioning" in world.store.able:
        world.ready("Bucket", "versioned")
    else:
        world.says("Bucket", "versioned", "NotSupportedByProvider", "spec.versioning", world.store.name)
    world.user("limited", quota={"size": "1Gi"})
    if "user-quotas" in world.store.able:
        world.ready("StorageUser", "limited")
    else:
        world.says("StorageUser", "limited", "NotSupportedByProvider", "quota")


def test_a_key_for_some_buckets_reaches_no_other(world: StoreWorld) -> None:
    world.app(bucket="mine")
    world.bucket("app-other", user="app", name="other")
    world.ready("Bucket", "app-other", 60)
    world.key("some", permission=READ_WRITE, bucketRefs=[{"name": "app-mine"}])
    if "key-buckets" not in world.store.able:
        world.says("AccessKey", "some", "NotSupportedByProvider", "bucketRefs", world.store.name)
        assert world.ids() == set()
        return
    world.ready("AccessKey", "some", 60)
    some = world.s3("some")
    some.put_object(Bucket="mine", Key="a", Body=OBJECT)
    some.delete_object(Bucket="mine", Key="a")
    assert status(some.list_objects_v2, Bucket="other") in (403, 404)


def test_a_single_key_that_its_tenant_allows_no_more_is_suspended_or_said_to_go_on(world: StoreWorld) -> None:
    world.patch("Tenant", world.tenant_name, {"spec": {"onWithdrawal": "Suspend"}})
    clients = world.app(READ_WRITE, READ)
    before = world.entries("app-readwrite")
    world.patch("Tenant", world.tenant_name, {"spec": {"allowedPermissions": [READ]}})
    if "key-suspension" in world.store.able:
        world.says("AccessKey", "app-readwrite", "PermissionNotAllowed", "same Secret", of="Suspended")
        until(lambda: refused(clients[READ_WRITE].list_objects_v2, Bucket="data"), "the key to be refused")
    else:
        wanted = ("cannot suspend a single key", "delete this AccessKey")
        world.says("AccessKey", "app-readwrite", "NotSupportedByProvider", *wanted, of="Suspended")
        assert status(clients[READ_WRITE].list_objects_v2, Bucket="data") == 200
    assert status(clients[READ].list_objects_v2, Bucket="data") == 200
    world.patch("Tenant", world.tenant_name, {"spec": {"allowedPermissions": [READ, READ_WRITE]}})
    until(lambda: status(clients[READ_WRITE].list_objects_v2, Bucket="data") == 200, "the key to work", 60)
    assert world.entries("app-readwrite") == before


def test_a_bucket_with_data_is_not_deleted(world: StoreWorld) -> None:
    app = world.app(READ_WRITE)[READ_WRITE]
    app.put_object(Bucket="data", Key="a", Body=OBJECT)
    world.delete("Bucket", "app-data")
    world.says("Bucket", "app-data", "BucketNotEmpty", "1 object", of="DeletionBlocked", deadline=60)
    assert app.get_object(Bucket="data", Key="a")["Body"].read() == OBJECT
    app.delete_object(Bucket="data", Key="a")
    world.gone("Bucket", "app-data", 60)


def test_a_key_that_is_revoked_behind_our_back_is_told_or_brought_back_and_never_swapped(world: StoreWorld) -> None:
    app = world.app(READ_WRITE)[READ_WRITE]
    before, key = world.entries("app-readwrite"), world.key_id("app-readwrite")
    world.store.revoke(key)
    if "put-again" in world.store.able:
        until(lambda: status(app.list_objects_v2, Bucket="data") == 200, "the key to work again", 60)
        expected = {key}
    else:
        world.says("AccessKey", "app-readwrite", "KeyRevokedExternally", key_secret(world), deadline=60)
        expected = set()
    assert world.ids() == expected
    assert world.entries("app-readwrite") == before


def key_secret(world: StoreWorld) -> str:
    return f"'{world.get('AccessKey', 'app-readwrite')['status']['published']['secret']['name']}'"


def test_a_login_that_somebody_else_has_is_left_as_it_is(world: StoreWorld) -> None:
    world.kube.wait_ready("Tenant", world.tenant_name)
    theirs = world.store.foreign_user(world.login(), world.tenant_name)
    before = world.store.foreign_state(theirs)
    world.user()
    world.says("StorageUser", "app", "NameTaken", world.login(), world.store.name)
    world.key()
    assert (condition(world.get("StorageUser", "app")) or {})["status"] == "False"
    assert world.store.foreign_state(theirs) == before
    world.delete("AccessKey", "key")
    world.gone("AccessKey", "key", 60)
    world.delete("StorageUser", "app")
    world.gone("StorageUser", "app")
    assert world.store.foreign_state(theirs) == before
