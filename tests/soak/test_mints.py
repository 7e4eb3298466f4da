"""The test that decides: SIGKILL exactly when the provider has made a key and has not answered, for each AccessKey.

The secret of such a key is lost for ever. Whoever retries without a record of the attempt leaves an orphan each time.
`STOREKEEPER_MINTS` sets the number of AccessKeys.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from harness.installation import Installation
from harness.kube import Object, is_ready
from harness.operator_process import OperatorProcess
from harness.proxy import Fault
from harness.proxy.messages import Request
from harness.running import started
from harness.waiting import until
from soak.checks import at_rest
from soak.scene import CREATED, REVOKED, last_event, look, provider_events

MINTS = int(os.environ.get("STOREKEEPER_MINTS", "100"))
NAMESPACE = "mints"
DEADLINE = 240.0
# What the operator works on at a time, and so how many mints one SIGKILL hits. The proxy holds no more than five.
WORKERS = 5
# Within the time that the operator itself waits for an answer.
NO_MORE_COMES = 1.0
OPTIONS = ("--concurrency", str(WORKERS), "--resync-interval", "30s", "--log-level", "info")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with started(Installation(tmp_path_factory.mktemp("mints"), operator_options=OPTIONS)) as made:
        yield made


class Victim:
    """The operator: SIGKILLed when all that it works on hangs at an executed mint, and started again."""

    def __init__(self, operator: OperatorProcess) -> None:
        self._process = operator.process
        self._changed = threading.Condition()
        self._asked: set[str] = set()
        self._hanging = 0
        self._last = 0.0
        self.hits = 0
        self.kills = 0

    def first_mint_of_its_object(self, request: Request) -> bool:
        """Whether this mint is to be executed and not answered: once for each object."""
        owner = request.json().get("labels", {}).get("storekeeper.dev/owner", "")
        with self._changed:
            new = owner not in self._asked
            self._asked.add(owner)
        return new

    def crash(self) -> None:
        """The provider has executed such a mint; returns when the operator that sent it is dead."""
        with self._changed:
            life = self.kills
            self._hanging += 1
            self._last = time.monotonic()
            self._changed.wait_for(lambda: self.kills > life)

    def supervise(self) -> None:
        """Kill it if it is time, and start it if it is dead."""
        with self._changed:
            together = min(WORKERS, MINTS - self.hits)
            idle = time.monotonic() - self._last > NO_MORE_COMES
            if self._hanging and (self._hanging == together or idle):
                assert self._process.running(), "nobody else ends the operator"
                self._process.kill()
                self.kills += 1
                self.hits += self._hanging
                self._hanging = 0
                self._changed.notify_all()
        if not self._process.running():
            self._process.start(lambda: True)


def access_key(name: str) -> Object:
    return {
        "apiVersion": "storekeeper.dev/v1alpha1",
        "kind": "AccessKey",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"userRef": {"name": "app"}, "permission": "ReadWrite"},
    }


def make_user(made: Installation) -> None:
    made.kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    for kind, name, namespace, spec in (
        ("Tenant", NAMESPACE, None, {"allowedNamespaces": {"names": [NAMESPACE]}}),
        ("StorageUser", "app", NAMESPACE, {"tenantRef": {"name": NAMESPACE}}),
    ):
        metadata = {"name": name} if namespace is None else {"name": name, "namespace": namespace}
        made.kube.create({"apiVersion": "storekeeper.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec})
    made.kube.wait_ready("StorageUser", "app", NAMESPACE)


@pytest.mark.timeout(2 * DEADLINE)
def test_killed_when_the_mint_is_executed_and_not_answered(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    made, started = installation, time.monotonic()
    make_user(made)
    since, event = made.audit.position(), last_event(made.management)
    victim = Victim(made.operator)
    made.management_proxy.on_crash = victim.crash
    made.management_proxy.fault("mint", Fault.CRASH_AFTER, occurrence=0, only=victim.first_mint_of_its_object)
    for number in range(MINTS):
        made.kube.create(access_key(f"key-{number:03}"))

    def all_hit() -> bool:
        victim.supervise()
        return victim.hits == MINTS

    until(all_hit, f"the mints of {MINTS} objects to be executed and not answered", DEADLINE, lambda: victim.hits)
    killed_for = time.monotonic() - started
    assert len(provider_events(made.management, CREATED, event)) >= MINTS

    def quiet() -> bool:
        if not all(map(is_ready, made.kube.items("AccessKey", NAMESPACE))):
            return False
        return len(look(made, [NAMESPACE], probe=False).keys) == MINTS

    until(quiet, f"{MINTS} keys, Ready", DEADLINE, lambda: describe(made))
    rest = look(made, [NAMESPACE])
    made_ids, revoked = (provider_events(made.management, action, event) for action in (CREATED, REVOKED))
    with capsys.disabled():
        print(
            f"\n{MINTS} objects, {victim.kills} SIGKILLs with the mint executed and not answered, "
            f"each object hit once; keys made {len(made_ids)}, revoked {len(revoked)}, "
            f"live {len(rest.keys)}, orphans {len(rest.keys) - MINTS}; "
            f"kills took {killed_for:.0f} s, everything {time.monotonic() - started:.0f} s"
        )
    assert at_rest(rest) == []
    assert len(rest.owners) == len(rest.secrets) == len(rest.keys) == MINTS
    assert rest.opens is not None and len(rest.opens) == MINTS and all(rest.opens.values())
    assert len(made_ids) - len(revoked) == MINTS
    writes = [call for call in made.audit.writes(since) if call.resource == "secrets" and call.code < 400]
    assert Counter((call.verb, call.name) for call in writes) == {
        ("create", f"key-{number:03}"): 1 for number in range(MINTS)
    }


def describe(made: Installation) -> str:
    rest = look(made, [NAMESPACE], probe=False)
    ready = sum(owner.ready for owner in rest.owners)
    return f"{ready} Ready, {len(rest.keys)} keys; reasons {Counter(owner.reason for owner in rest.owners)}"
