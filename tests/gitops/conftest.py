"""One installation for all of these tests; a namespace and a Tenant per test, as in the end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from e2e.conftest import empty_world, module_world, pytest_runtest_makereport, world
from harness.installation import Installation
from harness.running import started

__all__ = ["empty_world", "module_world", "pytest_runtest_makereport", "world"]


@pytest.fixture(scope="package")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with started(Installation(tmp_path_factory.mktemp("installation"))) as made:
        print(f"logs of the installation: {made.logs}")
        yield made
