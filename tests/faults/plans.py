"""Which plans there are. Pure.

A plan is one fault (or two) at a step of the protocol, a class of provider and a deletion policy.

| | points | faults | classes | policies | plans with one fault |
|---|---|---|---|---|---|
| a secret is shown once, or to whoever repeats the request (A3, A1) | 12 | 12 | 2 | 2 | 576 |
| the caller chooses the pair (B) | 14 | 12 | 1 | 2 | 336 |
| the steps of a deletion: five, and four under Retain | 9 | 12 | 3 | | 324 |

No fault is left out at any step: class B has other steps instead. It asks for no key that is made elsewhere (`mint`),
and so writes no intent (`intent`); it writes down what the key will be made as, creates the Secret, and then brings the
pair to the provider (`write-down`, `put`, `put-view`, `put-rights`).
"""

from __future__ import annotations

import enum
import fnmatch
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass

from harness.proxy import Fault

POINTS = (
    *("get-key", "get-secret", "finalizer", "dry-run", "ensure-user", "list-keys"),
    *("intent", "mint", "post-secret", "status", "sweep-list", "revoke"),
)
POINTS_OF_B = (
    *("get-key", "get-secret", "finalizer", "dry-run", "ensure-user", "list-keys"),
    *("write-down", "post-secret", "put", "put-view", "put-rights", "status", "sweep-list", "revoke"),
)
AT_PROVIDER = frozenset({"ensure-user", "list-keys", "mint", "put", "put-view", "put-rights", "sweep-list", "revoke"})
FAULTS = tuple(fault for fault in Fault if fault not in (Fault.HANG, Fault.REWRITE, Fault.INSTEAD))
CRASHES = frozenset({Fault.CRASH_BEFORE, Fault.CRASH_AFTER})
# A3 shows a secret once; A1 shows it again to whoever brings the same idempotency key; B takes a pair that is brought.
SHOWING = ("A3", "A1")
CLASSES = (*SHOWING, "B")
POLICIES = ("Delete", "Retain")
_VARIANTS = tuple(itertools.product(SHOWING, POLICIES))
_ALL_VARIANTS = tuple(itertools.product(CLASSES, POLICIES))
# Steps that a deletion has as well, under whatever policy.
_OF_DELETIONS = ("get-key", "get-secret", "list-keys", "finalizer")


class Phase(enum.Enum):
    """What goes on when a fault is put in force."""

    CREATION = "creation"
    """A StorageUser and an AccessKey are made at the same moment."""
    REPLACEMENT = "replacement"
    """The Secret was lost, and another key is asked for."""
    DELETION = "deletion"
    """The AccessKey is deleted."""
    AFTERWARDS = "afterwards"
    """The AccessKey is gone, its key and Secret are retained."""


@dataclass(frozen=True)
class Injection:
    """What happens to the first request at a point, or to the second one where a plan has two faults at one point."""

    point: str
    fault: Fault
    phase: Phase = Phase.CREATION
    occurrence: int = 1

    def __str__(self) -> str:
        phase = "" if self.phase is Phase.CREATION else f"@{self.phase.value}"
        return f"{self.point}{phase}/{self.fault.value}"


@dataclass(frozen=True)
class Plan:
    """Everything that is varied."""

    injections: tuple[Injection, ...]
    provider_class: str
    policy: str

    @property
    def id(self) -> str:
        """For example `mint/drop-after/A3/Delete`, or `mint/late+revoke@replacement/409/A1/Retain`."""
        return f"{'+'.join(map(str, self.injections))}/{self.provider_class}/{self.policy}"

    def has(self, point: str) -> bool:
        return any(injection.point == point for injection in self.injections)

    def during(self, phase: Phase) -> tuple[Injection, ...]:
        """The faults of one phase."""
        return tuple(injection for injection in self.injections if injection.phase is phase)

    @property
    def spent_pairs(self) -> int:
        """Pairs that the provider says it will never take: another one must be chosen, in another Secret."""
        return sum(one.point == "put" and one.fault is Fault.ANSWER_409 for one in self.injections)

    @property
    def late_mints(self) -> int:
        """Requests for a key that are executed when another one was asked for already."""
        return sum(one.point == "mint" and one.fault is Fault.LATE for one in self.injections)

    @property
    def takes_long(self) -> bool:
        """Whether it may need a second key: then a deletion under Retain waits for whatever may be under way. In class
        B every one does, as nothing tells how many were asked for."""
        risky = self.provider_class == "B" or any(self.has(point) for point in ("mint", "intent", "post-secret"))
        return self.policy == "Retain" and (risky or bool(self.during(Phase.REPLACEMENT)))


