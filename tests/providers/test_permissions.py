"""Every cell of the permission table, on every store that the table has a column for."""

from __future__ import annotations

import pytest

from providers import permissions
from providers.permissions import ALLOWED, LEVELS, OPERATIONS, PAGE
from providers.stores import Store
from providers.world import StoreWorld


@pytest.fixture
def in_the_table(store: Store) -> None:
    if store.name not in ALLOWED:
        pytest.skip(f"the table has no column for {store.name}")


def test_every_operation_at_every_level_is_answered_as_the_table_says(in_the_table: None, world: StoreWorld) -> None:
    world.user()
    world.bucket("data", name="data", objectLock={"mode": "Governance", "days": 1})
    for level in LEVELS:
        world.key(level.lower(), permission=level)
    world.ready("Bucket", "data", 60)
    for level in LEVELS:
        world.ready("AccessKey", level.lower(), 60)
    clients = {level: world.s3(level.lower()) for level in LEVELS}
    found = permissions.measured(clients, str(world.installation.certificates.ca), locks=True)
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
    for store, rows in ALLOWED.items():
        assert rows.keys() == OPERATIONS.keys(), store


def test_the_page_is_what_the_table_makes() -> None:
    assert PAGE.read_text() == permissions.page(), "run `python -m providers.permissions`"
