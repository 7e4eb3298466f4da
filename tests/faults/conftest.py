from __future__ import annotations

from collections.abc import Iterator

import pytest

from faults.site import Site

LANES = 12


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"), LANES)
    try:
        made.start()
        print(f"logs of the site: {made.installation.logs}")
        yield made
    finally:
        made.stop()
