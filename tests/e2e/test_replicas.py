"""Several operators at once: with and without a lock there is one key, and one that dies is replaced."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from e2e.world import World
from harness.installation import NAMESPACE
from harness.operator_process import FAST, OperatorProcess
from harness.waiting import until

KEYS = 12


@contextmanager
def another_operator(world: World, name: str, *, leader_election: bool) -> Iterator[OperatorProcess]:
    made = world.installation
    operator = OperatorProcess(
        made.operator_kubeconfig(direct=True), made.logs, leader_election=leader_election, name=name, options=FAST
    )
    try:
        operator.start()
        yield operator
    finally:
        operator.kill()


def test_two_operators_without_a_lock_publish_each_key_once(world: World) -> None:
    since = world.installation.audit.position()
    with another_operator(world, "second", leader_election=False):
        world.user()
        names = [f"key-{number}" for number in range(KEYS)]
        for name in names:
            world.key(name)
        for name in names:
            world.ready("AccessKey", name, 90)
        until(lambda: len(world.live_keys()) == KEYS, "one live key each", 60, lambda: len(world.live_keys()))
    assert {key["accessKeyId"] for key in world.live_keys()} == {world.key_id(name) for name in names}
    accepted = [
        (call.verb, call.name)
        for call in world.installation.audit.calls(since)
        if call.resource == "secrets" and call.namespace == world.ns and call.is_write and call.code < 400
    ]
    assert sorted(accepted) == sorted(("create", name) for name in names)


def holder(world: World) -> str | None:
    """Who holds the lease, as the Lease itself says."""
    lease = world.kube.get("Lease", "storekeeper", NAMESPACE)
    return lease["spec"].get("holderIdentity")


def test_a_leader_that_is_told_to_stop_gives_the_lease_back_before_it_ends(empty_world: World) -> None:
    """So that the next one need not wait for it to run out."""
    empty_world.installation.operator.stop()
    with another_operator(empty_world, "stopping", leader_election=True) as first:
        until(first.leads, "the first to lead")
        was = holder(empty_world)
        assert was
        with another_operator(empty_world, "waiting", leader_election=True) as following:
            assert not following.leads()
            assert first.stop() == 0
            assert holder(empty_world) != was
            until(following.leads, "the next one to lead")
            assert following.stop() == 0


def test_another_leader_takes_over_from_one_that_was_killed(world: World) -> None:
    world.user()
    world.ready("StorageUser", "app")
    world.installation.operator.stop()
    with another_operator(world, "first-leader", leader_election=True) as first:
        until(first.leads, "the first to lead")
        with another_operator(world, "next-leader", leader_election=True) as following:
            assert not following.leads()
            first.kill()
            world.key()
            world.exactly_one_key()
            assert following.leads()
