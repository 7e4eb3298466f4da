"""Many keys at once, servers that end or fail, and an operator that is killed: at rest all is as it must be."""

from __future__ import annotations

import os
import random
import threading
import time

import pytest

from harness.kube import is_ready
from harness.proxy import Fault
from harness.waiting import holds
from providers.stores import READ_WRITE
from providers.world import StoreWorld

MANY = 50
# `STOREKEEPER_KILL_SEEDS=20` for all of them.
SEEDS = int(os.environ.get("STOREKEEPER_KILL_SEEDS", "3"))
# How long a provider fails.
FAILING = 60.0


def keys(world: StoreWorld, number: int = MANY) -> list[str]:
    """So many keys on one user, asked for at once."""
    names = [f"key-{index}" for index in range(number)]
    for name in names:
        world.key(name, permission=READ_WRITE)
    return names


def contents(world: StoreWorld, names: list[str]) -> dict[str, str]:
    """The uids of the Secrets that are there: a Secret that was made anew has another."""
    found = {name: world.kube.find("Secret", name, world.ns) for name in names}
    return {name: secret["metadata"]["uid"] for name, secret in found.items() if secret is not None}


@pytest.mark.timeout(600)
def test_fifty_keys_on_one_user_at_once(world: StoreWorld) -> None:
    world.app()
    began = time.monotonic()
    names = keys(world)
    world.at_rest(names, deadline=300)
    print(f"{world.store.name}: {MANY} keys Ready and proved in {time.monotonic() - began:.1f} s")


@pytest.mark.timeout(600)
def test_a_provider_that_is_restarted_in_the_middle_loses_nothing(world: StoreWorld) -> None:
    world.app()
    names = keys(world, 20)
    world.store.restart()
    world.at_rest(names, deadline=240)


@pytest.mark.timeout(600)
def test_a_provider_that_fails_for_a_minute_is_waited_for(world: StoreWorld) -> None:
    world.app()
    world.key("before", permission=READ_WRITE)
    world.ready("AccessKey", "before")
    before = contents(world, ["before"])
    world.store.proxy.fault("any", Fault.ANSWER_500, 0)
    names = keys(world, 10)
    holds(lambda: not any(is_ready(world.get("AccessKey", name)) for name in names), "no key is Ready", FAILING)
    world.store.proxy.rules.clear()
    world.at_rest([*names, "before"], deadline=300)
    assert contents(world, ["before"]) == before


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_an_operator_that_is_killed_in_a_burst_leaves_one_key_per_secret(world: StoreWorld, seed: int) -> None:
    world.app()
    chance = random.Random(seed)
    operator = world.installation.operator
    over = threading.Event()
    kills = 0
    seen: dict[str, str] = {}

    def ask() -> None:
        keys(world)
        over.set()

    asking = threading.Thread(target=ask)
    asking.start()
    names = [f"key-{index}" for index in range(MANY)]
    for _ in range(6):
        over.wait(chance.uniform(0.2, 2.5))
        operator.kill()
        kills += 1
        operator.start()
    asking.join()
    published = [
        name for name in names if (world.get("AccessKey", name).get("status") or {}).get("published") is not None
    ]
    seen = contents(world, published)
    world.at_rest(names, deadline=300)
    after = contents(world, names)
    assert all(after[name] == uid for name, uid in seen.items()), "a Secret that was published was made anew"
    print(f"{world.store.name}, seed {seed}: {kills} kills, {len(names)} keys")
