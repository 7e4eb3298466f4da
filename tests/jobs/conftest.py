"""A server for each test: these tests kill it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import tls
from harness.management_server import ManagementServer
from harness.running import started


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ManagementServer]:
    with started(ManagementServer(tmp_path / "server", tls.make_certificates(tmp_path / "pki"))) as made:
        yield made
