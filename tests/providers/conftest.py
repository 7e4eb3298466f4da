"""One installation per run, every store beside it, and one namespace and Tenant per test and store."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from e2e.conftest import installation, pytest_runtest_makereport
from harness.installation import NAMESPACE, Installation
from harness.running import started
from providers.connect import connect
from providers.stores import STORES, Store, made
from providers.world import StoreWorld

__all__ = ["installation", "pytest_runtest_makereport"]

_numbers = iter(range(1, 100_000))
# Whose objects are deleted, and may not be gone yet.
_removed: list[StoreWorld] = []


@pytest.fixture(scope="session", params=sorted(STORES))
def store(installation: Installation, request: pytest.FixtureRequest) -> Iterator[Store]:
    """A real store with a Ready StorageAccount of its name. One that cannot be started fails its tests."""
    with started(made(request.param, installation)) as there:
        connect(installation, there)
        yield there
        # A key takes as long to go as a request can be under way: they go together, while other tests run.
        while _removed:
            _removed.pop().wait_removed()
        installation.kube.delete("StorageAccount", there.name)
        installation.kube.wait_gone("StorageAccount", there.name)
        installation.kube.delete("Secret", there.name, NAMESPACE)


@pytest.fixture
def world(installation: Installation, store: Store, request: pytest.FixtureRequest) -> Iterator[StoreWorld]:
    words = re.sub(r"[^a-z0-9]+", "-", request.node.originalname.removeprefix("test_").lower())
    there = StoreWorld(installation, f"{words[:24].strip('-')}-{next(_numbers)}", store)
    there.namespace(there.ns)
    there.tenant(there.tenant_name, accountRef={"name": store.name})
    try:
        yield there
    finally:
        installation.clear_faults()
        store.proxy.rules.clear()
        store.proxy.release()
        empty(there)
        there.delete_all()
        _removed.append(there)


def empty(world: StoreWorld) -> None:
    """Nothing that a test wrote may keep its buckets."""
    for bucket in world.kube.items("Bucket", world.ns):
        world.kube.patch("Bucket", bucket["metadata"]["name"], {"spec": {"deletionPolicy": "Retain"}}, world.ns)
    for user in world.kube.items("StorageUser", world.ns):
        world.kube.patch("StorageUser", user["metadata"]["name"], {"spec": {"deletionPolicy": "Retain"}}, world.ns)
    world.kube.patch("Tenant", world.tenant_name, {"spec": {"deletionPolicy": "Retain"}})
