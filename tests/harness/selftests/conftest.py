from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import tls
from harness.proxy import FaultProxy
from harness.selftests.upstream import Upstream


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tls.Certificates:
    return tls.make_certificates(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def upstream(certificates: tls.Certificates) -> Iterator[Upstream]:
    server = Upstream(certificates)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def proxy(upstream: Upstream, certificates: tls.Certificates) -> Iterator[FaultProxy]:
    made = FaultProxy(upstream.url, Path(certificates.ca), certificates)
    made.start()
    yield made
    made.stop()
