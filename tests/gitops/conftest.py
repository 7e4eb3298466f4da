"""One installation for all of these tests; a namespace and a Tenant per test, as in the end-to-end tests."""

from __future__ import annotations

from e2e.conftest import empty_world, installation, module_world, pytest_runtest_makereport, world

__all__ = ["empty_world", "installation", "module_world", "pytest_runtest_makereport", "world"]
