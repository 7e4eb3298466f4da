"""The fault matrix's sample: every fault at every step of the protocol, on real parts. `make faults` has all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from faults import plans
from faults.sampling import all_hold
from faults.site import Site


@pytest.mark.timeout(900)
def test_every_fault_at_every_point_leaves_one_key_in_one_secret(site: Site, tmp_path: Path) -> None:
    all_hold(site, tmp_path, plans.sample() + plans.sample_of_deletions())
