from __future__ import annotations

from collections.abc import Iterator

import pytest

from faults.plans import SHOWING
from faults.site import Site
from harness.running import started

LANES = 12


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with started(Site(tmp_path_factory.mktemp("site"), LANES, SHOWING)) as made:
        print(f"logs of the site: {made.installation.logs}")
        yield made
