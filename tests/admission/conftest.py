"""One control plane for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from admission.cluster import Cluster
from harness.running import started


@pytest.fixture(scope="package")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with started(Cluster(tmp_path_factory.mktemp("admission"))) as made:
        yield made
