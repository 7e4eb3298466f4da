"""The fault matrix's sample: every fault at every step of the protocol, on real parts. `make faults` has all of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from faults import plans
from faults.journal import HELD, Entry, Journal, hash_of
from faults.runner import Runner
from faults.site import Site
from harness import paths


@pytest.mark.timeout(900)
def test_every_fault_at_every_point_leaves_one_key_in_one_secret(site: Site, tmp_path: Path) -> None:
    binary = hash_of(paths.storekeeper_binary())
    journal = Journal(tmp_path / "journal.jsonl", binary)

    def say(entry: Entry) -> None:
        print(f"{entry.plan}: {entry.result}, {entry.seconds} s", file=sys.stderr)

    sample = plans.sample() + plans.sample_of_deletions()
    Runner(site, journal, binary, say).run(sample)
    failed = [entry for entry in journal.entries.values() if entry.result != HELD]
    assert not failed, "\n".join(f"{one.plan}: {one.result}: {'; '.join(one.details)}" for one in failed)
    assert set(journal.entries) == {plan.id for plan in sample}
    assert sum(entry.faults for entry in journal.entries.values()) == len(sample)
    assert site.leftovers() == []
