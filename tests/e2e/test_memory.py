"""After a secret was published it is in no memory of the operator or the server, not even in what was given back."""

from __future__ import annotations

import base64
import os
from collections import Counter

import pytest

from e2e.world import World
from harness import memory, s3
from harness.process import Process
from harness.waiting import until

KEYS = 20


def readable(process: Process) -> bool:
    try:
        return any(True for _ in memory.regions(process.pid))
    except PermissionError:
        return False


def remains(process: Process, secrets: list[str]) -> Counter[str]:
    """How many copies of these are in its memory, by spelling: pieces count, as a buffer may be half overwritten."""
    pieces = {
        "plain": [secret[8:28].encode() for secret in secrets],
        "base64": [base64.b64encode(secret[6:30].encode()) for secret in secrets],
    }
    found = memory.copies(process.pid, [piece for all_ in pieces.values() for piece in all_])
    return Counter({spelling: sum(found[piece] for piece in all_) for spelling, all_ in pieces.items()})


def test_a_published_secret_is_not_in_memory_any_more(world: World) -> None:
    made = world.installation
    operator, server = made.operator.process, made.server.process
    if not readable(operator):
        pytest.skip(f"the memory of another process cannot be read here (uid {os.getuid()}): nothing was checked")
    world.user()
    names = [f"key-{number}" for number in range(KEYS)]
    for name in names:
        world.key(name)
    for name in names:
        world.ready("AccessKey", name, 90)
    world.settle()
    secrets = [s3.credentials(world.entries(name)).secret_access_key for name in names]
    assert memory.copies(operator.pid, [made.token.encode()])[made.token.encode()] > 0, "what is in use must be found"
    for process in (operator, server):
        until(
            lambda p=process: not remains(p, secrets).total(),
            f"no copy in {process.name}",
            20,
            lambda p=process: remains(p, secrets),
        )
