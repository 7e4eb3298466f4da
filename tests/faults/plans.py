"""Which plans there are. Pure.

A plan is one fault (or two) at a step of the protocol, a class of provider and a deletion policy. Twelve points, twelve
faults, two classes and two policies make 576 plans with a single fault.
"""

from __future__ import annotations

import fnmatch
import itertools
import random
from dataclasses import dataclass

from harness.proxy import Fault

POINTS = (
    *("get-key", "get-secret", "finalizer", "dry-run", "ensure-user", "list-keys"),
    *("intent", "mint", "post-secret", "status", "sweep-list", "revoke"),
)
AT_PROVIDER = frozenset({"ensure-user", "list-keys", "mint", "sweep-list", "revoke"})
FAULTS = tuple(fault for fault in Fault if fault is not Fault.HANG)
CRASHES = frozenset({Fault.CRASH_BEFORE, Fault.CRASH_AFTER})
# A3 shows a secret once; A1 shows it again to whoever brings the same idempotency key.
CLASSES = ("A3", "A1")
POLICIES = ("Delete", "Retain")
_VARIANTS = tuple(itertools.product(CLASSES, POLICIES))


@dataclass(frozen=True)
class Injection:
    """What happens to the first request at a point, or to the second one where a plan has two faults at one point."""

    point: str
    fault: Fault
    occurrence: int = 1

    def __str__(self) -> str:
        return f"{self.point}/{self.fault.value}"


@dataclass(frozen=True)
class Plan:
    """Everything that is varied."""

    injections: tuple[Injection, ...]
    provider_class: str
    policy: str

    @property
    def id(self) -> str:
        """For example `mint/drop-after/A3/Delete`, or `mint/late+status/409/A1/Retain`."""
        return f"{'+'.join(map(str, self.injections))}/{self.provider_class}/{self.policy}"

    def has(self, point: str) -> bool:
        return any(injection.point == point for injection in self.injections)

    @property
    def late_mints(self) -> int:
        """Requests for a key that are executed when another one was asked for already."""
        return sum(one.point == "mint" and one.fault is Fault.LATE for one in self.injections)

    @property
    def takes_long(self) -> bool:
        """Whether it may need a second key: then a deletion under Retain waits for whatever may be under way."""
        return self.policy == "Retain" and any(self.has(point) for point in ("revoke", "mint", "intent", "post-secret"))

    @property
    def reissues(self) -> bool:
        """Whether a second key is asked for, so that the first becomes garbage and is revoked."""
        return self.has("revoke") and not self.revokes_by_deletion

    @property
    def revokes_by_deletion(self) -> bool:
        """Whether the revocation that is disturbed is that of the deletion."""
        return self.has("revoke") and self.policy == "Delete" and len(self.injections) == 1


def singles() -> list[Plan]:
    """Every plan with one fault."""
    return [
        Plan((Injection(point, fault),), provider_class, policy)
        for point, fault, (provider_class, policy) in itertools.product(POINTS, FAULTS, _VARIANTS)
    ]


def sample() -> list[Plan]:
    """Every fault at every point once; every point and every fault with every class and policy."""
    return [
        Plan((Injection(point, fault),), *_VARIANTS[(row + column) % len(_VARIANTS)])
        for row, point in enumerate(POINTS)
        for column, fault in enumerate(FAULTS)
    ]


def pairs(count: int, seed: int) -> list[Plan]:
    """Plans with two faults: the same ones for the same seed, each once."""
    choice = random.Random(seed)
    found: dict[str, Plan] = {}
    while len(found) < count:
        one, other = (Injection(choice.choice(POINTS), choice.choice(FAULTS)) for _ in range(2))
        if one.point == other.point:
            other = Injection(other.point, other.fault, occurrence=2)
        plan = Plan((one, other), *choice.choice(_VARIANTS))
        found.setdefault(plan.id, plan)
    return list(found.values())


def only(plans: list[Plan], patterns: list[str]) -> list[Plan]:
    """The plans whose id matches a pattern, such as `mint/*` or `*/late/A1/*`; all of them without any."""
    return [plan for plan in plans if not patterns or any(fnmatch.fnmatchcase(plan.id, one) for one in patterns)]
