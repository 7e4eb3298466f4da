"""The figures of one store, and the bars that they are held against. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from providers.bench.kinds import Class, Kind, is_about_keys
from providers.bench.record import Side

# One write and one look at what was written.
MOST_CALLS = 2.0
# Of the keys per second of the plain client.
LEAST_RATIO = 0.7


@dataclass(frozen=True)
class Bar:
    """What a figure must be: at least, or at most, the limit."""

    what: str
    found: float
    limit: float
    least: bool

    @property
    def holds(self) -> bool:
        return self.found >= self.limit if self.least else self.found <= self.limit


@dataclass
class Figures:
    """What was measured at one store. Times are in seconds, from the first create to the last Ready."""

    store: str
    server: str
    keys: int
    operator_seconds: float
    plain_seconds: float
    calls: Counter[Kind]
    """Of the operator, of all kinds."""
    plain_calls: Counter[Kind] = field(default_factory=Counter)
    """Of the plain client, of all kinds."""
    load: float = 0.0
    """The load average when it began."""
    sequence: list[Kind] = field(default_factory=list)
    """The calls of one key, in order: of one that took as many as most."""

    @property
    def operator_rate(self) -> float:
        return self.keys / self.operator_seconds

    @property
    def plain_rate(self) -> float:
        return self.keys / self.plain_seconds

    @property
    def ratio(self) -> float:
        return self.operator_rate / self.plain_rate

    def per_key(self, side: Side, *groups: Class) -> float:
        """Calls per key to that side, of those classes."""
        names = {group.value for group in groups}
        calls = sum(times for kind, times in self.calls.items() if kind.side == side.value and kind.group in names)
        return calls / self.keys

    def bars(self) -> list[Bar]:
        beyond = self.per_key(Side.PROVIDER, Class.WRITE, Class.READ)
        return [
            Bar("provider calls per key beyond the mapping's own", beyond, MOST_CALLS, least=False),
            Bar("keys per second, operator / plain client", self.ratio, LEAST_RATIO, least=True),
        ]

    @property
    def passed(self) -> bool:
        return all(bar.holds for bar in self.bars())


def differences(operator: Mapping[Kind, int], plain: Mapping[Kind, int]) -> dict[Kind, tuple[int, int]]:
    """The kinds of calls about keys of which the plain client did not make as many as the operator."""
    kinds = {kind for kind in {*operator, *plain} if is_about_keys(kind)}
    pairs = {kind: (operator.get(kind, 0), plain.get(kind, 0)) for kind in sorted(kinds)}
    return {kind: pair for kind, pair in pairs.items() if pair[0] != pair[1]}
