"""What happens to the processes and to the answers: SIGKILLs by the script, dropped answers by the die."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

from harness.installation import Installation
from harness.operator_process import OperatorProcess
from harness.proxy import Fault
from harness.proxy.messages import Request
from soak.planner import Die, Kill


class Killer(threading.Thread):
    """SIGKILLs operators when the script says so, and starts each again at once."""

    def __init__(self, operators: list[OperatorProcess], kills: tuple[Kill, ...]) -> None:
        super().__init__(name="killer", daemon=True)
        self._operators = operators
        self._kills = kills
        self.done = 0
        self.failure: Exception | None = None

    def run(self) -> None:
        began = time.monotonic()
        try:
            for kill in self._kills:
                time.sleep(max(0.0, began + kill.at - time.monotonic()))
                victim = self._operators[kill.operator]
                assert victim.running(), "nobody else ends an operator"
                victim.kill()
                self.done += 1
                victim.process.start(lambda: True)
        except Exception as error:
            self.failure = error


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
