"""Waiting for a state with a deadline: the only way in which anything here waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

DEADLINE = 30.0
PERIOD = 0.05


class Late(AssertionError):
    """A state was not reached before its deadline."""


def until(
    probe: Callable[[], T | None],
    what: str,
    deadline: float = DEADLINE,
    seen: Callable[[], object] | None = None,
    period: float = PERIOD,
) -> T:
    """Call `probe` until it answers something true, and return that.

    `seen` is asked only on failure; what it answers is put into the error, so that it says what was there instead.
    """
    end = time.monotonic() + deadline
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > end:
            found = f"; instead: {seen()}" if seen is not None else ""
            raise Late(f"after {deadline:.0f} s still waiting for {what}{found}")
        time.sleep(period)


def holds(probe: Callable[[], object], what: str, span: float) -> None:
    """Watch for `span` seconds that `probe` stays true: for what must *not* happen."""
    end = time.monotonic() + span
    while time.monotonic() < end:
        assert probe(), f"no longer true: {what}"
        time.sleep(PERIOD)