def singles() -> list[Plan]:
    """Every plan with one fault: each at the first opportunity that its point has."""
    return [
        _single(point, fault, *variant)
        for variants, points in ((_VARIANTS, POINTS), (_variants_of("B"), POINTS_OF_B))
        for point, fault, variant in itertools.product(points, FAULTS, variants)
    ]


def deletions() -> list[Plan]:
    """Every plan with one fault at a step of the deletion, but for its revocation, which is in `singles`."""
    return [
        Plan((Injection(point, fault, Phase.DELETION),), *variant)
        for variant in _ALL_VARIANTS
        for point in _steps_of_deletion(variant[1])
        for fault in FAULTS
    ]


def sample() -> list[Plan]:
    """Of the classes that show a secret: every fault at every point once; every point and every fault with every class
    and policy."""
    return [
        _single(point, fault, *_VARIANTS[(row + column) % len(_VARIANTS)])
        for row, point in enumerate(POINTS)
        for column, fault in enumerate(FAULTS)
    ]


def sample_of_b() -> list[Plan]:
    """Of class B: every point with two faults, one for each policy, and every fault with both policies. The last two
    are at steps of a deletion."""
    half = len(FAULTS) // 2
    found = [
        _single(point, FAULTS[(2 * row + (column + row // half) % 2) % len(FAULTS)], "B", policy)
        for row, point in enumerate(POINTS_OF_B)
        for column, policy in enumerate(POLICIES)
    ]
    at_the_end = (("list-keys", Fault.CRASH_AFTER, "Retain"), ("delete-secret", Fault.DROP_AFTER, "Delete"))
    ends = [Plan((Injection(point, fault, Phase.DELETION),), "B", policy) for point, fault, policy in at_the_end]
    return found + ends


def sample_of_deletions() -> list[Plan]:
    """Every fault at every step of a deletion once, the classes that show a secret and the policies in turn."""
    points = _steps_of_deletion("Delete")
    found = []
    for row, point in enumerate(points):
        variants = [variant for variant in _VARIANTS if point in _steps_of_deletion(variant[1])]
        for column, fault in enumerate(FAULTS):
            variant = variants[(row + column) % len(variants)]
            found.append(Plan((Injection(point, fault, Phase.DELETION),), *variant))
    return found


def pairs(count: int, seed: int, classes: tuple[str, ...] = CLASSES) -> list[Plan]:
    """Plans with two faults: the same ones for the same seed and classes, each once."""
    choice = random.Random(seed)
    variants = [variant for one in classes for variant in _variants_of(one)]
    found: dict[str, Plan] = {}
    while len(found) < count:
        variant = choice.choice(variants)
        places = list(_places(*variant))
        one, other = (Injection(point, choice.choice(FAULTS), phase) for point, phase in choice.choices(places, k=2))
        if (one.point, one.phase) == (other.point, other.phase):
            other = Injection(other.point, other.fault, other.phase, occurrence=2)
        plan = Plan((one, other), *variant)
        found.setdefault(plan.id, plan)
    return list(found.values())


def only(plans: list[Plan], patterns: list[str]) -> list[Plan]:
    """The plans whose id matches a pattern, such as `mint/*` or `*/late/A1/*`; all of them without any."""
    return [plan for plan in plans if not patterns or any(fnmatch.fnmatchcase(plan.id, one) for one in patterns)]


def _single(point: str, fault: Fault, provider_class: str, policy: str) -> Plan:
    phase = Phase.CREATION
    if point == "revoke":
        # Where the key goes with its object, by the deletion; where it stays, because another one has replaced it.
        phase = Phase.DELETION if policy == "Delete" else Phase.REPLACEMENT
    elif point == "sweep-list" and policy == "Retain":
        # Nothing but the Secret says now that the key is not an orphan.
        phase = Phase.AFTERWARDS
    return Plan((Injection(point, fault, phase),), provider_class, policy)


def _steps_of_deletion(policy: str) -> tuple[str, ...]:
    return (*_OF_DELETIONS, "delete-secret") if policy == "Delete" else _OF_DELETIONS


def _variants_of(provider_class: str) -> tuple[tuple[str, str], ...]:
    return tuple(variant for variant in _ALL_VARIANTS if variant[0] == provider_class)


def _places(provider_class: str, policy: str) -> Iterator[tuple[str, Phase]]:
    """Where a fault may be in a plan with two."""
    points = POINTS_OF_B if provider_class == "B" else POINTS
    yield from ((point, Phase.CREATION) for point in points if point != "revoke")
    yield ("revoke", Phase.REPLACEMENT)
    yield from ((point, Phase.DELETION) for point in _steps_of_deletion(policy))
