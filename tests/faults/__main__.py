"""`python -m faults`: the fault matrix on real parts."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from faults import plans
from faults.journal import HELD, Entry, Journal, hash_of
from faults.runner import Progress, Runner, summary
from faults.site import Site
from harness import garage, paths

EPILOG = f"""\
points   {", ".join(plans.POINTS)};
         of class B {", ".join(plans.POINTS_OF_B)}
faults   {", ".join(fault.value for fault in plans.FAULTS)}
classes  A3 (a secret is shown once), A1 (the server remembers idempotency keys), B (the operator chooses the pair; on a
         real Garage, which is built where it is missing: about ten minutes)

A plan is named POINT/FAULT/CLASS/POLICY, for example mint/drop-after/A3/Delete; a point that is disturbed at another
time than at the creation has that in its name, as in get-key@deletion. What was carried out on the same binary
is not carried out again: the journal remembers it. The exit code is 1 if anything failed.
"""


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="faults",
        description="Carry out the fault matrix: one fault at each step of the protocol, then see what must hold.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", action="append", default=[], metavar="PATTERN", help="plans of that form, as mint/*")
    parser.add_argument(
        "--class",
        action="append",
        choices=plans.CLASSES,
        dest="classes",
        help="plans of that class; may be given more than once (default all)",
    )
    parser.add_argument("--sample", action="store_true", help="the samples that the tests have instead of all plans")
    parser.add_argument("--pairs", type=int, default=0, metavar="N", help="also N plans with two faults")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="which pairs (default 1)")
    parser.add_argument("--lanes", type=int, default=12, metavar="N", help="plans at a time (default 12)")
    parser.add_argument("--fresh", action="store_true", help="forget what was carried out before")
    parser.add_argument("--list", action="store_true", help="name the plans, and carry out none")
    parser.add_argument(
        "--folder", type=Path, default=paths.cargo_target() / "faults", help="for the journal (default target/faults)"
    )
    given = parser.parse_args()
    given.classes = tuple(one for one in plans.CLASSES if one in (given.classes or plans.CLASSES))
    if given.lanes < len(given.classes):
        parser.error(f"--lanes must be at least {len(given.classes)}: one for each class")
    return given


def chosen(given: argparse.Namespace) -> list[plans.Plan]:
    if given.sample:
        found = plans.sample() + plans.sample_of_deletions() + plans.sample_of_b()
    else:
        found = plans.singles() + plans.deletions()
    found += plans.pairs(given.pairs, given.seed, given.classes)
    return plans.only([plan for plan in found if plan.provider_class in given.classes], given.only)


class Reporter:
    """The progress line, and a line for each plan that failed."""

    def __init__(self, planned: list[plans.Plan], journal: Journal) -> None:
        self._planned = {plan.id for plan in planned}
        self._journal = journal
        self._began = time.monotonic()
        self._next = 0.0
        self._terminal = sys.stdout.isatty()

    def entries(self) -> list[Entry]:
        return [entry for name, entry in list(self._journal.entries.items()) if name in self._planned]

    def say(self, entry: Entry) -> None:
        if entry.result != HELD:
            self._line(f"FAILED  {entry.plan}: {entry.result}")
            for detail in entry.details:
                self._line(f"        {detail}")

    def watch(self) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + (1 if self._terminal else 15)
            self._print(str(self.progress()), end="" if self._terminal else "\n")

    def progress(self) -> Progress:
        entries = self.entries()
        return Progress(
            done=len(entries),
            planned=len(self._planned),
            faults=sum(entry.faults for entry in entries),
            failures=sum(entry.result != HELD for entry in entries),
            seconds=time.monotonic() - self._began,
        )

    def _line(self, text: str) -> None:
        self._print(text, end="\n")

    def _print(self, text: str, end: str) -> None:
        print(f"\r\033[K{text}" if self._terminal else text, end=end, flush=True)


def main() -> int:
    given = options()
    planned = chosen(given)
    if given.list:
        print("\n".join(plan.id for plan in planned))
        return 0
    if not planned:
        print("no plan has such a name; see --list", file=sys.stderr)
        return 2
    binary = hash_of(paths.storekeeper_binary())
    journal = Journal(given.folder / "journal.jsonl", binary, given.fresh)
    reporter = Reporter(planned, journal)
    before = len(reporter.entries())
    print(f"fault matrix: {len(planned)} plans, {before} carried out before; {given.lanes} lanes, binary {binary}")
    left: list[str] = []
    if before < len(planned):
        with tempfile.TemporaryDirectory(prefix="storekeeper-faults-") as folder:
            left = carry_out(Path(folder), given, planned, journal, binary, reporter)
    entries = reporter.entries()
    print(f"\n{reporter.progress()}")
    print(", ".join(f"{count} {result}" for result, count in sorted(summary(entries).items())))
    for what in left:
        print(f"FAILED  left over after all: {what}")
    print(f"journal: {given.folder / 'journal.jsonl'}")
    held = sum(entry.result == HELD for entry in entries)
    return 0 if held == len(planned) and not left else 1


def carry_out(
    folder: Path,
    given: argparse.Namespace,
    planned: list[plans.Plan],
    journal: Journal,
    binary: str,
    reporter: Reporter,
) -> list[str]:
    """Carry out what is not in the journal; what is left over afterwards."""
    site = Site(folder, given.lanes, given.classes)
    try:
        site.start()
        print(f"logs: {site.installation.logs}", flush=True)
        Runner(site, journal, binary, reporter.say).run(planned, reporter.watch)
        return site.leftovers()
    finally:
        site.stop()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except garage.Missing as missing:
        print(f"{missing}; `--class A3 --class A1` needs none", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("\ninterrupted; the same command goes on from here", file=sys.stderr)
        sys.exit(130)
