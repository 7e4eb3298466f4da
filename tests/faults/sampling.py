"""A sample of the matrix as a test carries it out: all plans must hold, and nothing may be left over."""

from __future__ import annotations

import sys
from pathlib import Path

from faults.journal import HELD, Entry, Journal, hash_of
from faults.plans import Plan
from faults.runner import Runner
from faults.site import Site
from harness import paths


def all_hold(site: Site, folder: Path, sample: list[Plan]) -> None:
    """Carry out plans with one fault each; the journal goes to the folder."""
    binary = hash_of(paths.storekeeper_binary())
    journal = Journal(folder / "journal.jsonl", binary)

    def say(entry: Entry) -> None:
        print(f"{entry.plan}: {entry.result}, {entry.seconds} s", file=sys.stderr)

    Runner(site, journal, binary, say).run(sample)
    failed = [entry for entry in journal.entries.values() if entry.result != HELD]
    assert not failed, "\n".join(f"{one.plan}: {one.result}: {'; '.join(one.details)}" for one in failed)
    assert set(journal.entries) == {plan.id for plan in sample}
    assert sum(entry.faults for entry in journal.entries.values()) == len(sample)
    assert site.leftovers() == []
