"""Exactly once under crashes and lost answers, at each step of the protocol.

Whatever happens to one request, in the end there is exactly one live key, it is the one in the Secret, and the Secret
was made once and never changed.
"""

from __future__ import annotations

import pytest

from e2e.world import World
from harness.installation import Installation
from harness.proxy import Fault, FaultProxy, Rule
from harness.proxy.messages import Request
from harness.proxy.server import wait_for
from harness.waiting import until

STEPS = ("intent", "mint", "post-secret", "status")
AT_PROVIDER = frozenset({"mint", "ensure-user", "list-keys", "sweep-list", "revoke"})
CRASHES = (Fault.CRASH_BEFORE, Fault.CRASH_AFTER)
LOST = (Fault.DROP_BEFORE, Fault.DROP_AFTER, Fault.TRUNCATE, Fault.LATE, Fault.DUPLICATE)
REFUSED = (Fault.ANSWER_409, Fault.ANSWER_429, Fault.ANSWER_500, Fault.ANSWER_503, Fault.ANSWER_504)
# Long enough for the back-off after an ambiguous mint, and one more look.
DEADLINE = 60.0


def proxy_of(installation: Installation, point: str) -> FaultProxy:
    return installation.management_proxy if point in AT_PROVIDER else installation.kube_proxy


def set_fault(world: World, point: str, fault: Fault) -> Rule:
    """The fault at the first request of this step that is about the test's AccessKey."""
    record = b'"published"' if point == "status" else b""

    def only(request: Request) -> bool:
        about = world.ns.encode() in request.raw
        return about and record in request.body

    return proxy_of(world.installation, point).fault(point, fault, only=only)


def exactly_one_key(world: World, deadline: float = DEADLINE) -> None:
    """The end that every one of these tests must come to."""
    world.ready("AccessKey", "key", deadline)
    until(lambda: len(world.live_keys()) == 1, "one live key", deadline, world.live_keys)
    secret, status = world.secret("key"), world.get("AccessKey", "key")["status"]
    (live,) = world.live_keys()
    assert world.key_id("key") == live["accessKeyId"] == status["published"]["accessKeyId"]
    assert secret["metadata"]["uid"] == status["published"]["secret"]["uid"]
    world.s3("key").list_buckets()


def secret_was_made_once(world: World, since: int) -> None:
    """By the audit log: one create was accepted, and nothing else was ever done to the Secret."""
    calls = [call for call in world.installation.audit.calls(since) if call.resource == "secrets"]
    writes = [
        (call.verb, call.code) for call in calls if call.namespace == world.ns and call.is_write and call.code < 400
    ]
    assert writes == [("create", 201)], writes


@pytest.mark.parametrize("fault", CRASHES, ids=lambda fault: fault.value)
@pytest.mark.parametrize("point", STEPS)
def test_killed_at(world: World, point: str, fault: Fault) -> None:
    """SIGKILL before the step's request is sent, and after it was executed while its answer is on the way."""
    world.user()
    world.ready("StorageUser", "app")
    since = world.installation.audit.position()
    rule = set_fault(world, point, fault)
    world.key()
    wait_for(rule)
    assert not world.installation.operator.running(), "the crash must have killed the operator"
    minted = point == "mint" and fault is Fault.CRASH_AFTER
    assert len(world.live_keys()) == (1 if minted or point in ("post-secret", "status") else 0)
    world.installation.operator.start()
    exactly_one_key(world)
    secret_was_made_once(world, since)


@pytest.mark.parametrize("fault", LOST, ids=lambda fault: fault.value)
@pytest.mark.parametrize("point", STEPS)
def test_answer_lost_at(world: World, point: str, fault: Fault) -> None:
    """The operator lives on, and does not know whether the request was executed."""
    world.user()
    world.ready("StorageUser", "app")
    since = world.installation.audit.position()
    rule = set_fault(world, point, fault)
    world.key()
    wait_for(rule)
    exactly_one_key(world)
    secret_was_made_once(world, since)


@pytest.mark.parametrize("fault", REFUSED, ids=lambda fault: fault.value)
@pytest.mark.parametrize("point", STEPS)
def test_refused_at(world: World, point: str, fault: Fault) -> None:
    """The request was not executed, and the operator is told so, more or less clearly."""
    world.user()
    world.ready("StorageUser", "app")
    since = world.installation.audit.position()
    rule = set_fault(world, point, fault)
    world.key()
    wait_for(rule)
    exactly_one_key(world)
    secret_was_made_once(world, since)


def test_without_a_fault_one_key_is_minted(world: World) -> None:
    """The negative control: what the others recover from does not happen by itself."""
    world.user()
    world.ready("StorageUser", "app")
    since = world.installation.audit.position()
    seen = len(world.installation.management_proxy.seen("mint"))
    world.key()
    exactly_one_key(world)
    secret_was_made_once(world, since)
    assert len(world.installation.management_proxy.seen("mint")) == seen + 1
    assert world.get("AccessKey", "key")["status"]["issue"]["attempt"] == 1
