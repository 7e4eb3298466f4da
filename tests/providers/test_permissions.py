"""Every cell of the permission table, on every store that the table has a column for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.installation import Installation
from providers import permissions
from providers.permissions import ALLOWED, LEVELS, OPERATIONS, PAGE
from providers.stores import STORES, Store
from providers.world import StoreWorld


@pytest.fixture
def every_level(installation: Installation, store: Store) -> Iterator[None]:
    """Where a key that may write may delete as well, the account takes that for the time of the test."""
    if "exact-write" in store.able:
        yield
        return

    def accept(accepted: bool) -> None:
        provider = {store.name: {"allowWriteToDelete": accepted}}
        installation.kube.patch("StorageAccount", store.name, {"spec": {"provider": provider}})
        installation.kube.wait_ready("StorageAccount", store.name)

    accept(True)
    yield
    accept(False)


def test_every_operation_at_every_level_is_answered_as_the_table_says(every_level: None, world: StoreWorld) -> None:
    locks = "object-lock" in world.store.able
    world.user()
    world.bucket("data", name="data", **({"objectLock": {"mode": "Governance", "days": 1}} if locks else {}))
    for level in LEVELS:
        world.key(level.lower(), permission=level)
    world.ready("Bucket", "data", 60)
    for level in LEVELS:
        world.ready("AccessKey", level.lower(), 60)
    clients = {level: world.s3(level.lower()) for level in LEVELS}
    found = permissions.measured(clients, str(world.installation.certificates.ca), locks=locks)
    expected = {name: dict(zip(LEVELS, row, strict=True)) for name, row in ALLOWED[world.store.name].items()}
    differences = {
        f"{name}, {level}": (found[name][level], expected[name][level])
        for name in OPERATIONS
        for level in LEVELS
        if found[name][level] != expected[name][level]
    }
    assert differences == {}, "found, expected"


def test_the_table_has_a_row_for_every_operation() -> None:
    assert len(OPERATIONS) == 45
    assert ALLOWED.keys() == STORES.keys()
    for store, rows in ALLOWED.items():
        assert rows.keys() == OPERATIONS.keys(), store


def test_the_page_is_what_the_table_makes() -> None:
    assert PAGE.read_text() == permissions.page(), "run `python -m providers.permissions`"
