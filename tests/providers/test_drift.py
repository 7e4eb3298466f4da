"""What somebody changes or removes at the store itself, while nobody looks: it is put right, and no Secret changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.waiting import until
from providers.stores import READ_WRITE
from providers.world import OBJECT, StoreWorld, refused, status


@contextmanager
def nobody_looks(world: StoreWorld) -> Iterator[None]:
    """The operator is away for as long as the block lasts."""
    world.installation.operator.stop()
    try:
        yield
    finally:
        world.installation.operator.start()


def test_a_key_that_may_less_than_it_should_is_given_its_rights_again(world: StoreWorld) -> None:
    app = world.app(READ_WRITE)[READ_WRITE]
    before = world.entries("app-readwrite")
    with nobody_looks(world):
        world.store.weaken_key(world.login(), world.key_id("app-readwrite"))
        until(lambda: refused(app.list_objects_v2, Bucket="data"), "the key to be refused")
    until(lambda: status(app.list_objects_v2, Bucket="data") == 200, "the key to work again", 60)
    assert world.entries("app-readwrite") == before


def test_a_user_that_somebody_suspends_works_again(world: StoreWorld) -> None:
    app = world.app(READ_WRITE)[READ_WRITE]
    before = world.entries("app-readwrite")
    with nobody_looks(world):
        world.store.suspend_user(world.login())
        until(lambda: refused(app.list_objects_v2, Bucket="data"), "the key to be refused")
    until(lambda: status(app.list_objects_v2, Bucket="data") == 200, "the key to work again", 60)
    assert world.entries("app-readwrite") == before


def test_a_user_that_somebody_removes_is_made_again(world: StoreWorld) -> None:
    world.user()
    world.ready("StorageUser", "app")
    with nobody_looks(world):
        world.store.remove_user(world.login())
        assert not world.store.has_user(world.login())
    until(lambda: world.store.has_user(world.login()), "the user to be there again", 60)


def test_a_quota_of_a_bucket_that_somebody_changes_is_set_again(world: StoreWorld) -> None:
    world.user()
    world.bucket("app-data", name="data", quota={"objects": 5})
    world.ready("Bucket", "app-data", 60)
    assert world.store.most_objects(world.login(), "data") == 5
    with nobody_looks(world):
        world.store.limit_bucket(world.login(), "data", 7)
        assert world.store.most_objects(world.login(), "data") == 7
    until(lambda: world.store.most_objects(world.login(), "data") == 5, "the quota to be as it was", 60)


def test_an_empty_bucket_that_somebody_removes_is_made_again_and_its_keys_reach_it(world: StoreWorld) -> None:
    app = world.app(READ_WRITE)[READ_WRITE]
    before = world.entries("app-readwrite")
    with nobody_looks(world):
        world.store.remove_bucket(world.login(), "data")
        assert status(app.list_objects_v2, Bucket="data") in (403, 404)
    until(lambda: status(app.list_objects_v2, Bucket="data") == 200, "the bucket to be there again", 60)
    app.put_object(Bucket="data", Key="a", Body=OBJECT)
    app.delete_object(Bucket="data", Key="a")
    assert world.entries("app-readwrite") == before
