"""helm for what is only rendered; a control plane for what is installed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chart.cluster import Cluster
from chart.helm import Helm
from harness.running import started


@pytest.fixture(scope="package")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    return Helm(tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster that has never heard of storekeeper, one for each file of tests."""
    with started(Cluster(tmp_path_factory.mktemp("cluster"))) as made:
        yield made
