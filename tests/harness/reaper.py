"""A watcher that ends what a test run started, also when the run itself was SIGKILLed.

`python -m harness.reaper` reads `+PID` and `-PID` lines; when its input ends, that is when the run has ended in any
way at all, it SIGKILLs every process group that is still on its list. `Reaper` is the run's side of the pipe.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path


class Reaper:
    """Starts the watcher on first use; one per test run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watcher: subprocess.Popen[str] | None = None

    def add(self, group: int) -> None:
        self._say(f"+{group}")

    def remove(self, group: int) -> None:
        self._say(f"-{group}")

    def _say(self, line: str) -> None:
        with self._lock:
            if self._watcher is None:
                self._watcher = subprocess.Popen(
                    [sys.executable, "-m", "harness.reaper"],
                    cwd=Path(__file__).resolve().parents[1],
                    stdin=subprocess.PIPE,
                    text=True,
                    start_new_session=True,
                )
            assert self._watcher.stdin is not None
            self._watcher.stdin.write(line + "\n")
            self._watcher.stdin.flush()


def watch(lines: object = sys.stdin) -> None:
    """The watcher: keep the list, and when the input ends, kill what is on it."""
    groups: set[int] = set()
    for line in lines:  # type: ignore[attr-defined]
        sign, group = line[0], int(line[1:])
        if sign == "+":
            groups.add(group)
        else:
            groups.discard(group)
    for group in groups:
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            continue


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    watch()
