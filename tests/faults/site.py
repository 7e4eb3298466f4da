"""What a matrix runs on: one control plane, and lanes that each have a server of one class and an operator."""

from __future__ import annotations

import threading
from pathlib import Path

from faults.plans import CLASSES
from harness.installation import Installation
from harness.lane import IDEMPOTENCY_KEYS, Lane
from harness.operator_process import FAST


class Site:
    """So many lanes, the classes in turn."""

    def __init__(self, folder: Path, lanes: int, classes: tuple[str, ...] = CLASSES) -> None:
        self.installation = Installation(folder)
        self.lanes: list[tuple[str, Lane]] = []
        for number in range(lanes):
            provider_class = classes[number % len(classes)]
            options = (IDEMPOTENCY_KEYS,) if provider_class == "A1" else ()
            lane = Lane(
                self.installation,
                f"lane-{number}",
                server_options=options,
                operator_options=FAST,
            )
            self.lanes.append((provider_class, lane))

    def start(self) -> None:
        """Start everything, the lanes side by side."""
        self.installation.start_cluster()
        failures: list[BaseException] = []

        def start(lane: Lane) -> None:
            try:
                lane.start()
            except BaseException as failure:
                failures.append(failure)

        threads = [threading.Thread(target=start, args=(lane,), daemon=True) for _, lane in self.lanes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def stop(self) -> None:
        for _, lane in self.lanes:
            lane.stop()
        self.installation.stop()
