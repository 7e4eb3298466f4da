"""What happens in a soak, decided beforehand from the seed alone. Pure.

A run is a script for people (who create, delete, lose and revoke), a script of kills, and a die that says which answers
are dropped. The script is the same for the same seed; how the processes interleave with it is not.
"""

from __future__ import annotations

import enum
import random
from collections.abc import Iterator
from dataclasses import dataclass

# Of all lives of an AccessKey.
FOREIGN_SHARE = 0.03
REISSUE_SHARE = 0.5
LOSS_SHARE = 0.3
ASKED_SHARE = 0.5
REVOKED_SHARE = 0.05
DELETED_SHARE = 0.45
AGAIN_SHARE = 0.5
MOST_LOSSES = 3
MOST_LIVES = 3
# Of the whole time: creations come in this part of it, the rest of a life follows.
CREATED_WITHIN = 0.6
LONGEST_STEP = 0.35
# Seconds: what a person takes to answer a lost Secret, and the shortest time between two kills.
LONGEST_ANSWER = 15.0
SHORTEST_LIFE = 1.0


class Deed(enum.Enum):
    """What people do to one name."""

    OCCUPY = "occupy"
    """Make a Secret of their own under the name."""
    CREATE = "create"
    LOSE = "lose"
    """Delete the Secret."""
    ASK = "ask"
    """Annotate for a new key, as the message of a lost Secret says."""
    REVOKE = "revoke"
    """Revoke the key at the provider."""
    DELETE = "delete"


@dataclass(frozen=True)
class Act:
    """One deed, `at` seconds after the start."""

    at: float
    deed: Deed
    name: str
    reissue: bool = False
    """CREATE: `onSecretLoss`."""


@dataclass(frozen=True)
class Kill:
    """SIGKILL of one operator, `at` seconds after the start."""

    at: float
    operator: int


@dataclass(frozen=True)
class Script:
    """The whole run, in order of time."""

    acts: tuple[Act, ...]
    kills: tuple[Kill, ...]


def script(seed: int, duration: float, objects: int, operators: int, mean_life: float) -> Script:
    """The run of this seed. `mean_life`: seconds between two kills of one operator, on average."""
    dice = random.Random(seed)
    acts = [act for number in range(objects) for act in _lives(dice, f"key-{number:04}", duration)]
    kills = [Kill(at, operator) for operator in range(operators) for at in _kills(dice, duration, mean_life)]
    return Script(tuple(sorted(acts, key=lambda act: act.at)), tuple(sorted(kills, key=lambda kill: kill.at)))


def _lives(dice: random.Random, name: str, duration: float) -> Iterator[Act]:
    """All that happens under one name: one AccessKey after another."""
    at = dice.uniform(0, CREATED_WITHIN * duration)
    if dice.random() < FOREIGN_SHARE:
        yield Act(at, Deed.OCCUPY, name)
    for _ in range(MOST_LIVES):
        yield Act(at, Deed.CREATE, name, reissue=dice.random() < REISSUE_SHARE)
        end = at + dice.uniform(0, LONGEST_STEP * duration)
        for _ in range(MOST_LOSSES):
            if dice.random() < LOSS_SHARE:
                lost = min(at + dice.uniform(0, LONGEST_STEP * duration), duration)
                yield Act(lost, Deed.LOSE, name)
                if dice.random() < ASKED_SHARE:
                    yield Act(min(lost + dice.uniform(0, LONGEST_ANSWER), duration), Deed.ASK, name)
        if dice.random() < REVOKED_SHARE:
            yield Act(min(at + dice.uniform(0, LONGEST_STEP * duration), duration), Deed.REVOKE, name)
        if end >= duration or dice.random() >= DELETED_SHARE:
            return
        yield Act(end, Deed.DELETE, name)
        at = end + dice.uniform(0, LONGEST_STEP * duration / 4)
        if at >= duration or dice.random() >= AGAIN_SHARE:
            return


def _kills(dice: random.Random, duration: float, mean_life: float) -> Iterator[float]:
    at = SHORTEST_LIFE + dice.expovariate(1 / mean_life)
    while at < duration:
        yield at
        at += SHORTEST_LIFE + dice.expovariate(1 / mean_life)


class Die:
    """Says of each answer whether it is dropped: `share` of them, by seed."""

    def __init__(self, seed: int, share: float) -> None:
        self._dice = random.Random(seed)
        self._share = share

    def drops(self) -> bool:
        return self._dice.random() < self._share
