"""One server for the run, new users for each test: a user's buckets are a world of their own."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest

from harness import tls
from harness.management import Management
from harness.management_server import ManagementServer
from harness.running import started
from s3.world import BUCKET, User


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ManagementServer]:
    folder = tmp_path_factory.mktemp("s3")
    with started(ManagementServer(folder / "server", tls.make_certificates(folder / "pki"))) as made:
        yield made


@pytest.fixture(scope="session")
def admin(server: ManagementServer) -> Management:
    return server.client()[0]


@pytest.fixture(scope="session")
def tenant(admin: Management) -> str:
    made: str = admin.call("POST", "/v1/tenants", {"name": "s3-tests"})["id"]
    return made


@pytest.fixture
def new_user(server: ManagementServer, admin: Management, tenant: str) -> Callable[..., User]:
    def make(**fields: Any) -> User:
        return User(server, admin, tenant, **fields)

    return make


@pytest.fixture
def user(new_user: Callable[..., User]) -> User:
    """A user with the bucket `data`."""
    made = new_user()
    made.bucket(BUCKET)
    return made


@pytest.fixture
def versioned(new_user: Callable[..., User]) -> User:
    """A user whose bucket `data` keeps versions."""
    made = new_user()
    made.bucket(BUCKET, versioning="Enabled")
    return made


@pytest.fixture
def locking(new_user: Callable[..., User]) -> User:
    """A user whose bucket `data` was made with object lock."""
    made = new_user()
    made.bucket(BUCKET, objectLock=True)
    return made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows the end of the server's log."""
    report = yield
    made = getattr(item, "funcargs", {}).get("server")
    if report.failed and made is not None:
        lines = made.process.log.read_text(errors="replace").splitlines()[-20:]
        report.sections.append((f"server, {made.process.log}", "\n".join(lines)))
    return report
