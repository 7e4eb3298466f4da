"""Faults as data: which occurrence of which point, and what happens to it."""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.proxy.messages import Answer, Request
from harness.proxy.points import ANY, POINTS


class Fault(enum.Enum):
    """What happens to a request. `executed` tells whether the server ever sees it."""

    CRASH_BEFORE = "crash-before"
    """The crash callback runs, and the request is never sent."""
    CRASH_AFTER = "crash-after"
    """The server has answered; the crash callback runs, and the answer is never passed on."""
    DROP_BEFORE = "drop-before"
    """The connection is closed, and the request is never sent."""
    DROP_AFTER = "drop-after"
    """The server has answered; the connection is closed instead of passing that on."""
    LATE = "late"
    """The connection is closed; the request is sent after the next one of the same point was answered."""
    DUPLICATE = "duplicate"
    """The server gets the request twice; the first answer is passed on."""
    ANSWER_409 = "409"
    ANSWER_429 = "429"
    ANSWER_500 = "500"
    ANSWER_503 = "503"
    ANSWER_504 = "504"
    """The proxy answers with that status, and the request is never sent."""
    TRUNCATE = "truncate"
    """The server has answered; the head and half of the body are passed on, then the connection is closed."""
    REWRITE = "rewrite"
    """The server has answered; what the rule's `answer` makes of that is passed on, byte for byte."""
    INSTEAD = "instead"
    """The rule's `answer` is given, and the request is never sent."""
    HANG = "hang"
    """Nothing is sent and nothing is answered until the client gives up or `release` is called."""

    @property
    def status(self) -> int | None:
        return int(self.value) if self.value.isdigit() else None


@dataclass
class Rule:
    """`fault` for the `occurrence`-th request (from 1) at `point` that `only` accepts; 0 means every one."""

    point: str
    fault: Fault
    occurrence: int = 1
    only: Callable[[Request], bool] = lambda _: True
    answer: Callable[[Request, Answer | None], bytes] = lambda _, given: given.raw if given is not None else b""
    seen: int = 0
    hits: int = 0
    happened: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        if self.point not in POINTS:
            raise ValueError(f"'{self.point}' must be one of {sorted(POINTS)}")

    def applies(self, point: str | None, request: Request) -> bool:
        """Count this request, and say whether it is the one."""
        if request.is_watch or self.point not in (point, ANY) or not self.only(request):
            return False
        self.seen += 1
        if self.occurrence not in (0, self.seen):
            return False
        self.hits += 1
        return True


class Rules:
    """The rules in force; tests add and clear them from their own thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []

    def add(self, rule: Rule) -> Rule:
        with self._lock:
            self._rules.append(rule)
        return rule

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()

    def match(self, point: str | None, request: Request) -> Rule | None:
        """The first rule that applies; the others still count the request."""
        with self._lock:
            hits = [rule for rule in self._rules if rule.applies(point, request)]
        return hits[0] if hits else None
