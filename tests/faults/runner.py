"""Many plans side by side: each lane takes the next plan of its class until there is none."""

from __future__ import annotations

import itertools
import queue
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from faults.journal import BROKEN, HELD, NOT_INJECTED, VIOLATED, Entry, Journal
from faults.plans import Plan
from faults.scenario import carry_out
from faults.site import Site
from faults.stores import WatchedStore
from harness.lane import Lane


@dataclass(frozen=True)
class Progress:
    """How far a run is."""

    done: int
    planned: int
    faults: int
    failures: int
    seconds: float

    def __str__(self) -> str:
        minutes, seconds = divmod(int(self.seconds), 60)
        return (
            f"{self.done}/{self.planned} plans, {self.faults} faults injected, {self.failures} failed, "
            f"{minutes} min {seconds:02d} s"
        )


class Runner:
    """Carries out plans; `say` is told of every entry, from the threads of the lanes."""

    def __init__(self, site: Site, journal: Journal, binary: str, say: Callable[[Entry], None]) -> None:
        self._site = site
        self._journal = journal
        self._binary = binary
        self._say = say
        self._numbers = itertools.count(1)
        self._threads: list[threading.Thread] = []
        self.stopped = threading.Event()

    def run(self, plans: Iterable[Plan], watch: Callable[[], None] = lambda: None) -> None:
        """Carry out those plans that are not in the journal. `watch` is called now and then meanwhile."""
        queues: dict[str, queue.SimpleQueue[Plan]] = {name: queue.SimpleQueue() for name, _ in self._site.lanes}
        # What takes longest comes first, so that all lanes end at the same time.
        for plan in sorted(plans, key=lambda plan: not plan.takes_long):
            if plan.id not in self._journal.entries:
                queues[plan.provider_class].put(plan)
        self._threads = [
            threading.Thread(target=self._work, args=(lane, queues[name]), daemon=True)
            for name, lane in self._site.lanes
        ]
        for thread in self._threads:
            thread.start()
        try:
            while any(thread.is_alive() for thread in self._threads):
                time.sleep(1)
                watch()
        finally:
            self.stopped.set()

    def join(self) -> None:
        """Wait until no lane is at work any more."""
        for thread in self._threads:
            thread.join()

    def _work(self, lane: Lane[WatchedStore], plans: queue.SimpleQueue[Plan]) -> None:
        while not self.stopped.is_set():
            try:
                plan = plans.get_nowait()
            except queue.Empty:
                return
            entry = self._carry_out(lane, plan)
            if self.stopped.is_set():
                # What was interrupted has no result: the parts may have been stopped under it.
                return
            self._journal.add(entry)
            self._say(entry)

    def _carry_out(self, lane: Lane[WatchedStore], plan: Plan) -> Entry:
        began = time.monotonic()
        name = f"k{next(self._numbers):05d}"
        try:
            outcome = carry_out(lane, plan, name)
        except Exception:
            return self._entry(plan, BROKEN, 0, began, [f"{lane.name}/{name}", traceback.format_exc()])
        details = [f"{lane.name}/{name}", *outcome.violations]
        # A plan with two faults needs one of them: it may keep the step of the other from being reached.
        if outcome.injected == 0:
            return self._entry(plan, NOT_INJECTED, 0, began, details)
        if outcome.violations:
            return self._entry(plan, VIOLATED, outcome.injected, began, details)
        return self._entry(plan, HELD, outcome.injected, began, [])

    def _entry(self, plan: Plan, result: str, faults: int, began: float, details: list[str]) -> Entry:
        return Entry(plan.id, self._binary, result, faults, round(time.monotonic() - began, 1), details)


def summary(entries: list[Entry]) -> Counter[str]:
    """How many plans came to which result."""
    return Counter(entry.result for entry in entries)
