"""What happens to the processes and to the answers: SIGKILLs by the script, dropped answers by the die."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

from harness.installation import Installation
from harness.operator_process import OperatorProcess
from harness.process import Died
from harness.proxy import Fault
from harness.proxy.messages import Request
from soak.planner import Die, Kill

PERIOD = 0.05


class Supervisor(threading.Thread):
    """SIGKILLs operators when the script says so, and starts whichever is dead, as a kubelet would."""

    def __init__(self, operators: list[OperatorProcess], kills: tuple[Kill, ...]) -> None:
        super().__init__(name="supervisor", daemon=True)
        self._operators = operators
        self._left = list(kills)
        self._over = threading.Event()
        self.kills = 0
        self.exits: Counter[int | None] = Counter()
        """Operators that ended by themselves, by exit code."""
        self.failure: Exception | None = None

    def run(self) -> None:
        began = time.monotonic()
        try:
            while not self._over.wait(PERIOD):
                while self._left and self._left[0].at <= time.monotonic() - began:
                    self._kill(self._operators[self._left.pop(0).operator])
                for operator in self._operators:
                    if not operator.running():
                        self.exits[operator.process.exit_code()] += 1
                        self._start(operator)
        except Exception as error:
            self.failure = error

    def is_done(self) -> bool:
        """Whether all kills of the script are behind it."""
        return not self._left

    def end(self) -> None:
        """Kill and start no more; rethrow what went wrong."""
        self._over.set()
        self.join()
        if self.failure is not None:
            raise self.failure

    def _kill(self, victim: OperatorProcess) -> None:
        if victim.running():
            victim.kill()
            self.kills += 1
            self._start(victim)

    def _start(self, operator: OperatorProcess) -> None:
        try:
            operator.process.start(lambda: True)
        except Died:
            return  # noted when it is looked at next


class Drops:
    """A share of all requests, at both proxies, is executed and not answered, until `stop`."""

    def __init__(self, made: Installation, seed: int, share: float) -> None:
        self._proxies = made.proxies()
        self._over = threading.Event()
        for number, proxy in enumerate(self._proxies):
            proxy.fault("any", Fault.DROP_AFTER, occurrence=0, only=self._chooser(Die(seed + number, share)))

    def _chooser(self, die: Die) -> Callable[[Request], bool]:
        return lambda _: not self._over.is_set() and die.drops()

    def stop(self) -> None:
        self._over.set()

    def by_step(self) -> Counter[str]:
        """The answers that were dropped, by the step of the protocol that asked."""
        hit = [one for proxy in self._proxies for one in proxy.seen() if one.fault is not None]
        return Counter(one.point or "other" for one in hit)
