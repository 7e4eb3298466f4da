"""What a matrix runs on: one control plane, and lanes that each have a store of one class and an operator."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from faults import stores
from faults.plans import CLASSES
from faults.stores import WatchedStore
from harness.installation import Installation
from harness.lane import Lane
from harness.operator_process import FAST

# The sweep is as dangerous as it can be: what it takes for an orphan, it revokes, and nothing is too young for that.
QUICK_TO_SUSPECT = ("--orphan-quarantine", "1s")
# Garage hashes the token of every request anew, which takes it 50 ms: in many lanes nothing is left for anything else.
NOT_SO_FAST = ("--secret-check-interval", "4s", "--resync-interval", "10s", "--log-level", "storekeeper=debug,info")


class Site:
    """So many lanes, the classes in turn."""

    def __init__(self, folder: Path, lanes: int, classes: tuple[str, ...] = CLASSES) -> None:
        self.installation = Installation(folder)
        self.lanes: list[tuple[str, Lane[WatchedStore]]] = []
        for number in range(lanes):
            provider_class = classes[number % len(classes)]
            name = f"lane-{number}"
            lane = Lane(
                self.installation,
                name,
                stores.made(provider_class, self.installation, name),
                operator_options=(*(NOT_SO_FAST if provider_class == "B" else FAST), *QUICK_TO_SUSPECT),
                orphan_policy="Revoke",
            )
            self.lanes.append((provider_class, lane))

    def start(self) -> None:
        """Start everything, the lanes side by side."""
        self.installation.start_cluster()
        self._side_by_side(lambda lane: lane.start())

    def leftovers(self) -> list[str]:
        """What is there although every plan has ended and cleaned up: something that came when nobody looked."""
        found = []
        for _, lane in self.lanes:
            found += [f"{lane.name}: {left}" for left in lane.store.leftovers()]
            for kind in ("secrets", "storekeeper.dev/accesskeys"):
                found += [record.key for record in lane.etcd.records(f"/registry/{kind}/{lane.name}/")]
        return found

    def stop(self) -> None:
        """Stop everything; an operator takes its time to end."""
        try:
            self._side_by_side(lambda lane: lane.stop())
        finally:
            self.installation.stop()

    def _side_by_side(self, act: Callable[[Lane[WatchedStore]], None]) -> None:
        """Do that with every lane, all at once; the first failure is raised when all have ended."""
        failures: list[BaseException] = []

        def guarded(lane: Lane[WatchedStore]) -> None:
            try:
                act(lane)
            except BaseException as failure:
                failures.append(failure)

        threads = [threading.Thread(target=guarded, args=(lane,), daemon=True) for _, lane in self.lanes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]
