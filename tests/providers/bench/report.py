"""The figures for people and for machines. Pure."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from providers.bench.kinds import Class, Kind, is_about_keys
from providers.bench.record import Side
from providers.bench.verdict import Figures

WIDTH = 58
ABOUT = """\
The plain client makes the same calls as the operator did, to the same servers through the same proxies, with the same
number of keys and calls under way, and decides nothing. It is written in Python; so a ratio above 1 says no more than
that the operator is not what limits, and one below 1 what its decisions and waits cost. It comes second: its lists are
up to twice as long. The proxies open a connection for each request, for both. Rates are of this machine and this hour:
compare the ratios."""


@dataclass(frozen=True)
class Conditions:
    """What the figures depend on."""

    cores: int
    storekeeper: str
    profile: str
    kubernetes: str
    workers: int
    turns: int

    def as_text(self) -> str:
        return (
            f"{self.cores} cores, {self.storekeeper} ({self.profile} build), Kubernetes {self.kubernetes}, "
            f"{self.workers} keys and {self.turns} provider calls at a time"
        )


def _row(what: str, value: float, more: str = "") -> str:
    return f"{what:<{WIDTH}} {value:>8.2f}  {more}".rstrip()


def _kinds(figures: Figures, side: Side, groups: tuple[Class, ...]) -> list[str]:
    """A line for each kind of call to that side, the most frequent ones first."""
    names = {group.value for group in groups}
    found = Counter({kind: n for kind, n in figures.calls.items() if kind.side == side.value and kind.group in names})
    many = len(groups) > 1
    return [
        _row(f"    {kind.name}" + (f" ({kind.group})" if many else ""), times / figures.keys)
        for kind, times in found.most_common()
    ]


def _sequence(figures: Figures) -> list[str]:
    """The calls of one key, in order."""
    return ["  the calls of one key, in order:", *(f"    {kind.side}: {kind.name}" for kind in figures.sequence)]


def of_store(figures: Figures, sequence: bool = False) -> str:
    """One store's figures; with `sequence`, also the calls of one key."""
    provider, kubernetes = Side.PROVIDER, Side.KUBERNETES
    counted = (Class.WRITE, Class.READ)
    seconds = (figures.operator_seconds, figures.plain_seconds)
    lines = [
        f"{figures.store}: {figures.server}, {figures.keys} AccessKeys, load average {figures.load:.1f}",
        _row("  keys per second, operator", figures.operator_rate, f"{seconds[0]:.2f} s"),
        _row("  keys per second, plain client", figures.plain_rate, f"{seconds[1]:.2f} s"),
        _row("  provider calls per key", figures.per_key(provider, *counted, Class.MAPPING)),
        *_kinds(figures, provider, counted),
        _row("    the mapping's own", figures.per_key(provider, Class.MAPPING)),
        *(f"  {line}" for line in _kinds(figures, provider, (Class.MAPPING,))),
        _row("  Kubernetes calls per key", figures.per_key(kubernetes, *counted)),
        *_kinds(figures, kubernetes, (*counted,)),
    ]
    left = {kind: times for kind, times in figures.calls.items() if not is_about_keys(kind)}
    if left:
        lines.append("  not about keys, and not counted (calls in all):")
        lines += [f"    {kind.side}, {kind.group}: {kind.name}: {times}" for kind, times in sorted(left.items())]
    if sequence:
        lines += _sequence(figures)
    for bar in figures.bars():
        sign, verdict = ("≥" if bar.least else "≤", "holds" if bar.holds else "MISSED")
        lines.append(_row(f"  {bar.what}", bar.found, f"{sign} {bar.limit:g}  {verdict}"))
    return "\n".join(lines)


def end(stores: list[Figures]) -> str:
    """What the ratios mean, and the verdict on all."""
    verdict = "every bar holds" if all(figures.passed for figures in stores) else "a bar is MISSED"
    return f"{ABOUT}\n\n{verdict}"


def _calls(calls: Counter[Kind]) -> list[dict[str, Any]]:
    return [{**asdict(kind), "calls": times} for kind, times in sorted(calls.items())]


def as_json(conditions: Conditions, stores: list[Figures]) -> str:
    """The same for machines: calls are whole numbers of one run."""
    told = [
        {
            "store": figures.store,
            "server": figures.server,
            "keys": figures.keys,
            "loadAverage": round(figures.load, 2),
            "operatorSeconds": round(figures.operator_seconds, 3),
            "plainSeconds": round(figures.plain_seconds, 3),
            "operatorKeysPerSecond": round(figures.operator_rate, 2),
            "plainKeysPerSecond": round(figures.plain_rate, 2),
            "calls": _calls(figures.calls),
            "sequence": [asdict(kind) for kind in figures.sequence],
            "bars": [{**asdict(bar), "holds": bar.holds} for bar in figures.bars()],
        }
        for figures in stores
    ]
    passed = all(figures.passed for figures in stores)
    return json.dumps({"conditions": asdict(conditions), "stores": told, "passed": passed}, indent=2)
