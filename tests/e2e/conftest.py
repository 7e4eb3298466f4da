"""One installation per test run, one namespace and Tenant per test."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from e2e.world import World
from harness.installation import Installation
from harness.running import started

_numbers = iter(range(1, 100_000))


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with started(Installation(tmp_path_factory.mktemp("installation"))) as made:
        print(f"logs of the installation: {made.logs}")
        yield made


@contextlib.contextmanager
def _world(installation: Installation, name: str) -> Iterator[World]:
    words = re.sub(r"[^a-z0-9]+", "-", name.removeprefix("test_").lower())
    world = World(installation, f"{words[:30].strip('-')}-{next(_numbers)}")
    world.namespace(world.ns)
    try:
        yield world
    finally:
        installation.clear_faults()
        world.remove()


@pytest.fixture
def empty_world(installation: Installation, request: pytest.FixtureRequest) -> Iterator[World]:
    """A namespace, without a Tenant that admits it."""
    with _world(installation, request.node.name) as world:
        yield world


@pytest.fixture(scope="module")
def module_world(installation: Installation, request: pytest.FixtureRequest) -> Iterator[World]:
    """A namespace and its Tenant for all tests of a file, where what happens is long and looking at it is short."""
    with _world(installation, Path(request.node.name).stem) as world:
        world.tenant(world.tenant_name)
        yield world


@pytest.fixture
def world(empty_world: World) -> World:
    """A namespace, and a Tenant of the same name that admits it."""
    empty_world.tenant(empty_world.tenant_name)
    return empty_world


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test says where the logs are, and shows the end of the operator's."""
    report = yield
    made = getattr(item, "funcargs", {}).get("installation")
    if report.failed and made is not None and hasattr(made, "operator"):
        lines = made.operator.log.read_text(errors="replace").splitlines()[-30:]
        report.sections.append((f"operator, {made.operator.log}", "\n".join(lines)))
    return report
