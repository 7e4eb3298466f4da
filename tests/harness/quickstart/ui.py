"""What a person sees: one line per step with its time, and movement while a long one runs."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.process import tail

WIDTH = 52
QUIET_PERIOD = 15.0
FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class StepFailed(Exception):
    """A step did not work. `log` is where the reason is."""

    def __init__(self, what: str, log: Path | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.log = log


def clock(seconds: float) -> str:
    """A duration as a person reads it: 0.4s, 12s, 5m 31s."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m {rest:02d}s" if minutes else f"{rest}s"


class Step:
    """One running step. Set `done` to what is printed when it worked, `note` to what stands behind the time."""

    def __init__(self, doing: str) -> None:
        self.doing = doing
        self.done = doing
        self.note = ""
        self.now = ""
        self.log: Path | None = None

    def progress(self) -> str:
        """The newest thing worth showing: what the step says, else the last line of its log."""
        return self.now or (tail(self.log, 1).strip() if self.log is not None else "")


class Ui:
    """Prints to standard output; colours and rewriting only on a terminal."""

    def __init__(self) -> None:
        self.terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self._colours = self.terminal and "NO_COLOR" not in os.environ

    def say(self, text: str = "") -> None:
        print(text, flush=True)

    def _paint(self, colour: int, text: str) -> str:
        return f"\033[{colour}m{text}\033[0m" if self._colours else text

    def check(self, text: str, indent: str = "  ") -> None:
        self.say(f"{indent}{self._paint(32, '✓')} {text}")

    @contextmanager
    def step(self, doing: str) -> Iterator[Step]:
        """Run a step: its line is printed when it is over, and something moves until then."""
        step, started, over = Step(doing), time.monotonic(), threading.Event()
        mover = threading.Thread(target=self._move, args=(step, started, over), daemon=True)
        mover.start()
        try:
            yield step
        except BaseException:
            self._end(mover, over)
            self.say(f"  {self._paint(31, '✗')} {step.doing}")
            raise
        self._end(mover, over)
        spent = clock(time.monotonic() - started)
        self.check(f"{step.done:<{WIDTH}} {spent:>7}   {step.note}".rstrip())

    def _end(self, mover: threading.Thread, over: threading.Event) -> None:
        over.set()
        mover.join()

    def _move(self, step: Step, started: float, over: threading.Event) -> None:
        period = 0.1 if self.terminal else QUIET_PERIOD
        frame = 0
        while not over.wait(period):
            spent = clock(time.monotonic() - started)
            if not self.terminal:
                self.say(f"    … {step.doing}, {spent} so far: {step.progress()[:100]}")
                continue
            frame += 1
            line = f"  {FRAMES[frame % len(FRAMES)]} {step.doing:<{WIDTH}} {spent:>7}   {step.progress()}"
            sys.stdout.write("\r\033[K" + line[: os.get_terminal_size().columns - 1])
            sys.stdout.flush()
        if self.terminal:
            sys.stdout.write("\r\033[K")
            sys.stdout.flush()

    def failure(self, failed: StepFailed) -> None:
        """What failed, the last lines of the log that says why, and where the whole log is."""
        self.say(f"\n{self._paint(31, 'Failed:')} {failed.what}")
        if failed.log is not None and failed.log.exists():
            self.say(f"The end of {failed.log}:")
            self.say("\n".join(f"  | {line}" for line in tail(failed.log).splitlines()))
            self.say(f"The whole log: {failed.log}")
